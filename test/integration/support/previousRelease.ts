import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { z } from 'zod';

/** Made by `node test/harness/freezeRelease.ts` in a checkout of that release. */
export const FROZEN_RELEASE = fileURLToPath(new URL('../../fixtures/previousRelease/bundles.json.br', import.meta.url));
/** A headless peer needs no more than these of what ships. */
export const PEER_BUNDLE = /^(cli\.js|package\.json|(log|replica|document)Worker\.cjs)$/;

/**
 * The headless peer of the release before this one, to stand beside this one on a log (DESIGN §5, "Versions").
 * Unpacks it into `folder` and returns the path of its command line.
 */
export async function unpackPreviousRelease(folder: string): Promise<string> {
  const text = (await promisify(brotliDecompress)(await readFile(FROZEN_RELEASE))).toString('utf8');
  await mkdir(folder, { recursive: true });
  const bundles = z.record(z.string().regex(PEER_BUNDLE), z.string()).parse(JSON.parse(text));
  for (const [name, content] of Object.entries(bundles)) await writeFile(join(folder, name), content);
  return join(folder, 'cli.js');
}
