import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { DocId, LogIndex, PeerId, ProposalId, RevisionHash, Term } from '../../core/ids.ts';
import type { DocumentEntry, DocumentHead, LogEntry } from '../../core/replication/entry.ts';
import type {
  CompactionPolicy,
  HeadText,
  LogPage,
  LogRecord,
  LogState,
  LogReplacement,
  PageLimit,
  ReplicatedLog,
  SkeletonRow,
} from '../../core/replication/replicatedLog.ts';
import { describeError, SyncError } from '../../core/replication/syncError.ts';
import type { LogAnswer, LogCall, LogMethod } from './logCalls.ts';
import { loadSqlite } from './sqlite.ts';

export interface SqliteLogOptions {
  /** The log's file; its folder must be there. */
  readonly path: string;
  /** The worker's program. Default: `logWorker.cjs` beside the running bundle, or the source beside this file. */
  readonly workerPath?: string;
  /** The file has called itself damaged: it is read as a whole before anything is done with it. */
  readonly isSuspect?: boolean;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: SyncError) => void;
}

/** A library's log in SQLite, in a thread of its own: an fsync takes milliseconds, and the editor must not wait for it (I8). */
export class SqliteReplicatedLog implements ReplicatedLog {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextCallId = 1;
  #failure: SyncError | undefined;
  #closed: Promise<void> | undefined;
  #isDamaged = false;
  #putAside: string | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (answer: LogAnswer) => {
      this.#settle(answer);
    });
    worker.on('error', (error) => {
      this.#fail(new SyncError('log-unavailable', `The library's log has stopped: ${describeError(error)}`));
    });
    worker.on('exit', () => {
      this.#fail(new SyncError('closed', 'The log is closed.'));
    });
  }

  /**
   * Opens the log, or makes one where there is none or the file is damaged at sight ([REC-11]). Rejects with
   * `sqlite-missing`, `log-schema-newer` or `log-unavailable`.
   */
  static async open(options: SqliteLogOptions): Promise<SqliteReplicatedLog> {
    loadSqlite();
    const log = new SqliteReplicatedLog(new Worker(options.workerPath ?? defaultWorkerPath()));
    try {
      log.#putAside = await log.#call<string | undefined>('open', options.path, options.isSuspect ?? false);
      return log;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /** Whether the file has turned out to be damaged; the log stops then. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  /** Where the damaged file is that this log was opened in place of. */
  get putAside(): string | undefined {
    return this.#putAside;
  }

  /** Resolves when the log has stopped, whether it was closed or its thread has died. */
  whenStopped(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#failure !== undefined) resolve();
      else
        this.#worker.once('exit', () => {
          resolve();
        });
    });
  }

  state(): Promise<LogState> {
    return this.#call('state');
  }

  heads(): Promise<readonly DocumentHead[]> {
    return this.#call('heads');
  }

  raiseTerm(leaderId: PeerId, above: number): Promise<Term> {
    return this.#call('raiseTerm', leaderId, above);
  }

  adoptTerm(term: Term): Promise<void> {
    return this.#call('adoptTerm', term);
  }

  append(records: readonly LogRecord[], after: LogIndex, term: Term): Promise<void> {
    return this.#call('append', records, after, term);
  }

  findProposals(proposalIds: readonly ProposalId[]): Promise<ReadonlyMap<ProposalId, LogIndex>> {
    return this.#call('findProposals', proposalIds);
  }

  entries(since: LogIndex, limit: PageLimit): Promise<LogPage> {
    return this.#call('entries', since, limit);
  }

  runningHashAt(index: LogIndex): Promise<string | undefined> {
    return this.#call('runningHashAt', index);
  }

  headText(docId: DocId): Promise<HeadText | undefined> {
    return this.#call('headText', docId);
  }

  revisionText(docId: DocId, hash: RevisionHash): Promise<string | undefined> {
    return this.#call('revisionText', docId, hash);
  }

  history(docId: DocId, limit: number): Promise<readonly DocumentEntry[]> {
    return this.#call('history', docId, limit);
  }

  compact(policy: CompactionPolicy): Promise<LogIndex> {
    return this.#call('compact', policy);
  }

  rewind(to: LogIndex): Promise<void> {
    return this.#call('rewind', to);
  }

  replace(replacement: LogReplacement): Promise<void> {
    return this.#call('replace', replacement);
  }

  orphans(limit: number): Promise<readonly LogEntry[]> {
    return this.#call('orphans', limit);
  }

  forgetOrphans(proposalIds: readonly ProposalId[]): Promise<void> {
    return this.#call('forgetOrphans', proposalIds);
  }

  skeleton(since: LogIndex, limit: number): Promise<readonly SkeletonRow[]> {
    return this.#call('skeleton', since, limit);
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    try {
      await this.#call('close');
    } catch {
      // A thread that has died holds no database any more, which is all that closing is for.
    }
    await this.#worker.terminate();
  }

  /** The worker answers each method with what the store's method of that name returns. */
  #call<T>(method: LogMethod, ...values: readonly unknown[]): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const call: LogCall = { callId: this.#nextCallId, method, values };
    this.#nextCallId += 1;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(call.callId, {
        resolve: (value) => {
          resolve(value as T);
        },
        reject,
      });
      this.#worker.postMessage(call);
    });
  }

  #settle(answer: LogAnswer): void {
    const waiting = this.#waiting.get(answer.callId);
    this.#waiting.delete(answer.callId);
    if (!('errorCode' in answer)) {
      waiting?.resolve(answer.value);
      return;
    }
    waiting?.reject(new SyncError(answer.errorCode, answer.errorMessage));
    if (answer.errorCode !== 'log-damaged') return;
    this.#isDamaged = true;
    // Fails never: see there.
    void this.close();
  }

  #fail(failure: SyncError): void {
    this.#failure ??= failure;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}

/** Bundled, `__dirname` is the folder of the bundle; run from source, there is none. */
function defaultWorkerPath(): string {
  if (typeof __dirname === 'string') {
    const bundled = join(__dirname, 'logWorker.cjs');
    if (existsSync(bundled)) return bundled;
  }
  return join(dirname(fileURLToPath(import.meta.url)), 'logWorker.ts');
}
