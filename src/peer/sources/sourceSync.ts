import type { RevisionHash } from '../../core/ids.ts';
import type { MergeConflict } from '../../core/merge/types.ts';
import type { ElementChange } from '../../core/sources/elementChange.ts';
import { type LiveSourceConfig, sourceName } from '../../core/sources/liveSourceConfig.ts';
import type { SourceMemory, SourceMemoryStore } from '../../core/sources/sourceMemory.ts';
import type { SourceTexts } from '../../core/sources/sourceTexts.ts';
import type { SpecAnswer } from '../../core/sources/specFetcher.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import type { PeerSettings, Resolutions } from '../folderSession.ts';
import type { HeldDocument } from '../heldDocument.ts';
import { BranchMemory } from './branchMemory.ts';
import type { SourcePreview } from './liveSyncService.ts';
import { failedAttempt, type SourceAttempt } from './sourceAttempt.ts';
import { SourceChoices } from './sourceChoices.ts';
import { type Incoming, SourceDrafts } from './sourceDrafts.ts';
import {
  cancelled,
  gitAtWork,
  notModifiedWithoutReason,
  targetBusy,
  targetMissing,
  unsaved,
  unusable,
} from './sourceProblems.ts';
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

/** A file that changes under every write: rather try again later than turn in circles. */
const MAX_ROUNDS = 10;
/** Texts beyond this are not kept in memory only to be looked at. In UTF-16 units. */
const MAX_KEPT_LENGTH = 4_000_000;

/** One source and its target: asks it, and brings the file in step as far as its mode says. Called by one at a time. */
export class SourceSync {
  readonly #options: SourceSyncOptions;
  readonly #target: SourceTarget;
  readonly #memory: BranchMemory;
  readonly #drafts: SourceDrafts;
  readonly #choices: SourceChoices;
  readonly config: LiveSourceConfig;
  /** What the source says and the file does not have yet, in the modes that ask first. */
  #incoming: Incoming | undefined;
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
        this.#choices.forgetUndo();
      },
    });
    this.#drafts = new SourceDrafts({ ...options, config, target: this.#target, memory: this.#memory });
    this.#choices = new SourceChoices({
      name: sourceName(config),
      target: this.#target,
      memory: this.#memory,
      drafts: this.#drafts,
      hashText: options.ambient.hashText,
    });
  }

  /** Absolute path of the target. */
  get file(): string {
    return this.#target.file;
  }

  /** Elements that the source and people changed in ways that cannot both stand; the file has what people made. */
  get conflicts(): readonly MergeConflict[] {
    return this.#choices.conflicts;
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
    return this.#choices.canUndo;
  }

  /** What was merged last may have been merged by another window, into its own copy. */
  forget(): void {
    this.#memory.forget();
    this.#choices.found([]);
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
    const incoming = await this.#incomingOf(answer, known, madeWith);
    if ('kind' in incoming) return incoming;
    if (signal.aborted) return failedAttempt(cancelled, false);
    const settled = await this.#settled(memory, incoming, isByPerson);
    if (settled !== undefined) return settled;
    if (this.config.mode !== 'auto' && incoming.revision !== memory?.revision) {
      const draft = await this.#drafts.draft(incoming);
      if ('kind' in draft) return draft;
      if (draft.merged.text !== draft.working?.text) {
        this.#incoming = incoming;
        return { kind: 'changesWaiting', changes: await this.#drafts.changesOf(draft) };
      }
    }
    return await this.#mergeIn(incoming, isByPerson, signal);
  }

  /** What the file reads as, and would read as with what waits; else what the last change made of it. */
  async preview(): Promise<SourcePreview | undefined> {
    const incoming = this.#incoming;
    const draft = incoming === undefined ? undefined : await this.#drafts.draft(incoming);
    if (draft === undefined || 'kind' in draft) {
      const last = this.#lastChange;
      return last === undefined
        ? undefined
        : { kind: 'done', file: this.file, ...last, conflictCount: this.conflicts.length };
    }
    const { text: after, conflicts } = draft.merged;
    const changes = await this.#drafts.changesOf(draft);
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

  /** See `SourceChoices`. */
  resolve(resolutions: Resolutions): Promise<UserProblem | undefined> {
    return this.#choices.resolve(resolutions);
  }

  heldDocument(): Promise<HeldDocument | undefined> {
    return this.#choices.heldDocument();
  }

  undoResolution(): Promise<UserProblem | undefined> {
    return this.#choices.undo();
  }

  // ---- merging ----

  /** The revision that an answer comes to; an attempt where it comes to none. @param known what was made of the last one. */
  async #incomingOf(
    answer: Exclude<SpecAnswer, { kind: 'failed' }>,
    known: Incoming | undefined,
    madeWith: string,
  ): Promise<Incoming | SourceAttempt> {
    if (answer.kind === 'notModified') return known ?? notModifiedWithoutReason(sourceName(this.config));
    const { etag, lastModified, text } = answer;
    const answerHash = this.#options.ambient.hashText(text);
    if (known?.answerHash === answerHash) return { ...known, etag, lastModified };
    const { value: revision, problems } = await this.#options.texts.translate(text, await this.#drafts.translation());
    if (revision !== undefined) return { revision, answerHash, etag, lastModified, madeWith };
    const [problem = { code: 'answer-unreadable', message: 'with a text that cannot be read' }] = problems;
    return unusable(sourceName(this.config), problem);
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
      const draft = await this.#drafts.draft(incoming);
      if ('kind' in draft) return draft;
      const { working, merged, heldBase } = draft;
      const memory = await this.#memory.load();
      if (working === undefined && memory !== undefined && !isByPerson) return targetMissing(this.config.target);
      // The merge may have taken its time.
      const busy = await this.#gitBusy();
      if (busy !== undefined) return busy;
      if (signal.aborted) return failedAttempt(cancelled, false);
      if (merged.text !== working?.text) {
        const written = await this.#target.write(working, merged.text, sourceName(this.config));
        if (written.kind === 'changed') continue;
        if (written.kind === 'unsaved') return unsaved(this.config.target);
        if (written.kind === 'failed') return failedAttempt(written.problem);
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
        this.#references = await this.#options.texts.references(merged.text, this.#drafts.format);
      }
      this.#incoming = undefined;
      this.#choices.found(merged.conflicts);
      this.#target.hasBecome(merged.text);
      const changes = await this.#drafts.changesOf(draft);
      if (merged.text === working?.text) return { kind: 'unchanged', changes };
      const before = working?.text ?? '';
      const isSmall = before.length + merged.text.length <= MAX_KEPT_LENGTH;
      this.#lastChange = isSmall ? { before, after: merged.text, changes } : undefined;
      return { kind: 'changed', changes };
    }
    return targetBusy(this.config.target);
  }

  async #gitBusy(): Promise<SourceAttempt | undefined> {
    const activity = await this.#options.git.activity();
    return activity === undefined ? undefined : gitAtWork(activity);
  }
}

/** Everything of a config that a revision depends on. */
function madeWithOf({ url, file, target, include, exclude }: LiveSourceConfig): string {
  return JSON.stringify([url, file, /\.json$/i.test(target), include, exclude]);
}
