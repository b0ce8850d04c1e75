import type { DocumentFormat, MergeOptions, MergeResult } from '../../core/merge/types.ts';
import { formatOfPath } from '../../core/openapi/documentFormat.ts';
import type { Ambient, Merger } from '../../core/ports.ts';
import type { ElementChange } from '../../core/sources/elementChange.ts';
import { indentOf } from '../../core/sources/indentOf.ts';
import type { LiveSourceConfig } from '../../core/sources/liveSourceConfig.ts';
import type { SourceMemory } from '../../core/sources/sourceMemory.ts';
import type { SourceTexts } from '../../core/sources/sourceTexts.ts';
import type { TranslateOptions } from '../../core/sources/translateSpec.ts';
import type { WorkingFiles } from '../../core/workingFiles.ts';
import type { WorkingText } from '../../core/workingText.ts';
import type { PeerSettings } from '../folderSession.ts';
import { hasError } from '../replica/documentRecord.ts';
import type { BranchMemory } from './branchMemory.ts';
import { failedAttempt, type SourceAttempt } from './sourceAttempt.ts';
import { targetUnreadable, unsaved } from './sourceProblems.ts';
import type { SourceTarget } from './sourceTarget.ts';

/** A revision of the target as the source would have it. */
export interface Incoming {
  readonly revision: string;
  readonly answerHash: string;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly madeWith: string;
}

/** How a merge of the file with what the source says comes out, before anything is written. */
export interface Draft {
  /** The file as it was read; undefined where it is not there. */
  readonly working: WorkingText | undefined;
  readonly merged: MergeResult;
  readonly heldBase: string | undefined;
}

export interface SourceDraftsOptions {
  readonly config: LiveSourceConfig;
  readonly target: SourceTarget;
  readonly memory: BranchMemory;
  readonly ambient: Ambient;
  readonly files: WorkingFiles;
  readonly merger: Merger;
  readonly texts: SourceTexts;
  readonly infoVersion: PeerSettings['infoVersion'];
}

/**
 * Merges a source's revision with its target, and writes nothing. The base is the source's last revision: so what people
 * added by hand stays, what the source takes away goes, and what both changed is held (DESIGN §8).
 */
export class SourceDrafts {
  readonly #options: SourceDraftsOptions;
  readonly format: DocumentFormat;

  constructor(options: SourceDraftsOptions) {
    this.#options = options;
    this.format = formatOfPath(options.config.target);
  }

  /** How an answer becomes a revision of the target: what is new comes in the indentation that the file has. */
  async translation(): Promise<TranslateOptions> {
    const { config, target } = this.#options;
    const indent = indentOf((await target.text())?.text ?? '');
    return { format: this.format, include: config.include, exclude: config.exclude, indent };
  }

  /** What the file would be with a revision of the source; an attempt where that cannot be said now. */
  async draft(incoming: Incoming): Promise<Draft | SourceAttempt> {
    const { config, target, files, memory: memories, ambient } = this.#options;
    if (files.hasUnsavedEdits(target.file)) return unsaved(config.target);
    const working = await target.read();
    if (working !== undefined && 'problem' in working) return failedAttempt(working.problem);
    const { revision } = incoming;
    if (working === undefined)
      return {
        working,
        merged: { text: revision, conflicts: [], problems: [], nextBase: revision, renames: [], takenBy: 'equal' },
        heldBase: undefined,
      };
    const memory = (await memories.load()) ?? (await memories.ofOtherBranch(ambient.hashText(working.text)));
    const { base, theirs } = await this.#sidesOf(memory, working.text, incoming);
    const merged = await this.merge(base, working.text, theirs);
    if (hasError(merged)) {
      const [problem] = merged.problems;
      return targetUnreadable(config.target, problem?.message ?? '');
    }
    return { working, merged, heldBase: heldBaseOf(merged, theirs) };
  }

  merge(base: string, ours: string, theirs: string, options: MergeOptions = {}): Promise<MergeResult> {
    const { merger, infoVersion } = this.#options;
    return merger.merge({ base, ours, theirs }, this.format, { infoVersion, ...options });
  }

  /** What a draft changes in the file, by element. */
  async changesOf({ working, merged }: Draft): Promise<readonly ElementChange[]> {
    return merged.text === working?.text
      ? []
      : await this.#options.texts.compare(working?.text ?? '', merged.text, this.format);
  }

  async #sidesOf(
    memory: SourceMemory | undefined,
    ours: string,
    incoming: Incoming,
  ): Promise<{ readonly base: string; readonly theirs: string }> {
    const { texts } = this.#options;
    const theirs = incoming.revision;
    if (memory === undefined) return await texts.firstContact(ours, theirs, this.format);
    const base = memory.heldBase ?? memory.revision;
    if (memory.madeWith === incoming.madeWith) return { base, theirs };
    // What the selection leaves out now is no concern of the source any more: it is not taken away either.
    const narrowed = await texts.translate(base, await this.translation());
    return { base: narrowed.value ?? base, theirs };
  }
}

/** The base that is kept for what is held; undefined where nothing is. */
export function heldBaseOf(merged: MergeResult, theirs: string): string | undefined {
  return merged.conflicts.length === 0 || merged.nextBase === theirs ? undefined : merged.nextBase;
}
