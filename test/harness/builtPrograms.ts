import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from './paths.ts';

type Program = 'cli.js' | 'logWorker.cjs' | 'replicaWorker.cjs' | 'documentWorker.cjs';

const dist = path.join(projectRoot, 'dist');
/** All are built at once: this one stands for the others. */
const ONE_OF_THEM: Program = 'cli.js';

let isChecked = false;

/**
 * The path of a program as it ships. Whole peers are tested as that: it is what people run, and it starts in a fifth of the
 * time that its sources need, each loaded and stripped of its types by itself.
 * @throws where the sources were changed since it was built.
 */
export function builtProgram(name: Program): string {
  isChecked ||= programsAreFresh();
  if (!isChecked) throw new Error('The programs are not built from these sources: run "npm run build" first.');
  return path.join(dist, name);
}

/** Whether nothing of the sources is newer than what was built from them. */
export function programsAreFresh(): boolean {
  const builtAt = statSync(path.join(dist, ONE_OF_THEM), { throwIfNoEntry: false })?.mtimeMs;
  if (builtAt === undefined) return false;
  const sources = path.join(projectRoot, 'src');
  return readdirSync(sources, { recursive: true, encoding: 'utf8' }).every(
    (file) => !file.endsWith('.ts') || statSync(path.join(sources, file)).mtimeMs <= builtAt,
  );
}
