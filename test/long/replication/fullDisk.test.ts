import { test } from 'node:test';
import { PeerGroup } from '../../integration/replication/peerProcesses.ts';
import { saveOnFullDisk } from '../../integration/replication/saveOnFullDisk.ts';

/** Full at other moments of what SQLite does: while it makes its files, writes ahead, or brings that into the log. */
const LIMITS_KIB = [160, 200, 240, 280, 320, 360, 400, 440, 480, 520];

for (const limitKib of LIMITS_KIB) {
  test(
    `[REP-07] [I6] [I8] a disk that is full at ${String(limitKib)} KiB: nothing is acknowledged that is not on it, and it goes on by itself`,
    { skip: process.platform !== 'linux' },
    async () => {
      const group = await PeerGroup.create();
      try {
        await saveOnFullDisk(group, 200, limitKib);
      } finally {
        await group.dispose();
      }
    },
  );
}
