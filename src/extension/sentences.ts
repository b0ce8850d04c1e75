import type {
  AppliedBulk,
  AppliedChange,
  BrokenReference,
  CommitNotice,
  DocumentPair,
  HistoryBulk,
  JoinOffer,
  LibraryChoice,
  PullResult,
} from '../peer/folderSession.ts';
import { problemSentence } from './problems.ts';
import { count, listNames } from './words.ts';

/** The one notice that asks for consent. */
export function offerSentence(offer: JoinOffer): string {
  return `Another window has this API (${offer.name}, ${count(offer.documentCount, 'document')}). Keep them in step?`;
}

/** "alice changed GET /pets in openapi.yaml" */
export function appliedSentence(change: AppliedChange): string {
  if (change.renamedFrom !== undefined) return `${change.authorName} renamed ${change.renamedFrom} to ${change.path}`;
  if (change.isDeletion) return `${change.authorName} deleted ${change.path}`;
  const what = change.changes.length === 0 ? '' : ` ${listNames(change.changes, 2)} in`;
  return `${change.authorName} changed${what} ${change.path}`;
}

/** "alice pulled: 143 documents changed here." */
export function appliedBulkSentence({ authorName, reason, documents }: AppliedBulk): string {
  return `${bulkSentence({ authorName, reason, documentCount: documents.length })} changed here.`;
}

/** "alice pulled: 143 documents" */
export function bulkSentence(bulk: Omit<HistoryBulk, 'id'> & Pick<AppliedBulk, 'authorName'>): string {
  return `${bulk.authorName} ${bulkDeed(bulk)}`;
}

/** "pulled: 143 documents" */
export function bulkDeed({ reason, documentCount }: Omit<HistoryBulk, 'id'>): string {
  return `${bulkDeeds[reason]}: ${count(documentCount, 'document')}`;
}

/** What somebody did that changed many documents. */
const bulkDeeds: { readonly [reason in AppliedBulk['reason']]: string } = {
  checkout: 'switched branches',
  pull: 'pulled',
  rebase: 'rebased',
  merge: 'merged',
  stash: 'used git stash',
  reset: 'reset files with git',
  generator: 'changed many files at once',
};

/** The notice of references that lead nowhere since two changes came together. */
export function brokenReferencesSentence(broken: readonly Pick<BrokenReference, 'path' | 'problem'>[]): string {
  const [first] = broken;
  if (broken.length === 1 && first !== undefined) return problemSentence(first.problem);
  const files = listNames(broken.map(({ path }) => path));
  return `${count(broken.length, 'reference')} to other files in ${files} lead nowhere since changes of others came together with yours.`;
}

/** Asks what to do with files that something outside set back. */
export function behindSentence(paths: readonly string[]): string {
  const [first] = paths;
  const what = paths.length === 1 && first !== undefined ? `${first} was` : `${count(paths.length, 'file')} were`;
  const which = paths.length === 1 ? 'the newer version' : 'the newer versions';
  return `${what} set back to an older version by something outside, such as git. Bring back ${which}, or keep what is there now and send it?`;
}

/** The answer to a question that has settled itself came too late to do anything. */
export function settledSentence(paths: readonly string[]): string {
  return `${listNames(paths)} ${paths.length === 1 ? 'was' : 'were'} settled in the meantime: nothing was done.`;
}

/** Says what to do next where nobody else is there yet. @param branch where the folder has joined on others before. */
export function readySentence(folderName: string, documentCount: number, branch: string | undefined): string {
  const documents = count(documentCount, 'document');
  return branch === undefined
    ? `${folderName} is ready (${documents}). Open another copy of it in a second window: it is offered there.`
    : `${folderName} is ready on branch ${branch} (${documents}). Whoever has that branch, too, chooses Keep in Step there.`;
}

/** Asks what to do with files in which git has left what another branch's library had for them. */
export function carriedSentence(paths: readonly string[]): string {
  const [first] = paths;
  const what =
    paths.length === 1 && first !== undefined ? `${first} still has` : `${count(paths.length, 'file')} still have`;
  return `${what} uncommitted changes from the branch that was checked out before. Bring back what this branch has, or keep what is there now and send it?`;
}

/** Asks what to do with files that are gone where nobody can tell whether a person meant it. */
export function missingSentence(paths: readonly string[]): string {
  const [first] = paths;
  const what =
    paths.length === 1 && first !== undefined ? `${first} is gone` : `${count(paths.length, 'file')} are gone`;
  const which = paths.length === 1 ? 'it' : 'them';
  return `${what} from this folder. Nobody else loses ${which} unless you say so. Bring ${which} back, or delete ${which} for everybody?`;
}

/** Asks which name a file is to have. */
export function misnamedSentence(paths: readonly string[]): string {
  const [first] = paths;
  return paths.length === 1 && first !== undefined
    ? `${first} has got another name from somebody else too, or that name is taken. Take the other name, or keep yours for everybody?`
    : `${count(paths.length, 'file')} have got other names from somebody else too, or those are taken. Take the other names, or keep yours for everybody?`;
}

/** The notice where a peer's deletion has removed a file. */
export function deletedSentence(change: AppliedChange): string {
  return `${change.authorName} deleted ${change.path}, so it was removed here too.`;
}

/** Before a commit, or just after one: whose changes it holds that nobody has committed. */
export function commitSentence({ paths, authorNames, isMade }: CommitNotice): string {
  const what = isMade ? 'Your commit' : 'What you are about to commit';
  return `${what} includes uncommitted changes from ${listNames(authorNames)}, in ${listNames(paths)}.`;
}

/** What Pull with Synced Changes did. */
export function pulledSentence({ commitCount, held, changedSince }: PullResult & { readonly isDone: true }): string {
  if (commitCount === 0) return 'There is nothing to pull.';
  const pulled = `Pulled ${count(commitCount, 'commit')}.`;
  const kept = held.length === 0 ? '' : ` ${listNames(held)} held it already.`;
  const more =
    changedSince.length === 0 ? '' : ` What ${listNames(changedSince)} has beside that stays there, uncommitted.`;
  return `${pulled}${kept}${more}`;
}

/** How one document of a library would pair: "openapi.yaml ↔ api/openapi.yaml". */
export function pairSentence(pair: DocumentPair): string {
  return `${pair.libraryPath} ↔ ${pair.localPath ?? 'not in this folder'}`;
}

/** All pairs of a library in one line. */
export function pairsSentence(pairs: readonly DocumentPair[]): string {
  const shown = pairs.slice(0, 3).map(pairSentence).join(' · ');
  return pairs.length > 3 ? `${shown} · ${count(pairs.length - 3, 'more', 'more')}` : shown;
}

/** Who has joined a library: "with backend and frontend". */
export function folderNamesSentence(library: LibraryChoice): string {
  return library.folderNames.length === 0 ? 'nobody is in it now' : `with ${listNames(library.folderNames)}`;
}
