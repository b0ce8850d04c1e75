import { conflictGroups } from '../core/merge/conflictGroups.ts';
import type { Side } from '../core/merge/types.ts';
import type { HeldConflict } from '../peer/folderSession.ts';
import type { ConflictView } from '../protocol/conflictPanel.ts';
import { baseName, count } from './words.ts';

/** One folder's conflicts, as the panel is made of them. */
export interface FolderConflicts {
  readonly folder: string;
  readonly folderName: string;
  readonly conflicts: readonly HeldConflict[];
}

/** An element longer than this is cut in the panel; "Open Diff" shows all of it. */
const MAX_TEXT_LENGTH = 100_000;

/** All conflicts as the panel shows them, by document, then in the order of the labels. */
export function toConflictViews(folders: readonly FolderConflicts[]): ConflictView[] {
  return folders
    .flatMap((folder) => {
      const groups = groupKeys(folder);
      return folder.conflicts.map((held) => toConflictView(folder, held, folders.length > 1, groups));
    })
    .sort(
      (a, b) =>
        compare(a.documentName, b.documentName) || compare(a.documentKey, b.documentKey) || compare(a.label, b.label),
    );
}

/** Names a conflict in this window: two folders of one window may have joined the same library. */
export function conflictKey(folder: string, held: HeldConflict): string {
  return JSON.stringify([folder, held.docId, held.conflict.id]);
}

/** What a conflict's name says; undefined where something else made it. */
export function readConflictKey(
  key: string,
): { readonly folder: string; readonly docId: string; readonly conflictId: string } | undefined {
  try {
    const parsed: unknown = JSON.parse(key);
    if (!Array.isArray(parsed)) return undefined;
    const [folder, docId, conflictId] = parsed as readonly unknown[];
    const isName = typeof folder === 'string' && typeof docId === 'string' && typeof conflictId === 'string';
    return isName ? { folder, docId, conflictId } : undefined;
  } catch {
    // It came from the panel, and the panel is not trusted to send our own names back.
    return undefined;
  }
}

/** The same for the same clash of the same texts, and short: it is kept to announce each only once. */
export function announcementId(folder: string, held: HeldConflict): string {
  return hash(conflictKey(folder, held)) + conflictFingerprint(held);
}

/** Changes with any text or the kind; not for security, only to see that what was chosen is still what is there. */
export function conflictFingerprint(held: HeldConflict): string {
  const { kind, base, ours, theirs } = held.conflict;
  return hash(JSON.stringify([kind, base?.text, ours?.text, theirs?.text]));
}

/** The kind of a conflict in words: who did what. */
export function kindText(held: HeldConflict): string {
  const { conflict, theirsName: name } = held;
  switch (conflict.kind) {
    case 'edit-edit':
      return `You and ${name} both changed this`;
    case 'edit-delete':
      return conflict.ours === undefined ? `${name} changed it, you deleted it` : `You changed it, ${name} deleted it`;
    case 'add-add':
      return `You and ${name} both added this, differently`;
    case 'move-move':
      return `You and ${name} both moved this, to different places`;
    case 'semantic':
      return `Your change does not fit with the one from ${name}`;
  }
}

/** The sentence of the one notice: exact for one conflict, counted for more. */
export function noticeSentence(all: readonly HeldConflict[]): string {
  const [first] = all;
  if (first === undefined) return '';
  const files = [...new Set(all.map((held) => held.file))];
  const where = files.length === 1 ? baseName(first.path) : count(files.length, 'file');
  if (all.length > 1) return `${count(all.length, 'conflict')} in ${where}: both sides are kept until you choose.`;
  return `1 conflict in ${where}: ${noticeKind(first)}.`;
}

/** What stands above the panel's list where it is empty. */
export function emptyText(phases: readonly string[]): string {
  if (phases.length === 0) return 'No conflicts. Open a folder with an OpenAPI file to keep it in step.';
  if (phases.every((phase) => phase === 'asleep')) return 'No conflicts. Nothing is kept in step in this window.';
  if (phases.some((phase) => phase === 'failed'))
    return 'No conflicts are known. Something keeps a folder from being in step; the status bar says what.';
  return 'No conflicts. Everything is in step.';
}

/** The difference between two versions of an element, as the editor's tab shows it. */
export function diffTitle(held: HeldConflict, before: Side, after: Side): string {
  return `${held.conflict.label}: ${sideName(held, before)} ↔ ${sideName(held, after)}`;
}

/** A version of an element, for a person. */
export function sideName(held: HeldConflict, side: Side): string {
  return { base: 'Base', ours: 'Yours', theirs: `From ${held.theirsName}` }[side];
}

/** By key, for those that are decided together with others. */
function groupKeys({ folder, conflicts }: FolderConflicts): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const members of Map.groupBy(conflicts, (held) => held.docId).values()) {
    for (const group of heldGroups(members)) {
      const [first] = group;
      if (first === undefined || group.length === 1) continue;
      for (const held of group) keys.set(conflictKey(folder, held), conflictKey(folder, first));
    }
  }
  return keys;
}

/** Conflicts of one document by what is decided together. */
export function heldGroups(conflicts: readonly HeldConflict[]): readonly (readonly HeldConflict[])[] {
  const byId = new Map(conflicts.map((held) => [held.conflict.id, held]));
  return conflictGroups(conflicts.map(({ conflict }) => conflict)).map((group) =>
    group.flatMap(({ id }) => byId.get(id) ?? []),
  );
}

function toConflictView(
  folder: FolderConflicts,
  held: HeldConflict,
  isOneOfMany: boolean,
  groups: ReadonlyMap<string, string>,
): ConflictView {
  const { conflict } = held;
  const key = conflictKey(folder.folder, held);
  const groupKey = groups.get(key);
  const view: ConflictView = {
    key,
    fingerprint: conflictFingerprint(held),
    documentKey: held.file,
    documentName: isOneOfMany ? `${held.path} (${folder.folderName})` : held.path,
    label: conflict.label,
    kind: conflict.kind,
    kindText: kindText(held),
    theirsName: held.theirsName,
    canTakeBoth: conflict.canTakeBoth,
  };
  if (groupKey !== undefined) view.groupKey = groupKey;
  if (conflict.explanation !== undefined) view.explanation = conflict.explanation;
  if (conflict.base !== undefined) view.base = shorten(conflict.base.text);
  if (conflict.ours !== undefined) view.ours = shorten(conflict.ours.text);
  if (conflict.theirs !== undefined) view.theirs = shorten(conflict.theirs.text);
  if (held.theirsAt !== undefined) view.theirsAt = held.theirsAt;
  return view;
}

function noticeKind(held: HeldConflict): string {
  const { conflict, theirsName: name } = held;
  const { label } = conflict;
  switch (conflict.kind) {
    case 'edit-edit':
      return `you and ${name} both changed ${label}`;
    case 'edit-delete':
      return conflict.ours === undefined
        ? `${name} changed ${label}, you deleted it`
        : `you changed ${label}, ${name} deleted it`;
    case 'add-add':
      return `you and ${name} both added ${label}, differently`;
    case 'move-move':
      return `you and ${name} both moved ${label}`;
    case 'semantic':
      return `your change does not fit with the one from ${name} at ${label}`;
  }
}

/** The line end that closes an element belongs to what comes after it. */
function shorten(piece: string): string {
  const text = piece.replace(/\r?\n$/, '');
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH)}\n…`;
}

/** By code units, the same on every machine. */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** FNV-1a over UTF-16 units, 2 × 32 bits with different seeds. */
function hash(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x85ebca6b);
  }
  return (low >>> 0).toString(16).padStart(8, '0') + (high >>> 0).toString(16).padStart(8, '0');
}
