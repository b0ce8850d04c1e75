import type { FolderSession } from '../peer/folderSession.ts';
import type { StatusBarView } from './statusBarModel.ts';

/** What the extension gives to other extensions and to tests (`extension.exports`). */
export interface ExtensionApi {
  /** How long `activate` took. */
  readonly activationMs: number;
  /** Whether the peer's bundle has been loaded in this window. */
  readonly hasLoadedPeer: () => boolean;
  /** Resolves when the folders that are to be opened by themselves have been opened. */
  readonly ready: () => Promise<void>;
  /** One per workspace folder that is open. */
  readonly sessions: () => readonly FolderSession[];
  /** What the status bar shows; undefined where it is hidden. */
  readonly statusBar: () => StatusBarView | undefined;
}
