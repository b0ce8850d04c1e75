import type { DocId, LogIndex } from '../../core/ids.ts';
import type { Ambient, Disposable } from '../../core/ports.ts';
import type { BulkEntry, BulkReason } from '../../core/replication/entry.ts';
import type { AppliedBulk, AppliedChange } from '../folderSession.ts';
import type { AppliedTexts } from './replicaPorts.ts';

/** Files of one bulk that are written less than this apart are told together. */
const TELL_QUIET_MS = 300;
/** Each keeps two texts of every document; nobody takes back more than these in one sitting. */
const MAX_UNDOS = 5;

interface Arrival {
  readonly index: LogIndex;
  readonly authorName: string;
  readonly reason: BulkReason;
  written: WrittenDocument[];
  timer: Disposable | undefined;
}

/** What a bulk has made of one document's file. */
export interface WrittenDocument extends Pick<AppliedTexts, 'before' | 'after'> {
  readonly docId: DocId;
  readonly file: string;
  readonly path: string;
}

/** Tells of a bulk once and not for each document, and remembers what the files read like before it (I12). */
export class BulkArrivals implements Disposable {
  readonly #ambient: Pick<Ambient, 'scheduler'>;
  readonly #tell: (bulk: AppliedBulk) => void;
  /** By document: the newest bulk that is to be written into its file. */
  readonly #expected = new Map<DocId, Arrival>();
  readonly #undos = new Map<string, readonly WrittenDocument[]>();
  #count = 0;
  readonly #open = new Set<Arrival>();

  constructor(ambient: Pick<Ambient, 'scheduler'>, tell: (bulk: AppliedBulk) => void) {
    this.#ambient = ambient;
    this.#tell = tell;
  }

  /** The files of these documents are about to get what the bulk brings, now or when nothing stands in the way. */
  expect({ index, author, reason }: BulkEntry, docIds: readonly DocId[]): void {
    const arrival = { index, authorName: author.name, reason, written: [], timer: undefined };
    for (const docId of docIds) this.#expected.set(docId, arrival);
  }

  /** Whether the change came with a bulk, and is told with it. */
  take(change: AppliedChange, texts: AppliedTexts | undefined): boolean {
    const arrival = this.#expected.get(change.docId);
    if (arrival === undefined || texts === undefined || texts.index < arrival.index) return false;
    this.#expected.delete(change.docId);
    // A later entry came in before this one was written: then that is what there is to tell.
    if (texts.index !== arrival.index) return false;
    const { docId, file, path } = change;
    arrival.written.push({ docId, file, path, before: texts.before, after: texts.after });
    arrival.timer?.dispose();
    arrival.timer = this.#ambient.scheduler.after(TELL_QUIET_MS, () => this.#tellOf(arrival));
    this.#open.add(arrival);
    return true;
  }

  /** What the bulk has changed here; undefined where it was taken back, or is forgotten. */
  takeUndo(id: string): readonly WrittenDocument[] | undefined {
    const written = this.#undos.get(id);
    this.#undos.delete(id);
    return written;
  }

  dispose(): void {
    for (const { timer } of this.#open) timer?.dispose();
  }

  #tellOf(arrival: Arrival): void {
    const { authorName, reason, written } = arrival;
    this.#open.delete(arrival);
    arrival.written = [];
    this.#count += 1;
    const id = String(this.#count);
    this.#undos.set(id, written);
    const [oldest] = this.#undos.keys();
    if (oldest !== undefined && this.#undos.size > MAX_UNDOS) this.#undos.delete(oldest);
    this.#tell({ id, authorName, reason, documents: written.map(({ file, path }) => ({ file, path })) });
  }
}
