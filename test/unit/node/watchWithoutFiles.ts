// A process that may open no more files watches the folder of one: see documentWatcher.test.ts.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const tooMany = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
Object.assign(fs.promises, { readdir: () => Promise.reject(tooMany) });
syncBuiltinESMExports();

// Not before: chokidar takes what it reads folders with when it is loaded.
const { DocumentWatcher } = await import('../../../src/node/files/documentWatcher.ts');
const quiet = (): void => undefined;
const watcher = new DocumentWatcher({ trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet });
const said: string[] = [];
watcher.onDidFail(({ code }) => said.push(code));
await watcher.watchFoldersOf(process.argv.slice(2));
said.push('goes on');
process.stdout.write(JSON.stringify(said));
watcher.dispose();
