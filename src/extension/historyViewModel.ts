import { relativeTime } from '../core/relativeTime.ts';
import type { HistoryEntry } from '../peer/folderSession.ts';
import { listNames } from './words.ts';

/** What a change was, by element: "GET /pets · summary and schema Pet". */
export function historyLabel({ kind, changes, path }: HistoryEntry): string {
  if (kind === 'create') return 'The file came in';
  if (kind === 'delete') return 'The file was deleted';
  if (kind === 'rename') return path === undefined ? 'The file was renamed' : `Renamed to ${path}`;
  if (changes.length === 0) return kind === 'resolve' ? 'A conflict was settled' : 'A change';
  return listNames(changes, 3);
}

/** Who, and how long ago: "alice, 5 minutes ago". */
export function historyDetail({ authorName, at }: HistoryEntry, now: number): string {
  return `${authorName}, ${relativeTime(at, now)}`;
}
