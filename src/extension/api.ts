import type { FolderSession } from '../peer/folderSession.ts';
import type { LiveSyncService } from '../peer/sources/liveSyncService.ts';
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
  /**
   * The live sources of each workspace folder that is open. A source that is added here lives as long as the window; those
   * of the settings are added by the extension itself.
   */
  readonly sources: () => readonly LiveSyncService[];
  /** What the status bar shows; undefined where it is hidden. */
  readonly statusBar: () => StatusBarView | undefined;
}
