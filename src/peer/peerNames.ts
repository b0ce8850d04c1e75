import type { PeerInfo } from '../core/replication/libraryLink.ts';

/** Longer names than this are cut: nobody reads them. */
const MAX_NAME_PART_LENGTH = 80;

/** As others see this peer; what travels in messages is bounded, whatever people call themselves and their folders. */
export function peerNames(person: string, folder: string): Pick<PeerInfo, 'name' | 'folderName'> {
  const folderName = folder.slice(0, MAX_NAME_PART_LENGTH);
  return { name: `${person.slice(0, MAX_NAME_PART_LENGTH)} (${folderName})`, folderName };
}
