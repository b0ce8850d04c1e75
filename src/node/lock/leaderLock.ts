import { join } from 'node:path';
import { ExclusiveLock } from './exclusiveLock.ts';

const LEADER_LOCK_FILE = 'leader.lock';

/** Who holds this lock is the leader of the library on this machine, and its only writer. */
export class LeaderLock extends ExclusiveLock {
  constructor(libraryDirectory: string) {
    super(join(libraryDirectory, LEADER_LOCK_FILE));
  }
}
