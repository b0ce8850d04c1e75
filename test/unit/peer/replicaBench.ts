import { Emitter } from '../../../src/core/event.ts';
import assert from 'node:assert/strict';
import type { DocId, LogIndex, PeerId, ProposalId, RevisionHash } from '../../../src/core/ids.ts';
import { bulkEdits } from '../../../src/core/replication/bulkEntry.ts';
import type {
  BulkProposal,
  DocumentEntry,
  DocumentHead,
  Proposal,
  ProposeResult,
} from '../../../src/core/replication/entry.ts';
import type { HeadsReason, LibraryLink, LinkStatus } from '../../../src/core/replication/libraryLink.ts';
import type { StoredRevision } from '../../../src/core/replication/replicaStore.ts';
import { Replica } from '../../../src/peer/replica/replica.ts';
import type { CommittedTexts, GitText } from '../../../src/peer/replica/replicaPorts.ts';
import { createInlineMerger } from '../../simulation/replica/inlineMerger.ts';
import { KeptBulks } from '../../simulation/replica/keptBulks.ts';
import { SimulatedFolder } from '../../simulation/replica/simulatedFolder.ts';
import { openStore, StoreDisk } from '../../simulation/replica/simulatedStore.ts';
import { SeededRandom } from '../../simulation/seededRandom.ts';
import { SimulatedProcess } from '../../simulation/simulatedProcess.ts';
import { VirtualTime } from '../../simulation/virtualTime.ts';
import { hashOf } from '../replication/fakes.ts';

export const PATH = 'openapi.yaml';
export const DOC = 'doc-1' as DocId;
const LIMIT_MS = 60_000;

/** An API with one path for each summary. */
export function spec(...summaries: readonly string[]): string {
  const paths = summaries.map((summary) => `  /${summary}:\n    get:\n      summary: ${summary}\n`).join('');
  return `openapi: 3.1.0\ninfo:\n  title: Pets\n  version: 1.0.0\npaths:\n${paths}`;
}

export function revision(text: string, index: number): StoredRevision {
  return { text, hash: hashOf(text), index: index as LogIndex };
}

export function headOf({ hash, index }: StoredRevision, docId: DocId = DOC): DocumentHead {
  return { docId, path: PATH, hash, index, author: { peerId: 'bob' as PeerId, name: 'bob' }, at: 0 };
}

/** Somebody's edit, or with `proposalId` one of this replica's. */
export function entryOf(
  before: StoredRevision | undefined,
  next: StoredRevision,
  proposalId = 'replica-bob:1',
): DocumentEntry {
  return {
    index: next.index,
    term: { number: 1, leaderId: 'bob' as PeerId },
    proposalId: proposalId as ProposalId,
    docId: DOC,
    kind: 'edit',
    baseHash: before?.hash,
    hash: next.hash,
    patch: [{ offset: 0, deleteCount: before?.text.length ?? 0, insert: next.text }],
    changes: [],
    author: { peerId: 'bob' as PeerId, name: 'bob' },
    at: 0,
  };
}

/** The commit from which the other side's document came, in this clone as in theirs. */
export const ORIGIN_COMMIT = 'c'.repeat(40);

/** One replica with one document, in front of a library that says what the test wants. */
export class ReplicaBench {
  readonly time = new VirtualTime();
  readonly store = new StoreDisk('alice');
  readonly folder: SimulatedFolder;
  readonly proposed: Proposal[] = [];
  readonly bulks: BulkProposal[] = [];
  /** What happens while git is asked what has made a bulk. */
  beforeOrigin: () => void = () => undefined;
  /** More edits than these in one burst go together. */
  bulkDocuments = 20;
  readonly revisions = new Map<RevisionHash, string>();
  /** Revisions that the library was asked for. */
  readonly fetched: RevisionHash[] = [];
  /** What happens in the library before it answers the next of these questions. */
  beforeRevision: () => void = () => undefined;
  /** The document's revisions, oldest first; all but the first are somebody else's. */
  history: readonly string[] = [];
  /** The log's entries of the document, oldest first, as far as it still has them. */
  readonly entries: DocumentEntry[] = [];
  /** The entries that have come in. */
  readonly taken: DocumentEntry[] = [];
  /** What git has committed, newest first; undefined outside of git. A test that changes it changes the stamp too. */
  git:
    | {
        readonly stamp: string;
        readonly versions: readonly string[];
        readonly atMergeBase?: string;
        readonly lastSeen?: GitText | undefined;
        readonly textsAt?: (commit: string, files: readonly string[]) => ReadonlyMap<string, string>;
      }
    | undefined;
  /** How often the folder was searched. */
  searches = 0;
  /** How often the layout was asked where a copy lies. */
  placesAsked = 0;
  /** What files are by themselves. */
  readonly kinds = new Map<string, 'root' | 'other'>();
  heads: readonly DocumentHead[] = [];
  answer: (proposal: Proposal) => ProposeResult | Promise<ProposeResult> = () => ({
    kind: 'committed',
    index: 99 as LogIndex,
  });
  /** A file is about to be read. */
  beforeReading: () => Promise<void> = () => Promise.resolve();
  /** The program has written the document's file. */
  onWritten: () => void = () => undefined;
  readonly #bulks = new KeptBulks();
  #runs = 0;
  readonly #process: SimulatedProcess;
  readonly #statusChanged = new Emitter<LinkStatus>((error) => assert.fail(String(error)));
  #status: LinkStatus = {
    connection: 'connected',
    role: 'follower',
    term: { number: 1, leaderId: 'bob' as PeerId },
    peers: [],
    lastIndex: 0 as LogIndex,
  };

  constructor(file: string, shadow: StoredRevision) {
    this.#process = new SimulatedProcess('alice', this.time, new SeededRandom(1));
    const nothing = (): void => undefined;
    this.folder = new SimulatedFolder('alice', {
      onWriting: nothing,
      onMoved: nothing,
      onWritten: () => this.onWritten(),
      fail: (what) => assert.fail(what),
    });
    this.folder.put(PATH, file);
    this.store.synced = { index: shadow.index, runningHash: hashOf('somewhere') };
    this.store.documents.set(DOC, {
      docId: DOC,
      libraryPath: PATH,
      localPath: PATH,
      shadow,
      heldBase: undefined,
      head: shadow,
      attribution: {},
    });
  }

  /** The file’s text, or another, was sent by an earlier run, and nobody knows what became of it. */
  putInFlight(base: StoredRevision, text = this.folder.text(PATH) ?? '', heldBase?: string): void {
    const proposal: Proposal = {
      proposalId: 'replica-alice:1' as ProposalId,
      docId: DOC,
      kind: 'edit',
      baseHash: base.hash,
      hash: hashOf(text),
      patch: [{ offset: 0, deleteCount: base.text.length, insert: text }],
      changes: [],
    };
    this.store.outbox.set(proposal.proposalId, { proposal, text, heldBase });
    this.store.nextProposalNumber = 2;
  }

  async open(): Promise<Replica> {
    const view = this.folder.open(this.#process, () => undefined);
    const opening = Replica.open({
      ambient: this.#process.ambient,
      runName: `run${String((this.#runs += 1))}`,
      files: view.files,
      store: openStore(this.store, this.#process, () => undefined),
      merger: createInlineMerger(this.#process, () => 0),
      reader: {
        read: async (file, savedText, agreedText) => {
          await this.beforeReading();
          return await view.reader.read(file, savedText, agreedText);
        },
      },
      guard: view.guard,
      watcher: view.watcher,
      layout: {
        ...view.layout,
        fileOf: (localPath) => {
          this.placesAsked += 1;
          return view.layout.fileOf(localPath);
        },
      },
      committed: this.#committed(),
      bulkDocuments: this.bulkDocuments,
      bulkOrigin: () => {
        this.beforeOrigin();
        return Promise.resolve({ reason: 'generator' });
      },
      bulkMemory: this.#bulks,
      infoVersion: 'ask',
      discover: () => {
        this.searches += 1;
        return view.discover();
      },
      inspect: (file) => Promise.resolve(this.kinds.get(file) ?? 'unclear'),
    });
    const replica = await this.until(opening);
    await this.until(replica.start(this.#link()));
    return replica;
  }

  /** What `committed` asks of git; the test changes `git` under it. */
  #committed(): CommittedTexts | undefined {
    if (this.git === undefined) return undefined;
    const versions = (): readonly string[] => this.git?.versions ?? [];
    return {
      stamp: () => Promise.resolve(this.git?.stamp ?? ''),
      head: () => Promise.resolve(undefined),
      lastSeen: () => Promise.resolve(this.git?.lastSeen),
      committedText: () => Promise.resolve(versions()[0]),
      versions: async function* () {
        yield* await Promise.resolve(versions());
      },
      textsAt: (commit, files) => Promise.resolve(this.git?.textsAt?.(commit, files) ?? new Map<string, string>()),
      textAtMergeBase: (_file, commit) => Promise.resolve(commit === ORIGIN_COMMIT ? this.git?.atMergeBase : undefined),
    };
  }

  /** Somebody else's change that is in the log already. Gives the revision that it leads to. */
  addToHistory(before: StoredRevision | undefined, text: string, changes: readonly string[] = []): StoredRevision {
    const next = revision(text, (before?.index ?? 0) + 1);
    const entry = { ...entryOf(before, next, 'replica-bob:1'), changes };
    this.entries.push(before === undefined ? { ...entry, kind: 'create', path: PATH } : entry);
    this.revisions.set(next.hash, text);
    return next;
  }

  /** Lets simulated time pass until the promise is settled. */
  async until<T>(work: Promise<T>): Promise<T> {
    const settled = { isSo: false };
    const settle = (): void => {
      settled.isSo = true;
    };
    work.then(settle, settle);
    const end = this.time.now + LIMIT_MS;
    do {
      // What was begun may have nothing to wait for but itself.
      await new Promise((resolve) => setImmediate(resolve));
    } while (!settled.isSo && (await this.time.step(end)));
    assert.ok(settled.isSo, 'came to an end');
    return await work;
  }

  /** Lets simulated time pass until the condition holds. */
  async untilTrue(condition: () => boolean): Promise<void> {
    const end = this.time.now + LIMIT_MS;
    do await new Promise((resolve) => setImmediate(resolve));
    while (!condition() && (await this.time.step(end)));
    assert.ok(condition(), 'came true');
  }

  /** The log's next entry: somebody else's, or with `proposalId` a proposal of this replica. Gives the revision that it leads to. */
  async takeEntry(
    replica: Replica,
    before: StoredRevision,
    text: string,
    proposalId = 'replica-bob:1',
  ): Promise<StoredRevision> {
    const next = revision(text, before.index + 1);
    await this.#take(replica, entryOf(before, next, proposalId));
    return next;
  }

  /** The same, with the next one known to be there: nothing has to come of it yet. */
  async takeFollowedEntry(replica: Replica, before: StoredRevision, text: string): Promise<StoredRevision> {
    const next = revision(text, before.index + 1);
    this.taken.push(entryOf(before, next, 'replica-bob:1'));
    await this.until(replica.applySyncEntry(entryOf(before, next, 'replica-bob:1'), hashOf('on the way'), true));
    return next;
  }

  /** Entries that come one right after the other, each known to follow. Nothing has to come of them yet. */
  async takeTogether(replica: Replica, entries: readonly DocumentEntry[]): Promise<void> {
    for (const [at, entry] of entries.entries()) {
      this.taken.push(entry);
      const isFollowed = at < entries.length - 1;
      await this.until(replica.applySyncEntry(entry, hashOf(`log at ${String(entry.index)}`), isFollowed));
    }
    await this.rest(replica);
  }

  /** The next of `entries`. */
  async takeFromHistory(replica: Replica, index: number): Promise<void> {
    const entry = this.entries.find((one) => one.index === index);
    assert.ok(entry !== undefined);
    await this.#take(replica, entry);
  }

  /** The folder has never been in step. */
  forgetAll(): void {
    this.store.documents.clear();
    this.store.synced = { index: 0 as LogIndex, runningHash: undefined };
  }

  /** The files that there are. */
  paths(): readonly string[] {
    return [...this.folder.files.keys()];
  }

  /** The log's next entry renames the document: somebody else's doing, or with `proposalId` of this replica's. */
  async takeRename(
    replica: Replica,
    before: StoredRevision,
    path: string,
    proposalId: ProposalId = 'replica-bob:1' as ProposalId,
    docId: DocId = DOC,
  ): Promise<void> {
    await this.#take(replica, {
      ...entryOf(before, revision(before.text, before.index + 1), proposalId),
      docId,
      kind: 'rename',
      patch: [],
      path,
    });
  }

  async takeDeletion(replica: Replica, before: StoredRevision): Promise<void> {
    const entry = entryOf(before, revision(before.text, before.index + 1), 'replica-bob:1');
    await this.#take(replica, { ...entry, kind: 'delete', patch: [], hash: undefined });
  }

  /** Somebody creates another document. */
  async takeCreate(
    replica: Replica,
    created: { readonly docId: DocId; readonly path: string; readonly text: string; readonly index: LogIndex },
  ): Promise<void> {
    const { docId, path, text, index } = created;
    const entry = entryOf(undefined, revision(text, index), 'replica-bob:1');
    await this.#take(replica, { ...entry, kind: 'create', docId, path });
  }

  async #take(replica: Replica, entry: DocumentEntry): Promise<void> {
    this.taken.push(entry);
    await this.until(replica.applySyncEntry(entry, hashOf(`log at ${String(entry.index)}`)));
    await this.rest(replica);
  }

  /** Lets everything that is under way come to its end. */
  async rest(replica: Replica): Promise<void> {
    await this.until(replica.syncNow(5_000));
  }

  async takeHeads(replica: Replica, heads: readonly DocumentHead[], index: number, why: HeadsReason): Promise<void> {
    await this.until(replica.applyHeads(heads, index as LogIndex, hashOf('another log'), why));
    await this.rest(replica);
  }

  /** The leader is not there any more. */
  disconnect(): void {
    this.#status = { ...this.#status, connection: 'connecting' };
    this.#statusChanged.fire(this.#status);
  }

  #link(): LibraryLink {
    const status = (): LinkStatus => this.#status;
    return {
      get status() {
        return status();
      },
      onDidChangeStatus: this.#statusChanged.event,
      propose: (proposal) => {
        this.proposed.push(proposal);
        return Promise.resolve(this.answer(proposal));
      },
      proposeBulk: (bulk) => {
        this.bulks.push(bulk);
        return Promise.all(bulkEdits(bulk).map(async (edit) => await this.answer(edit)));
      },
      fetchHeads: () => Promise.resolve(this.heads),
      fetchRevision: (_docId, hash) => {
        this.fetched.push(hash);
        this.beforeRevision();
        return Promise.resolve(this.revisions.get(hash));
      },
      fetchHistory: () =>
        Promise.resolve(
          this.entries.length > 0
            ? [...this.entries].reverse()
            : this.history.map((text, at) => entryOf(undefined, revision(text, at + 1), 'replica-bob:1')).reverse(),
        ),
      dispose: () => undefined,
    };
  }
}
