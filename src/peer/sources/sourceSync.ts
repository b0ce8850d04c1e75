import type { RevisionHash } from '../../core/ids.ts';
import type { DocumentFormat, MergeConflict, MergeOptions, MergeResult } from '../../core/merge/types.ts';
import { type ElementChange } from '../../core/sources/elementChange.ts';
import { type LiveSourceConfig, sourceName } from '../../core/sources/liveSourceConfig.ts';
import type { SourceMemory, SourceMemoryStore } from '../../core/sources/sourceMemory.ts';
import { indentOf } from '../../core/sources/indentOf.ts';
import type { SourceTexts } from '../../core/sources/sourceTexts.ts';
import type { TranslateOptions } from '../../core/sources/translateSpec.ts';
import type { SpecAnswer } from '../../core/sources/specFetcher.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import type { WorkingText } from '../../core/workingText.ts';
import { hasError } from '../replica/documentRecord.ts';
import type { PeerSettings, Resolutions } from '../folderSession.ts';
import type { HeldDocument } from '../heldDocument.ts';
import { isSameClash } from '../replica/resolution.ts';
import { BranchMemory } from './branchMemory.ts';
import {
  aborted,
  changedSince,
  choiceNotWritten,
  conflictChanged,
  conflictGone,
  notModifiedWithoutReason,
  notResolved,
  targetBusy,
  targetMissing,
  targetUnreadable,
  unsaved,
  unusable,
} from './sourceProblems.ts';
import type { SourcePreview } from './liveSyncService.ts';
import type { KnownAnswer } from './sourceReader.ts';
import { SourceTarget, type SourceTargetOptions } from './sourceTarget.ts';

/** Where the folder is, in git's terms, and whether git is at work there. */
export interface SourceGit {
  /** As `readBranch` names it; '' outside of git. */
  branch(): Promise<string>;
  /** What git is doing, as a person would say it; undefined while it is at rest. */
  activity(): Promise<string | undefined>;
}

export interface SourceSyncOptions extends SourceTargetOptions {
  readonly texts: SourceTexts;
  readonly memories: SourceMemoryStore;
  readonly git: SourceGit;
  readonly infoVersion: PeerSettings['infoVersion'];
  readonly read: (config: LiveSourceConfig, known: KnownAnswer, signal: AbortSignal) => Promise<SpecAnswer>;
}

/** A revision of the target as the source would have it. */
interface Incoming {
  readonly revision: string;
  readonly answerHash: string;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly madeWith: string;
}

/** What came of an attempt. `isServerDown` and `canRetry` are for the engine. */
export type SourceAttempt =
  | { readonly kind: 'unchanged' | 'changed'; readonly changes: readonly ElementChange[] }
  | { readonly kind: 'changesWaiting'; readonly changes: readonly ElementChange[] }
  | { readonly kind: 'waiting'; readonly problem: UserProblem; readonly isForSave: boolean }
  | {
      readonly kind: 'failed';
      readonly problem: UserProblem;
      readonly canRetry: boolean;
      readonly isServerDown: boolean;
    };

/** How a merge of the file with what the source says comes out, before anything is written. */
interface Draft {
  readonly working: WorkingText | undefined;
  readonly merged: MergeResult;
  readonly heldBase: string | undefined;
}

/** A file that changes under every write: rather try again later than turn in circles. */
const MAX_ROUNDS = 10;
/** Texts beyond this are not kept in memory only to be looked at. In UTF-16 units. */
const MAX_KEPT_LENGTH = 4_000_000;

/**
 * One source and its target. The base of each merge is the source's last revision: so what people added by hand stays,
 * what the source takes away goes, and what both changed is held, with the file keeping what it has (DESIGN §8). Called
 * by one at a time.
 */
export class SourceSync {
  readonly #options: SourceSyncOptions;
  readonly #target: SourceTarget;
  readonly #memory: BranchMemory;
  readonly config: LiveSourceConfig;
  /** What the source says and the file does not have yet, in the modes that ask first. */
  #incoming: Incoming | undefined;
  #conflicts: readonly MergeConflict[] = [];
  #undo: { readonly before: string; readonly after: string; readonly heldBase: string | undefined } | undefined;
  #references: readonly string[] = [];
  #lastChange:
    { readonly before: string; readonly after: string; readonly changes: readonly ElementChange[] } | undefined;
  /** What the file was when its held elements were last looked at. */
  #heldStamp: string | undefined;

  constructor(config: LiveSourceConfig, options: SourceSyncOptions) {
    this.config = config;
    this.#options = options;
    this.#target = new SourceTarget(config.target, options);
    this.#memory = new BranchMemory({
      sourceId: config.id,
      target: config.target,
      store: options.memories,
      branch: () => options.git.branch(),
      onOtherBranch: () => {
        this.#incoming = undefined;
        this.#undo = undefined;
      },
    });
  }

  /** Absolute path of the target. */
  get file(): string {
    return this.#target.file;
  }

  /** Elements that the source and people changed in ways that cannot both stand; the file has what people made. */
  get conflicts(): readonly MergeConflict[] {
    return this.#conflicts;
  }

  /** Relative paths, as written, of the files that the target refers to. */
  get references(): readonly string[] {
    return this.#references;
  }

  /** When the source's side of the conflicts came, in wall-clock milliseconds. */
  get mergedAt(): number | undefined {
    return this.#memory.latest?.mergedAt;
  }

  get canUndo(): boolean {
    return this.#undo !== undefined;
  }

  /** What was merged last may have been merged by another window, into its own copy. */
  forget(): void {
    this.#memory.forget();
    this.#conflicts = [];
    this.#lastChange = undefined;
    this.#heldStamp = undefined;
  }

  /** Names what the file reads as; undefined where it cannot be read now. */
  async targetHash(): Promise<RevisionHash | undefined> {
    const working = await this.#target.text();
    return working === undefined ? undefined : this.#options.ambient.hashText(working.text);
  }

  /** Asks the source and brings the file in step, as far as its mode says. @param isByPerson then a target that was deleted is made again. */
  async attempt(isByPerson: boolean, signal: AbortSignal): Promise<SourceAttempt> {
    const busy = await this.#gitBusy();
    if (busy !== undefined) return busy;
    const memory = await this.#memory.load();
    const madeWith = madeWithOf(this.config);
    const last = this.#incoming ?? memory;
    const known = last?.madeWith === madeWith ? last : undefined;
    const answer = await this.#options.read(
      this.config,
      { etag: known?.etag, lastModified: known?.lastModified },
      signal,
    );
    if (answer.kind === 'failed') return answer;
    let incoming: Incoming;
    if (answer.kind === 'notModified') {
      if (known === undefined) return notModifiedWithoutReason(sourceName(this.config));
      incoming = known;
    } else {
      const { etag, lastModified, text } = answer;
      const answerHash = this.#options.ambient.hashText(text);
      if (known?.answerHash === answerHash) {
        incoming = { ...known, etag, lastModified };
      } else {
        const translated = await this.#options.texts.translate(text, await this.#translation());
        if (translated.value === undefined)
          return unusable(
            sourceName(this.config),
            translated.problems[0] ?? { code: 'answer-unreadable', message: 'with a text that cannot be read' },
          );
        incoming = { revision: translated.value, answerHash, etag, lastModified, madeWith };
      }
    }
    if (signal.aborted) return aborted;
    const settled = await this.#settled(memory, incoming, isByPerson);
    if (settled !== undefined) return settled;
    if (this.config.mode !== 'auto' && incoming.revision !== memory?.revision) {
      const draft = await this.#draft(incoming);
      if ('kind' in draft) return draft;
      if (draft.merged.text !== draft.working?.text) {
        this.#incoming = incoming;
        return { kind: 'changesWaiting', changes: await this.#changesOf(draft) };
      }
    }
    return await this.#mergeIn(incoming, isByPerson, signal);
  }

  /** What the file reads as, and would read as with what waits; else what the last change made of it. */
  async preview(): Promise<SourcePreview | undefined> {
    const incoming = this.#incoming;
    const draft = incoming === undefined ? undefined : await this.#draft(incoming);
    if (draft === undefined || 'kind' in draft) {
      const last = this.#lastChange;
      return last === undefined
        ? undefined
        : { kind: 'done', file: this.file, ...last, conflictCount: this.#conflicts.length };
    }
    const { text: after, conflicts } = draft.merged;
    const changes = await this.#changesOf(draft);
    return {
      kind: 'waiting',
      file: this.file,
      before: draft.working?.text ?? '',
      after,
      changes,
      conflictCount: conflicts.length,
    };
  }

  /** Merges what waits into the file. */
  async apply(): Promise<SourceAttempt> {
    if (this.#incoming === undefined) return { kind: 'unchanged', changes: [] };
    return (await this.#gitBusy()) ?? (await this.#mergeIn(this.#incoming, true, new AbortController().signal));
  }

  /** @param shown the conflict as the person saw it. Answers what stood in the way. */
  async resolve(resolutions: Resolutions): Promise<UserProblem | undefined> {
    const shown = this.#conflicts.filter(({ id }) => resolutions.has(id));
    const memory = await this.#memory.load();
    const base = memory?.heldBase;
    if (shown.length < resolutions.size || memory === undefined || base === undefined) return conflictGone;
    const reading = await this.#target.text();
    if (reading === undefined) return conflictGone;
    const { conflicts } = await this.#merge(base, reading.text, memory.revision);
    const now = new Map(conflicts.map((conflict) => [conflict.id, conflict]));
    if (shown.some(({ id }) => !now.has(id))) return conflictGone;
    // A choice counts for what was shown: a newer text of either side must not go with it.
    if (shown.some((conflict) => !isSameClash(conflict, now.get(conflict.id)))) return conflictChanged;
    const merged = await this.#merge(base, reading.text, memory.revision, { resolutions });
    if (hasError(merged) || merged.conflicts.some(({ id }) => resolutions.has(id))) return notResolved;
    const written = await this.#target.write(reading, merged.text, sourceName(this.config));
    if (written.kind !== 'written') return choiceNotWritten(written);
    await this.#memory.save({
      ...memory,
      ...heldOf(merged, memory.revision),
      resultHash: this.#options.ambient.hashText(merged.text),
    });
    this.#conflicts = merged.conflicts;
    this.#undo = { before: reading.text, after: merged.text, heldBase: base };
    return undefined;
  }

  /** What is held, as it is now; undefined where nothing is. */
  async heldDocument(): Promise<HeldDocument | undefined> {
    const memory = await this.#memory.load();
    const base = memory?.heldBase;
    const reading = await this.#target.text();
    if (memory === undefined || base === undefined || reading === undefined) return undefined;
    const input = { base, ours: reading.text, theirs: memory.revision };
    return { input, format: this.#format, conflicts: this.#conflicts };
  }

  /** Takes the last choice back, if nothing has changed since. */
  async undoResolution(): Promise<UserProblem | undefined> {
    const undo = this.#undo;
    const memory = await this.#memory.load();
    const reading = await this.#target.text();
    if (undo === undefined || memory === undefined || reading?.text !== undo.after) return changedSince;
    const held = await this.#merge(undo.heldBase ?? memory.revision, undo.before, memory.revision);
    const written = await this.#target.write(reading, undo.before, sourceName(this.config));
    if (written.kind !== 'written') return choiceNotWritten(written);
    await this.#memory.save({
      ...memory,
      heldBase: undo.heldBase,
      resultHash: this.#options.ambient.hashText(undo.before),
    });
    this.#conflicts = held.conflicts;
    this.#undo = undefined;
    return undefined;
  }

  // ---- merging ----

  get #format(): DocumentFormat {
    return /\.json$/i.test(this.config.target) ? 'json' : 'yaml';
  }

  /** What is new comes in the indentation that the file has. */
  async #translation(): Promise<TranslateOptions> {
    const indent = indentOf((await this.#target.text())?.text ?? '');
    return { format: this.#format, include: this.config.include, exclude: this.config.exclude, indent };
  }

  /** Where the source says what it said before and nothing is held, the file need not be read: what people change in it is theirs. */
  async #settled(
    memory: SourceMemory | undefined,
    incoming: Incoming,
    isByPerson: boolean,
  ): Promise<SourceAttempt | undefined> {
    if (memory?.revision !== incoming.revision || memory.madeWith !== incoming.madeWith) return undefined;
    const stamp = await this.#target.stamp();
    if (stamp === undefined) return isByPerson ? undefined : targetMissing(this.config.target);
    if (memory.heldBase !== undefined && stamp !== this.#heldStamp) {
      this.#heldStamp = stamp;
      return undefined;
    }
    // A server may give each answer another validator; the next question is answered with a few bytes if it is the newest.
    this.#memory.keepInMind(incoming);
    this.#incoming = undefined;
    return { kind: 'unchanged', changes: [] };
  }

  async #mergeIn(incoming: Incoming, isByPerson: boolean, signal: AbortSignal): Promise<SourceAttempt> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const draft = await this.#draft(incoming);
      if ('kind' in draft) return draft;
      const { working, merged, heldBase } = draft;
      const memory = await this.#memory.load();
      if (working === undefined && memory !== undefined && !isByPerson) return targetMissing(this.config.target);
      // The merge may have taken its time.
      const busy = await this.#gitBusy();
      if (busy !== undefined) return busy;
      if (signal.aborted) return aborted;
      if (merged.text !== working?.text) {
        const written = await this.#target.write(working, merged.text, sourceName(this.config));
        if (written.kind === 'changed') continue;
        if (written.kind === 'unsaved') return unsaved(this.config.target);
        if (written.kind === 'failed')
          return { kind: 'failed', problem: written.problem, canRetry: true, isServerDown: false };
      }
      const isNews =
        memory?.revision !== incoming.revision || memory.heldBase !== heldBase || memory.madeWith !== incoming.madeWith;
      if (isNews || merged.text !== working?.text) {
        await this.#memory.save({
          ...incoming,
          heldBase,
          resultHash: this.#options.ambient.hashText(merged.text),
          mergedAt: this.#options.ambient.clock.wallNow(),
        });
        this.#references = await this.#options.texts.references(merged.text, this.#format);
      }
      this.#incoming = undefined;
      this.#conflicts = merged.conflicts;
      this.#target.hasBecome(merged.text);
      const changes = await this.#changesOf(draft);
      if (merged.text === working?.text) return { kind: 'unchanged', changes };
      const before = working?.text ?? '';
      const isSmall = before.length + merged.text.length <= MAX_KEPT_LENGTH;
      this.#lastChange = isSmall ? { before, after: merged.text, changes } : undefined;
      return { kind: 'changed', changes };
    }
    return targetBusy(this.config.target);
  }

  async #draft(incoming: Incoming): Promise<Draft | SourceAttempt> {
    if (this.#options.files.hasUnsavedEdits(this.file)) return unsaved(this.config.target);
    const working = await this.#target.read();
    if (working !== undefined && 'problem' in working)
      return { kind: 'failed', problem: working.problem, canRetry: true, isServerDown: false };
    const { revision } = incoming;
    if (working === undefined)
      return {
        working,
        merged: { text: revision, conflicts: [], problems: [], nextBase: revision, renames: [], takenBy: 'equal' },
        heldBase: undefined,
      };
    const memory =
      (await this.#memory.load()) ?? (await this.#memory.ofOtherBranch(this.#options.ambient.hashText(working.text)));
    const { base, theirs } = await this.#sidesOf(memory, working.text, incoming);
    const merged = await this.#merge(base, working.text, theirs);
    if (hasError(merged)) {
      const [problem] = merged.problems;
      return targetUnreadable(this.config.target, problem?.message ?? '');
    }
    return { working, merged, heldBase: heldOf(merged, theirs).heldBase };
  }

  async #sidesOf(
    memory: SourceMemory | undefined,
    ours: string,
    incoming: Incoming,
  ): Promise<{ readonly base: string; readonly theirs: string }> {
    const theirs = incoming.revision;
    if (memory === undefined) return await this.#options.texts.firstContact(ours, theirs, this.#format);
    const base = memory.heldBase ?? memory.revision;
    if (memory.madeWith === incoming.madeWith) return { base, theirs };
    // What the selection leaves out now is no concern of the source any more: it is not taken away either.
    const narrowed = await this.#options.texts.translate(base, await this.#translation());
    return { base: narrowed.value ?? base, theirs };
  }

  #merge(base: string, ours: string, theirs: string, options: MergeOptions = {}): Promise<MergeResult> {
    const { infoVersion } = this.#options;
    return this.#options.merger.merge({ base, ours, theirs }, this.#format, { infoVersion, ...options });
  }

  async #changesOf({ working, merged }: Draft): Promise<readonly ElementChange[]> {
    return merged.text === working?.text
      ? []
      : await this.#options.texts.compare(working?.text ?? '', merged.text, this.#format);
  }

  async #gitBusy(): Promise<SourceAttempt | undefined> {
    const activity = await this.#options.git.activity();
    if (activity === undefined) return undefined;
    const problem = { code: 'git-at-work', message: `It waits: ${activity}.`, remedy: 'It goes on by itself.' };
    return { kind: 'waiting', problem, isForSave: false };
  }
}

/** Everything of a config that a revision depends on. */
function madeWithOf({ url, file, target, include, exclude }: LiveSourceConfig): string {
  return JSON.stringify([url, file, /\.json$/i.test(target), include, exclude]);
}

function heldOf(merged: MergeResult, theirs: string): { readonly heldBase: string | undefined } {
  return { heldBase: merged.conflicts.length === 0 || merged.nextBase === theirs ? undefined : merged.nextBase };
}
