import type { CreatePeer } from '../peer/index.ts';

/** What the extension uses of the peer's bundle: the log, the watcher and the sockets are behind it. */
export interface PeerModule {
  readonly createPeer: CreatePeer;
}

/** Loads the peer from its own bundle. Nothing else in the extension touches it, so that a window that nobody said yes in stays light. */
export async function loadPeer(): Promise<PeerModule> {
  return await import('../peer/peer.ts');
}
