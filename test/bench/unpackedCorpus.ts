import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ARCHIVES = { cases: 'merges.tar.xz', histories: 'histories.tar.xz', specs: 'specs.tar.xz' } as const;

/**
 * A folder that has the named part of the corpus: `corpus` itself where it is unpacked there, else a temporary one that
 * goes with this process. Undefined, with one line that says so, where there is neither the part nor its archive.
 */
export function unpackedCorpus(corpus: string, part: keyof typeof ARCHIVES): string | undefined {
  if (existsSync(join(corpus, part))) return corpus;
  const archive = resolve(corpus, ARCHIVES[part]);
  if (!existsSync(archive)) {
    console.log(`SKIPPED: neither ${part} nor ${ARCHIVES[part]} in ${corpus} (--corpus DIR says where they are)`);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'api-live-sync-corpus-'));
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const { status, stderr } = spawnSync('tar', ['-xJf', archive, '-C', folder], { encoding: 'utf8' });
  if (status === 0 && existsSync(join(folder, part))) return folder;
  console.log(`SKIPPED: ${archive} could not be unpacked with "tar -xJf" (is xz installed?) ${stderr}`);
  return undefined;
}
