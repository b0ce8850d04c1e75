import { afterEach, test } from 'node:test';
import { PeerGroup } from './peerProcesses.ts';
import { saveOnFullDisk } from './saveOnFullDisk.ts';

let group: PeerGroup | undefined;

afterEach(async () => {
  await group?.dispose();
  group = undefined;
});

test(
  '[REP-07] [I6] [I8] a full disk: nothing is acknowledged that is not on it, nobody dies, and it goes on by itself once there is room',
  { skip: process.platform !== 'linux' },
  async () => {
    group = await PeerGroup.create();
    await saveOnFullDisk(group, 60, 300);
  },
);
