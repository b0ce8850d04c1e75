import type { FolderSession, PeerSettings, WorkingFiles } from './folderSession.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import type { ReadSecret } from './sources/sourceReader.ts';

/** What a peer's composition root hands over. */
export interface PeerOptions {
  readonly logger: Logger;
  readonly settings: PeerSettings;
  /** The user's state directory; undefined: the operating system's place for it. */
  readonly stateDirectory?: string;
  /** Where secrets of sources are kept; undefined: nowhere, and a source that asks for one says so. */
  readonly readSecret?: ReadSecret;
  /** The git program to run, asked each time; undefined: the one on the PATH. */
  readonly gitPath?: () => string;
  /** The programs of the worker threads. */
  readonly workers: PeerWorkers;
}

/** The worker threads' programs: bundles (`dist/*.cjs`), or the sources where those run. */
export interface PeerWorkers {
  readonly log: string;
  readonly replica: string;
  readonly documents: string;
}

/** A whole peer without an editor: opens sessions on workspace folders and owns them. */
export interface Peer extends Disposable {
  openFolder(folder: string, files: WorkingFiles): Promise<FolderSession>;
  /** Resolves when every session has let go of its locks and files. */
  readonly closed: Promise<void>;
}

export type CreatePeer = (options: PeerOptions) => Peer;
