import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';
import { FROZEN_RELEASE, PEER_BUNDLE } from '../integration/support/previousRelease.ts';

/** `node test/harness/freezeRelease.ts`, in a checkout of a release: keeps its headless peer for the tests of the next one. */
const root = fileURLToPath(new URL('../..', import.meta.url));
await promisify(execFile)(process.execPath, ['esbuild.mjs', '--production'], { cwd: root });
const dist = join(root, 'dist');
const names = (await readdir(dist)).filter((name) => PEER_BUNDLE.test(name)).sort();
const bundles = Object.fromEntries(
  await Promise.all(names.map(async (name) => [name, await readFile(join(dist, name), 'utf8')] as const)),
);
const packed = await promisify(brotliCompress)(JSON.stringify(bundles));
await writeFile(FROZEN_RELEASE, packed);
console.log(`${names.join(', ')}: ${packed.length.toLocaleString('en')} bytes`);
