import { DisposableStore } from '../core/disposableStore.ts';
import type { FolderSession, HeldConflict } from '../peer/folderSession.ts';
import { conflictKey, heldGroups, readConflictKey } from './conflictViewModel.ts';
import { FolderPaths } from './folderPaths.ts';
import type { OpenFolder } from './folderSessions.ts';

/** A conflict that is held, with where it is. */
export interface FoundConflict {
  readonly key: string;
  readonly folder: OpenFolder;
  readonly session: FolderSession;
  readonly held: HeldConflict;
  readonly paths: FolderPaths;
}

/** Longer than a merge of the largest documents takes. */
const MERGE_PATIENCE_MS = 5000;

/** Finds the conflicts of a window by the names that its views have for them. */
export class ConflictFinder {
  readonly #folders: () => readonly OpenFolder[];

  constructor(folders: () => readonly OpenFolder[]) {
    this.#folders = folders;
  }

  get folders(): readonly OpenFolder[] {
    return this.#folders();
  }

  find(key: string): FoundConflict | undefined {
    const place = readConflictKey(key);
    const folder = this.#folders().find(({ path }) => path === place?.folder);
    const held = folder?.session.conflicts.find(
      ({ docId, conflict }) => docId === place?.docId && conflict.id === place.conflictId,
    );
    return folder === undefined || held === undefined ? undefined : toFound(folder, held);
  }

  all(): readonly FoundConflict[] {
    return this.#folders().flatMap((folder) => folder.session.conflicts.map((held) => toFound(folder, held)));
  }

  /** What is decided together with a conflict, itself among them, in order. */
  partnersOf({ folder, session, held }: FoundConflict): readonly FoundConflict[] {
    const ofDocument = session.conflicts.filter(({ docId }) => docId === held.docId);
    const group = heldGroups(ofDocument).find((members) =>
      members.some(({ conflict }) => conflict.id === held.conflict.id),
    );
    return (group ?? [held]).map((one) => toFound(folder, one));
  }

  /** While a document is merged anew (each decision does that), its conflicts may not be there for a moment. */
  async findWhenMerged(key: string): Promise<FoundConflict | undefined> {
    const found = this.find(key);
    const place = readConflictKey(key);
    const session = this.#folders().find((folder) => folder.path === place?.folder)?.session;
    if (found !== undefined || place === undefined || session === undefined) return found;
    await untilMerged(session, place.docId);
    return this.find(key);
  }
}

/** Whether a document of a session is on its way to anything. @param docId undefined: any of them. */
export function isMerging({ status }: FolderSession, docId?: string): boolean {
  return status.documents.some(
    (document) => (docId === undefined || document.docId === docId) && document.state === 'syncing',
  );
}

function toFound(folder: OpenFolder, held: HeldConflict): FoundConflict {
  const { path, session } = folder;
  return { key: conflictKey(path, held), folder, session, held, paths: new FolderPaths(path, session.folder) };
}

/**
 * Resolves when a document is not on its way to anything any more, or after a while in any case.
 * @param docId undefined: none of the session's documents is.
 */
export async function untilMerged(session: FolderSession, docId?: string): Promise<void> {
  if (!isMerging(session, docId)) return;
  const store = new DisposableStore();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, MERGE_PATIENCE_MS);
    store.add({ dispose: () => clearTimeout(timer) });
    store.add(session.onDidChangeStatus(() => (isMerging(session, docId) ? undefined : resolve())));
  });
  store.dispose();
}
