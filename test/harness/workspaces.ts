import { cp, mkdir, readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { sampleWorkspacesDir } from './paths.ts';

/** The names under test/fixtures/workspaces. */
export type SampleWorkspace = 'harbor-tours' | 'empty';

/** Copies a sample workspace to a folder that does not exist yet; returns the folder as the file system names it. */
export async function copyWorkspace(sample: SampleWorkspace, target: string): Promise<string> {
  await mkdir(target, { recursive: true });
  if (sample !== 'empty') await cp(path.join(sampleWorkspacesDir, sample), target, { recursive: true });
  return realpath(target);
}

/** Every file below a folder with its text, without `.git`; for "nothing else has changed". */
export async function readTree(dir: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const relative = path.relative(dir, file).split(path.sep).join('/');
    if (entry.isFile() && !relative.startsWith('.git/')) files.set(relative, await readFile(file, 'utf8'));
  }
  return files;
}
