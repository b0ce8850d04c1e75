import { applySplices } from '../../core/merge/splices.ts';
import type { StoredDocument, StoredRevision, WriteIntent } from '../../core/replication/replicaStore.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import { toRawSplices, workingText, type WorkingText } from '../../core/workingText.ts';
import type { DocumentRecord } from './documentRecord.ts';
import { showsWrite } from './interruptedWrite.ts';
import type { FileReading } from './replicaPorts.ts';

export type Written =
  | { readonly kind: 'written' }
  /** The file was changed by somebody; it has been read again. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'unsaved' }
  /** It was written, and at that moment git was at work or the person had paused: nobody knows what it was written over. */
  | { readonly kind: 'unsure' }
  | { readonly kind: 'failed'; readonly problem: UserProblem };

/** Writes one document's file with a durable intent, so that a crash never takes our own text for a person's (DESIGN §5, step 8). */
export class DocumentWriter {
  readonly #record: DocumentRecord;
  #fileVersion = 0;

  constructor(record: DocumentRecord) {
    this.#record = record;
  }

  /**
   * Grows when a write of ours begins and when it ends, and when the file is read between two steps: what was read
   * before that, or meanwhile, may be older than what is known, and is no news.
   */
  get fileVersion(): number {
    return this.#fileVersion;
  }

  /**
   * Makes the intent durable, writes `text` over the working file, and makes durable that the document is `document` then.
   * @param onDurable called when the intent is on disk.
   */
  async write(
    file: string,
    working: WorkingText,
    text: string,
    document: StoredDocument,
    onDurable?: () => void,
  ): Promise<Written> {
    const record = this.#record;
    const { docId } = record.stored;
    if (text !== working.text) {
      const { hashText } = record.ctx.ambient;
      const splices = toRawSplices(working, await record.ctx.merger.diff(working.text, text));
      const after = applySplices(working.raw, splices);
      const intent = { docId, beforeHash: hashText(working.text), afterHash: hashText(text), document };
      await record.commit({ putIntents: [intent] });
      onDurable?.();
      this.#fileVersion += 1;
      const hindrances = record.ctx.hindranceCount();
      const outcome = await record.ctx.files.write({ file, before: working.raw, after, splices });
      this.#fileVersion += 1;
      if (outcome.kind !== 'written') {
        await record.commitFact({ removeIntents: [docId] });
        if (outcome.kind === 'changed') await this.readAgain(file);
        return outcome;
      }
      record.setWorking(workingText(after), false);
      record.trustWorking();
      if (!(await this.#isStillFree(hindrances))) return this.#leaveOpen(document);
    }
    record.stored = { ...document, head: newer(document.head, record.stored.head) };
    await record.commitFact({ putDocuments: [record.stored], removeIntents: [docId] });
    onDurable?.();
    return { kind: 'written' };
  }

  /** Makes the file of a document that has none here yet. */
  async create(file: string, head: StoredRevision, onDurable?: () => void): Promise<Written> {
    const record = this.#record;
    const { docId } = record.stored;
    const document: StoredDocument = { ...record.stored, shadow: head, heldBase: undefined };
    await record.commit({ putIntents: [{ docId, beforeHash: undefined, afterHash: head.hash, document }] });
    onDurable?.();
    this.#fileVersion += 1;
    const splices = [{ offset: 0, deleteCount: 0, insert: head.text }];
    const hindrances = record.ctx.hindranceCount();
    const outcome = await record.ctx.files.write({ file, before: undefined, after: head.text, splices });
    this.#fileVersion += 1;
    if (outcome.kind === 'written') {
      record.setWorking(workingText(head.text), false);
      if (!(await this.#isStillFree(hindrances))) return this.#leaveOpen(document);
      record.stored = document;
    } else if (outcome.kind === 'changed') {
      await this.readAgain(file);
    }
    await record.commitFact({ putDocuments: [record.stored], removeIntents: [docId] });
    return outcome;
  }

  async #isStillFree(hindrances: number): Promise<boolean> {
    const { ctx } = this.#record;
    return (await ctx.mayWork()) && ctx.hindranceCount() === hindrances;
  }

  /** Git may have changed the branch beneath the write, so that the file of ours does not have it, and gets it when it is back. */
  async #leaveOpen(document: StoredDocument): Promise<Written> {
    const record = this.#record;
    record.stored = { ...record.stored, perhapsIn: document.shadow };
    await record.commitFact({ putDocuments: [record.stored], removeIntents: [document.docId] });
    return { kind: 'unsure' };
  }

  /**
   * Removes the file of a document that the library has deleted. It needs no intent: that it is deleted is durable, and
   * so a file that is gone is known for what it is.
   */
  async remove(file: string, working: WorkingText): Promise<Written> {
    this.#fileVersion += 1;
    const outcome = await this.#record.ctx.files.remove(file, working.raw);
    this.#fileVersion += 1;
    if (outcome.kind === 'written') this.#record.setWorking(undefined, false);
    else if (outcome.kind === 'changed') await this.readAgain(file);
    return outcome;
  }

  /** Gives the file another place. It needs no intent: where it is found tells how far this came. */
  async move(file: string, target: string, working: WorkingText): Promise<Written> {
    const { ctx } = this.#record;
    this.#fileVersion += 1;
    const hindrances = ctx.hindranceCount();
    const outcome = await ctx.files.move(file, target, working.raw);
    this.#fileVersion += 1;
    if (outcome.kind === 'changed') await this.readAgain(file);
    // Git may have brought another branch's file there, and brings ours back to its old place.
    if (outcome.kind === 'written' && !(await this.#isStillFree(hindrances))) return { kind: 'unsure' };
    return outcome;
  }

  /** Finishes or forgets a write that a crash interrupted. */
  async recover(file: string, intent: WriteIntent): Promise<void> {
    const record = this.#record;
    // Another branch's file tells nothing of ours.
    const wasFree = await record.ctx.mayWork();
    const hindrances = record.ctx.hindranceCount();
    const reading = await record.ctx.reader.read(file, undefined, undefined);
    const isOurs = wasFree && (await this.#isStillFree(hindrances));
    const hash = reading.kind === 'text' ? record.ctx.ambient.hashText(reading.working.text) : undefined;
    // Written: what was meant to be true then is true. Not written: shadow and head are as before, and it is merged anew.
    const isWritten =
      reading.kind === 'text' &&
      hash !== intent.beforeHash &&
      (hash === intent.afterHash || (await showsWrite(record, intent, reading.working.text)));
    if (isOurs && isWritten) {
      const { head, deleted } = record.stored;
      record.stored = { ...intent.document, head: newer(intent.document.head, head), deleted };
    } else if (!isOurs || hash !== intent.beforeHash) {
      // Somebody has changed the file since: nobody knows whether it was written before that.
      record.stored = { ...record.stored, perhapsIn: intent.document.shadow };
    }
    await record.commit({ putDocuments: [record.stored], removeIntents: [intent.docId] });
  }

  /** Reads the file in the document's turn. */
  readNow(file: string): Promise<FileReading> {
    this.#fileVersion += 1;
    return this.#record.ctx.reader.read(file, undefined, this.#record.stored.shadow?.text);
  }

  /** The same, and remembers it. Answers why it cannot be read: then what was read before still stands, and decides nothing. */
  async readAgain(file: string): Promise<UserProblem | undefined> {
    const hindrances = this.#record.ctx.hindranceCount();
    const reading = await this.readNow(file);
    if (reading.kind === 'failed') return reading.problem;
    this.#record.noteReading(hindrances, reading);
    this.#record.setWorking(reading.kind === 'text' ? reading.working : undefined, false);
    return undefined;
  }
}

function newer(a: StoredRevision | undefined, b: StoredRevision | undefined): StoredRevision | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.index >= b.index ? a : b;
}
