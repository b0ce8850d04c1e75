import type { ChangedPlace, ChangedPlaces } from '../core/history/changedPlaces.ts';
import type { RestoredElement } from '../core/history/restoreElement.ts';
import { relativeTime } from '../core/relativeTime.ts';
import type { HistoryEntry, UserProblem } from '../peer/folderSession.ts';
import { bulkDeed, bulkSentence } from './sentences.ts';
import { count, listNames } from './words.ts';

/** What a change was, by element: "GET /pets · summary and schema Pet". */
export function historyLabel({ kind, changes, path }: HistoryEntry): string {
  if (kind === 'create') return 'The file came in';
  if (kind === 'delete') return 'The file was deleted';
  if (kind === 'rename') return path === undefined ? 'The file was renamed' : `Renamed to ${path}`;
  if (changes.length === 0) return kind === 'resolve' ? 'A choice was taken back' : 'A change';
  const what = listNames(changes, 3);
  // A conflict that is settled is a change like any other; `resolve` brings the clash back (see DocumentChoices).
  return kind === 'resolve' ? `Taken back: ${what}` : what;
}

/** Who, and how long ago: "alice, 5 minutes ago", and what it was a part of: "pulled: 143 documents". */
export function historyDetail({ authorName, at, bulk }: HistoryEntry, now: number): string {
  const detail = `${authorName}, ${relativeTime(at, now)}`;
  return bulk === undefined ? detail : `${detail} · ${bulkDeed(bulk)}`;
}

/** The whole of it, for the hover. @param when the moment, written out. */
export function historyTooltip({ authorName, changes, bulk }: HistoryEntry, when: string): string {
  const part = bulk === undefined ? [] : [`Part of one change of many files. ${bulkSentence({ authorName, ...bulk })}`];
  return [`${authorName}, ${when}`, ...part, ...changes].join('\n');
}

/** What a change looks like in a list. */
export function historyIcon({ kind, bulk }: HistoryEntry): string {
  if (bulk !== undefined) return 'files';
  return kind === 'resolve' ? 'discard' : 'git-commit';
}

/** By which the menus know what can be done with a change. */
export function historyContext({ hash, bulk }: HistoryEntry, isNewest: boolean): string {
  return `${isNewest || hash === undefined ? 'newest' : 'earlier'}${bulk === undefined ? '' : '.bulk'}`;
}

/** What became of an element, as it stands behind its name. */
export function changeWord(kind: ChangedPlace['kind']): string {
  return { added: 'added', removed: 'removed', changed: 'changed' }[kind];
}

/** What stands where a change has no elements to show. */
export function noElements(changed: ChangedPlaces | undefined): string {
  return changed === undefined
    ? versionGone.message
    : 'Only layout, order or comments changed. Restore the version instead.';
}

/** What stands below a list that is cut. @param leftOut how many elements are not in it. */
export function leftOutSentence(leftOut: number): string {
  return `And ${count(leftOut, 'more element')}. Click to see the whole change.`;
}

/** The log is compacted: what is old enough is not kept. */
export const versionGone: UserProblem = {
  code: 'version-gone',
  message: 'This version is not there any more.',
  remedy: 'Choose a newer one.',
};

/** One way to have an element back. */
export interface ElementRestore {
  readonly button: string;
  readonly side: 'before' | 'after';
  /** How it reads then; undefined where it is not there in that version, so that it goes. */
  readonly element: string | undefined;
  /** What the file would be with it. */
  readonly text: string;
}

/** What can be restored of an element: as it was before a change, as it is after it, both, or why nothing. */
export function elementRestores(
  before: RestoredElement | undefined,
  after: RestoredElement | undefined,
  { label }: ChangedPlace,
): readonly ElementRestore[] | UserProblem {
  const restores = [
    { side: 'before', restored: before, button: 'As Before This Change' },
    { side: 'after', restored: after, button: 'As After This Change' },
  ] as const;
  const possible = restores.flatMap(({ restored, ...restore }) =>
    restored?.kind === 'restored' ? [{ ...restore, text: restored.text, element: restored.element }] : [],
  );
  if (possible.length > 0) return possible;
  const refused = [before, after].find((one) => one?.kind === 'refused');
  if (refused?.kind === 'refused')
    return {
      code: 'element-not-restored',
      message: `${label} cannot be restored by itself.`,
      remedy: refused.sentence,
    };
  if (before === undefined && after === undefined) return versionGone;
  return { code: 'element-same', message: `${label} reads so already.`, remedy: 'There is nothing to restore.' };
}

/** A question shows an element up to this size; the change itself shows all of it. */
const MAX_SHOWN_LINES = 8;
const MAX_SHOWN_CHARACTERS = 400;

/** What the person should know before they choose: how it would read, and what becomes of it. */
export function elementDetail(restores: readonly ElementRestore[], authorName: string): string {
  const readings = restores.map(({ side, element }) => {
    const when = `${side === 'before' ? 'Before' : 'After'} this change by ${authorName}`;
    return element === undefined
      ? `${when} it is not there, so it would be removed.`
      : `${when} it reads:\n${shorten(element.trimEnd())}`;
  });
  const meaning =
    'Nothing else of the file changes. Everybody gets it as a change of yours; Undo in the editor takes it back.';
  return [...readings, meaning].join('\n\n');
}

function shorten(text: string): string {
  const lines = text.split('\n').slice(0, MAX_SHOWN_LINES).join('\n').slice(0, MAX_SHOWN_CHARACTERS);
  return lines.length < text.length ? `${lines}\n…` : lines;
}
