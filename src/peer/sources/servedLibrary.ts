import { join } from 'node:path';
import type { PeerId } from '../../core/ids.ts';
import type { ReplicaRecord } from '../../node/folders/folderRecord.ts';
import { librariesDirectory } from '../../node/stateDirectory.ts';
import { libraryPathIn } from '../folderLayout.ts';
import type { ServingReplica } from '../servingReplica.ts';
import { readLeaderAddress } from '../syncLeaderAddress.ts';
import type { JoinedLibrary } from './sourceLibrary.ts';

export interface ServedLibraryOptions {
  readonly stateDir: string;
  readonly peerId: PeerId;
  readonly record: ReplicaRecord;
  /** As it is when asked; undefined where this window does not serve the folder, or not any more. */
  readonly serving: () => ServingReplica | undefined;
}

/** The library that a folder has joined, as its sources know it. */
export async function servedLibrary(options: ServedLibraryOptions): Promise<JoinedLibrary> {
  const { stateDir, peerId, record, serving } = options;
  const directory = join(librariesDirectory(stateDir), record.libraryId);
  const place = {
    kind: 'joined',
    directory,
    peerId,
    libraryPathOf: (path: string) => libraryPathIn(record, path),
  } as const;
  const link = serving()?.link.status;
  if (link === undefined) {
    // One that another window serves has no link here; who leads is written beside the log.
    const leaderId = (await readLeaderAddress(directory))?.leaderId;
    return { ...place, leaderId, leaderName: undefined, isCaughtUp: () => true, agreedHash: () => undefined };
  }
  const leaderId = link.connection === 'connected' ? link.term?.leaderId : undefined;
  return {
    ...place,
    leaderId,
    leaderName: link.peers.find((peer) => peer.peerId === leaderId)?.folderName,
    isCaughtUp: (path) => {
      const document = serving()?.replica.documents.find((one) => one.path === path);
      return serving()?.metrics().lag === 0 && document?.state !== 'syncing';
    },
    agreedHash: (path) => serving()?.replica.agreedHash(path),
  };
}
