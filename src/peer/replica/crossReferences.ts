import type { DocId, LogIndex } from '../../core/ids.ts';
import type { Splice } from '../../core/merge/types.ts';
import { formatOfPath } from '../../core/openapi/documentFormat.ts';
import type { Disposable, Logger, Merger } from '../../core/ports.ts';
import { mayNameFile, type ReferenceTarget, referenceTarget } from '../../core/references/fileReferences.ts';
import type { FoundReference, ReferenceMemory } from '../../core/references/foundReference.ts';
import type { BrokenReference } from '../folderSession.ts';
import { danglingReference } from './documentProblems.ts';
import type { DocumentReplica } from './documentReplica.ts';
import type { DocumentTable } from './documentTable.ts';
import { SerialQueue } from './serialQueue.ts';

/** A document before or after a step, as the library has it. */
export interface LibraryText {
  readonly path: string;
  readonly text: string;
}

/** What one entry did to one document. */
export interface LibraryStep {
  readonly index: LogIndex;
  readonly docId: DocId;
  readonly authorName: string;
  /** Whether this replica has made it. */
  readonly isOwn: boolean;
  /** Undefined: it was not there, or it is there no longer. */
  readonly before: LibraryText | undefined;
  readonly after: LibraryText | undefined;
  /** From one text to the other; undefined where that is not known. */
  readonly patch: readonly Splice[] | undefined;
}

export interface CrossReferenceOptions {
  readonly merger: Pick<Merger, 'fileReferences' | 'hasFragments'>;
  readonly memory: ReferenceMemory | undefined;
  readonly logger: Logger;
  readonly onChange: () => void;
}

interface ForeignStep extends LibraryStep {
  /** References that it has brought; found out when somebody asks. */
  added: Promise<readonly string[]> | undefined;
}

/** Work that is not ours counts for as long as it may meet ours: an editor is not left unsaved over more steps of others. */
const MAX_STEPS = 500;
/** The same for the texts that are kept for it, in UTF-16 units. */
const MAX_KEPT_LENGTH = 8_000_000;
/** More are of one cause, and nobody reads them one by one. */
const MAX_BROKEN = 200;

/**
 * I5 across documents: a reference from one document to another that leads nowhere only since our change came together
 * with somebody else's. One of the two has brought the reference, the other has taken out what it means, and neither
 * knew. Whoever's entry is the later one in the log is told; both texts are agreed on, so nothing is held. Judged by the
 * library's texts, at our own entry: all that came before it in the log is known by then. Nothing is looked at as long
 * as only one side changes something.
 */
export class CrossReferences implements Disposable {
  readonly #documents: Pick<DocumentTable, 'get' | 'all'>;
  readonly #merger: Pick<Merger, 'fileReferences' | 'hasFragments'>;
  readonly #memory: ReferenceMemory | undefined;
  readonly #onChange: () => void;
  readonly #queue: SerialQueue;
  readonly #recent: ForeignStep[] = [];
  #recentLength = 0;
  #willLookAgain = false;
  #broken: ReadonlyMap<string, FoundReference> = new Map();

  constructor(documents: Pick<DocumentTable, 'get' | 'all'>, options: CrossReferenceOptions) {
    const { merger, memory, logger, onChange } = options;
    this.#documents = documents;
    this.#merger = merger;
    this.#memory = memory;
    this.#onChange = onChange;
    // The documents are in step all the same; the next step is judged anew.
    this.#queue = new SerialQueue((error) =>
      logger.warn('References between documents could not be checked.', { error: String(error) }),
    );
    if (memory !== undefined) this.#queue.post(() => this.#remind(memory));
  }

  get broken(): readonly BrokenReference[] {
    return [...this.#broken.values()].flatMap(({ docId, ...found }): BrokenReference[] => {
      const document = this.#documents.get(docId);
      if (document?.localPath === undefined) return [];
      const { file, path } = document.status;
      return [{ docId, file, path, ...found }];
    });
  }

  /** Resolves when everything that was taken in until now was judged. */
  get settled(): Promise<void> {
    return this.#queue.ended;
  }

  /** An entry was taken in; to be told in the order of the log. */
  took(step: LibraryStep): void {
    this.#lookAgainSoon();
    if (!step.isOwn) {
      this.#remember(step);
      return;
    }
    const others = this.#recent.filter(({ docId }) => docId !== step.docId);
    if (others.length > 0) this.#queue.post(() => this.#judge(step, others));
  }

  dispose(): void {
    this.#queue.dispose();
  }

  #remember(step: LibraryStep): void {
    const recent = this.#recent;
    recent.push({ ...step, added: undefined });
    this.#recentLength += lengthOf(step);
    while (recent.length > MAX_STEPS || this.#recentLength > MAX_KEPT_LENGTH) {
      const [oldest] = recent;
      // However large, the newest counts.
      if (oldest === undefined || recent.length === 1) return;
      recent.shift();
      this.#recentLength -= lengthOf(oldest);
    }
  }

  async #judge(own: LibraryStep, others: readonly ForeignStep[]): Promise<void> {
    const found = [...(await this.#ownBroken(own, others)), ...(await this.#brokenByOwn(own, others))];
    if (found.length > 0) await this.#show([...this.#broken.values(), ...found]);
  }

  /** References that we have brought, to what others had taken out. */
  async #ownBroken(own: LibraryStep, others: readonly ForeignStep[]): Promise<FoundReference[]> {
    const found: FoundReference[] = [];
    const { docId, after } = own;
    if (after === undefined) return found;
    for (const reference of await this.#addedBy(own)) {
      const target = referenceTarget(after.path, reference);
      if (target === undefined || (await this.#isThere(target))) continue;
      const removal = await this.#removalOf(target, others);
      if (removal === undefined) continue;
      const problem = danglingReference(removal, target, { who: 'you', path: after.path });
      found.push({ docId, reference, problem });
    }
    return found;
  }

  /** The newest step of somebody else that took out what a reference means. */
  async #removalOf(target: ReferenceTarget, others: readonly ForeignStep[]): Promise<ForeignStep | undefined> {
    for (const step of others.toReversed()) if (await this.#takesOut(step, target)) return step;
    return undefined;
  }

  /** References that others have brought, to what we have taken out. */
  async #brokenByOwn(own: LibraryStep, others: readonly ForeignStep[]): Promise<FoundReference[]> {
    const found: FoundReference[] = [];
    const isInPlace = own.after?.path === own.before?.path;
    if (isInPlace && own.patch?.every(({ deleteCount }) => deleteCount === 0) === true) return found;
    for (const step of others) {
      const { docId, after, authorName } = step;
      if (after === undefined) continue;
      step.added ??= this.#addedBy(step);
      for (const reference of await step.added) {
        const target = referenceTarget(after.path, reference);
        if (target === undefined || !(await this.#takesOut(own, target))) continue;
        const problem = danglingReference(own, target, { who: authorName, path: after.path });
        const broken = { docId, reference, problem };
        if (await this.#isBroken(broken)) found.push(broken);
      }
    }
    return found;
  }

  async #takesOut({ before, after }: LibraryStep, { path, fragment }: ReferenceTarget): Promise<boolean> {
    if (before?.path !== path || !(await this.#has(before, fragment))) return false;
    return after?.path !== path || !(await this.#has(after, fragment));
  }

  async #addedBy({ before, after, patch }: LibraryStep): Promise<readonly string[]> {
    if (after === undefined || (patch !== undefined && !mayAddReference(patch, after.text))) return [];
    const now = await this.#referencesIn(after);
    if (now.length === 0 || before === undefined) return now;
    const known = new Set(await this.#referencesIn(before));
    return now.filter((reference) => !known.has(reference));
  }

  /** What an earlier run has found may be mended by now. */
  async #remind(memory: ReferenceMemory): Promise<void> {
    const found = (await memory.load()).slice(0, MAX_BROKEN);
    if (found.length === 0) return;
    this.#broken = new Map(found.map((one) => [keyOf(one), one]));
    await this.#lookAgain();
    this.#onChange();
  }

  /** Once for all the steps that come in until then: somebody who catches up takes in thousands. */
  #lookAgainSoon(): void {
    if (this.#broken.size === 0 || this.#willLookAgain) return;
    this.#willLookAgain = true;
    this.#queue.post(() => {
      this.#willLookAgain = false;
      return this.#lookAgain();
    });
  }

  /** Something has changed: what leads somewhere again, or is not referred to any more, is said no longer. */
  async #lookAgain(): Promise<void> {
    const broken: FoundReference[] = [];
    for (const one of this.#broken.values()) if (await this.#isBroken(one)) broken.push(one);
    if (broken.length < this.#broken.size) await this.#show(broken);
  }

  async #isBroken({ docId, reference }: FoundReference): Promise<boolean> {
    const document = this.#documents.get(docId);
    const now = document === undefined ? undefined : textOf(document);
    const target = now === undefined ? undefined : referenceTarget(now.path, reference);
    if (now === undefined || target === undefined) return false;
    return (await this.#referencesIn(now)).includes(reference) && !(await this.#isThere(target));
  }

  async #isThere({ path, fragment }: ReferenceTarget): Promise<boolean> {
    for (const document of this.#documents.all()) {
      const now = document.stored.libraryPath === path ? textOf(document) : undefined;
      if (now !== undefined) return this.#has(now, fragment);
    }
    return false;
  }

  async #has({ path, text }: LibraryText, fragment: string): Promise<boolean> {
    const [isThere = true] = await this.#merger.hasFragments(text, formatOfPath(path), [fragment]);
    return isThere;
  }

  #referencesIn({ path, text }: LibraryText): Promise<readonly string[]> {
    return this.#merger.fileReferences(text, formatOfPath(path));
  }

  async #show(found: readonly FoundReference[]): Promise<void> {
    this.#broken = new Map(found.slice(0, MAX_BROKEN).map((one) => [keyOf(one), one]));
    this.#onChange();
    await this.#memory?.save([...this.#broken.values()]);
  }
}

/** The document as the library has it; undefined where it has deleted it. */
export function textOf({ stored }: Pick<DocumentReplica, 'stored'>): LibraryText | undefined {
  const { head, deleted, libraryPath } = stored;
  return head === undefined || deleted !== undefined ? undefined : { path: libraryPath, text: head.text };
}

function mayAddReference(patch: readonly Splice[], after: string): boolean {
  let shift = 0;
  return patch.some(({ offset, deleteCount, insert }) => {
    const start = offset + shift;
    shift += insert.length - deleteCount;
    return mayNameFile(after, start, start + insert.length);
  });
}

function lengthOf({ before, after }: LibraryStep): number {
  return (before?.text.length ?? 0) + (after?.text.length ?? 0);
}

function keyOf({ docId, reference }: FoundReference): string {
  return `${docId} ${reference}`;
}
