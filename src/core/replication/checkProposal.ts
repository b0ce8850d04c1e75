import type { HashText } from '../ports.ts';
import type { DocumentHead, Proposal, ProposeResult } from './entry.ts';
import { applyPatch } from './applyPatch.ts';
import type { Heads } from './headTable.ts';
import { checkLibraryPath, utf8Length } from './libraryPath.ts';
import { MAX_DOCUMENT_BYTES, MAX_HEADS } from './limits.ts';

export type Refusal = Exclude<ProposeResult, { readonly kind: 'committed' }>;

/** At most this many UTF-8 bytes come of one UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

/**
 * Compares a proposal with the heads: the whole of what makes the log safe for several writers (DESIGN §5 step 4).
 * Undefined where it may go on to `checkText`.
 *
 * - `create`: the document must be unknown. One that was deleted comes back only where `basePath` shows that the
 *   proposer saw the tombstone; otherwise a retry from before the deletion would bring it back.
 * - a path that another living document owns is `stale` with that document's head, for the proposer to pair with.
 */
export function checkAgainstHeads(proposal: Proposal, heads: Heads): Refusal | undefined {
  const shape = checkShape(proposal);
  if (shape !== undefined) return shape;
  const head = heads.head(proposal.docId);
  if (isBaseOutdated(proposal, head)) return { kind: 'stale', head };
  if (proposal.path !== undefined && proposal.kind !== 'edit' && proposal.kind !== 'resolve') {
    const owner = heads.ownerOfPath(proposal.path);
    if (owner !== undefined && owner.docId !== proposal.docId) return { kind: 'stale', head: owner };
  }
  return undefined;
}

/** Applies the patch to the base revision's text and answers with the new text, or with why it is none. */
export function checkText(proposal: Proposal, base: string, hashText: HashText): { readonly text: string } | Refusal {
  const { value: text, problems } = applyPatch(base, proposal.patch);
  if (text === undefined) return reject(problems[0]?.code ?? 'patch-out-of-bounds', problems[0]?.message ?? '');
  if (text.length * MAX_BYTES_PER_UNIT > MAX_DOCUMENT_BYTES && utf8Length(text) > MAX_DOCUMENT_BYTES) {
    return reject('document-too-large', 'The document is larger than 64 MiB.');
  }
  if (!text.isWellFormed()) return reject('text-not-well-formed', 'The document holds half of a character.');
  if (hashText(text) !== proposal.hash)
    return reject('hash-mismatch', 'The change does not give the text that it promises.');
  return { text };
}

/**
 * The log has lost the text of the document's head. Proposed once more with the whole text as one splice, the same edit is
 * taken ([REP-17]).
 */
export const DOCUMENT_DAMAGED = 'document-damaged';

/** The same proposal as an edit of an empty text, where its patch replaces the whole; undefined where it does not. */
export function withoutBase(proposal: Proposal): Proposal | undefined {
  const [splice, ...others] = proposal.patch;
  if (splice === undefined || splice.offset > 0 || others.length > 0) return undefined;
  return { ...proposal, patch: [{ ...splice, deleteCount: 0 }] };
}

/** How many documents a library may hold, tombstones included. */
export function checkRoom(proposal: Proposal, documentCount: number): Refusal | undefined {
  if (proposal.kind !== 'create' || documentCount < MAX_HEADS) return undefined;
  return reject('library-full', 'The library holds as many documents as it can.');
}

function checkShape(proposal: Proposal): Refusal | undefined {
  switch (proposal.kind) {
    case 'create':
      if (proposal.path === undefined) return reject('path-missing', 'A new document needs a path.');
      if (proposal.hash === undefined) return reject('hash-missing', 'A new document needs a text.');
      return checkPath(proposal.path);
    case 'rename':
      if (proposal.path === undefined) return reject('path-missing', 'A renamed document needs a path.');
      if (proposal.patch.length > 0 || proposal.hash !== proposal.baseHash) {
        return reject('rename-with-edit', 'A document is renamed and changed in two steps.');
      }
      return checkPath(proposal.path);
    case 'delete':
      if (proposal.patch.length > 0 || proposal.hash !== undefined) {
        return reject('delete-with-edit', 'A document is deleted without a change to its text.');
      }
      return undefined;
    case 'edit':
    case 'resolve':
      return proposal.hash === undefined
        ? reject('hash-missing', 'A change needs the text that it leads to.')
        : undefined;
  }
}

function isBaseOutdated(proposal: Proposal, head: DocumentHead | undefined): boolean {
  if (proposal.kind === 'create') {
    if (head === undefined) return proposal.baseHash !== undefined;
    return head.hash !== undefined || proposal.baseHash !== undefined || proposal.basePath !== head.path;
  }
  if (head?.hash === undefined || head.hash !== proposal.baseHash) return true;
  if (proposal.kind === 'rename') return proposal.basePath !== head.path;
  return proposal.basePath !== undefined && proposal.basePath !== head.path;
}

function checkPath(path: string): Refusal | undefined {
  const problem = checkLibraryPath(path);
  return problem === undefined ? undefined : reject(problem.code, problem.message);
}

function reject(code: string, message: string): Refusal {
  return { kind: 'rejected', code, message };
}
