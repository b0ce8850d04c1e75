// A process that watches folders and lets go of them, and has nothing else to live for: see documentWatcher.test.ts.
import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WatchedFolder } from '../../../src/node/files/watchedFolder.ts';

const [root = ''] = process.argv.slice(2);
const quiet = (): void => undefined;
const FILES = ['a.yaml', 'b.yaml', 'c.yaml'];
// Letting go comes at each of the moments between the removal and the watcher's having looked after it.
for (let turns = 0; turns < 5; turns++) {
  const folder = join(root, String(turns));
  mkdirSync(folder);
  for (const name of FILES) writeFileSync(join(folder, name), 'a');
  const watched = new WatchedFolder(folder, false, { file: quiet, newFolder: quiet, lost: quiet, failed: quiet });
  await watched.ready;
  for (const name of FILES) unlinkSync(join(folder, name));
  for (let turn = 0; turn < turns; turn++) await nextTurn();
  watched.dispose();
}
