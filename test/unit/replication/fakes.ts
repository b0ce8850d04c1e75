import { createHash } from 'node:crypto';
import type { DocId, LogIndex, PeerId, ProposalId, RevisionHash } from '../../../src/core/ids.ts';
import type { Ambient, Disposable, Logger } from '../../../src/core/ports.ts';
import { documentEntries } from '../../../src/core/replication/bulkEntry.ts';
import type { Author, DocumentEntry, DocumentHead, LogEntry, Proposal } from '../../../src/core/replication/entry.ts';
import type { EntrySink, PeerInfo } from '../../../src/core/replication/libraryLink.ts';
import { applyPatch } from '../../../src/core/replication/applyPatch.ts';

export function hashOf(text: string): RevisionHash {
  return createHash('sha256').update(text, 'utf8').digest('hex') as RevisionHash;
}

export const silentLogger: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Remembers what was logged at `warn` and above. */
export function createRecordingLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const record = (level: string) => (message: string, fields?: object) =>
    lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  return { ...silentLogger, lines, warn: record('warn'), error: record('error') };
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until a test moves it, and the timers that hang on it. */
export class FakeTime {
  now = 1_000;
  /** Added to `now` for the wall clock only. */
  wallOffset = 1_700_000_000_000;
  #order = 0;
  readonly #timers = new Set<Timer>();

  get pendingTimers(): number {
    return this.#timers.size;
  }

  readonly clock = { wallNow: () => this.now + this.wallOffset, monotonicNow: () => this.now };

  readonly scheduler = {
    after: (delayMs: number, run: () => void): Disposable => {
      this.#order += 1;
      const timer = { at: this.now + delayMs, order: this.#order, run };
      this.#timers.add(timer);
      return { dispose: () => this.#timers.delete(timer) };
    },
  };

  /** Lets what is due run, in order, and what comes of it settle; then the same for what becomes due until the time is over. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    await settle();
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.now = Math.max(this.now, next.at);
      next.run();
      await settle();
    }
    this.now = end;
  }
}

/** Lets promises that wait for nothing outside run to their end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Deterministic everything. */
export function createFakeAmbient(time: FakeTime, logger: Logger = silentLogger): Ambient {
  let count = 0;
  return {
    clock: time.clock,
    scheduler: time.scheduler,
    random: {
      uuid: () => {
        count += 1;
        return `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`;
      },
      fraction: () => 0.5,
    },
    hashText: hashOf,
    logger,
  };
}

export function peerInfo(name: string): PeerInfo {
  return { peerId: `peer-${name}` as PeerId, name, folderName: `${name}-folder` };
}

export function authorOf(name: string): Author {
  return { peerId: `peer-${name}` as PeerId, name };
}

let counter = 0;

export function nextProposalId(replica: string): ProposalId {
  counter += 1;
  return `replica-${replica}:${String(counter)}` as ProposalId;
}

export function createOf(replica: string, docId: string, path: string, text: string): Proposal {
  return {
    proposalId: nextProposalId(replica),
    docId: docId as DocId,
    kind: 'create',
    baseHash: undefined,
    hash: hashOf(text),
    patch: [{ offset: 0, deleteCount: 0, insert: text }],
    path,
    changes: [`added ${path}`],
  };
}

/** Replaces the whole text: the smallest thing that is an edit. */
export function editOf(replica: string, docId: string, before: string, after: string): Proposal {
  return {
    proposalId: nextProposalId(replica),
    docId: docId as DocId,
    kind: 'edit',
    baseHash: hashOf(before),
    hash: hashOf(after),
    patch: [{ offset: 0, deleteCount: before.length, insert: after }],
    changes: ['changed'],
  };
}

export function deleteOf(replica: string, docId: string, path: string, text: string): Proposal {
  return {
    proposalId: nextProposalId(replica),
    docId: docId as DocId,
    kind: 'delete',
    baseHash: hashOf(text),
    hash: undefined,
    patch: [],
    basePath: path,
    changes: [`deleted ${path}`],
  };
}

export function renameOf(replica: string, docId: string, from: string, to: string, text: string): Proposal {
  return {
    proposalId: nextProposalId(replica),
    docId: docId as DocId,
    kind: 'rename',
    baseHash: hashOf(text),
    hash: hashOf(text),
    patch: [],
    path: to,
    basePath: from,
    changes: [`renamed ${from}`],
  };
}

/** A replica that only remembers: the texts that the entries lead to, and how it was called. */
export class RecordingSink implements EntrySink {
  index = 0 as LogIndex;
  runningHash: string | undefined = '';
  readonly applied: LogEntry[] = [];
  readonly headCalls: { readonly heads: readonly DocumentHead[]; readonly index: LogIndex }[] = [];
  readonly texts = new Map<DocId, string>();
  concurrent = 0;
  maxConcurrent = 0;
  /** Called before an entry is taken in; throw or wait here. */
  beforeApply: (entry: LogEntry) => Promise<void> | void = () => undefined;

  lastSyncedIndex(): LogIndex {
    return this.index;
  }

  lastSyncedHash(): string | undefined {
    return this.runningHash;
  }

  async applySyncEntry(entry: LogEntry, runningHash?: string): Promise<void> {
    this.concurrent += 1;
    this.maxConcurrent = Math.max(this.maxConcurrent, this.concurrent);
    try {
      await this.beforeApply(entry);
      this.applied.push(entry);
      for (const change of documentEntries(entry)) {
        const { kind, docId, patch } = change;
        if (kind === 'delete') this.texts.delete(docId);
        else {
          const patched = applyPatch(kind === 'create' ? '' : (this.texts.get(docId) ?? ''), patch);
          if (patched.value !== undefined) this.texts.set(docId, patched.value);
        }
      }
      this.index = entry.index;
      this.runningHash = runningHash;
    } finally {
      this.concurrent -= 1;
    }
  }

  applyHeads(heads: readonly DocumentHead[], index: LogIndex, runningHash?: string): Promise<void> {
    this.headCalls.push({ heads, index });
    this.index = index;
    this.runningHash = runningHash;
    return Promise.resolve();
  }
}

/** Resolves when the condition holds; looks again after whatever happens next, for at most `timeoutMs` of real time. */
export async function until(condition: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The changes of single documents in an entry as a log gives it; none where it cannot be read. */
export function changesIn(entry: LogEntry | undefined): readonly DocumentEntry[] {
  return entry === undefined ? [] : documentEntries(entry);
}
