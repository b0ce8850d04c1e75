import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../atomicFile.ts';
import { makePrivateDirectory } from '../stateDirectory.ts';

const LAUNCHER_NAME = 'git-merge-driver.sh';
const LAUNCHER_MODE = 0o700;

/** What runs the merge: a program that is, or can pass for, Node, and the command line of this product. */
export interface MergeDriverProgram {
  readonly runtime: string;
  readonly cli: string;
}

/**
 * An editor's update moves both its runtime and the extension, and git's configuration would point to nothing. So git
 * calls this script, which stays where it is and is written again when a window starts. Where the extension is gone, it
 * does what git would have done.
 */
export function launcherPath(stateDir: string): string {
  return join(stateDir, LAUNCHER_NAME);
}

/** How git calls the script; git runs it with `sh`, also on Windows. */
export function launcherCommand(stateDir: string): string {
  return `sh ${quoteForShell(launcherPath(stateDir))}`;
}

export async function writeLauncher(stateDir: string, program: MergeDriverProgram): Promise<void> {
  makePrivateDirectory(stateDir);
  await writeFileAtomic(launcherPath(stateDir), launcherText(program), { mode: LAUNCHER_MODE });
}

/** Writes the script again where there is one that calls another program. */
export async function refreshLauncher(stateDir: string, program: MergeDriverProgram): Promise<void> {
  // Not there: nobody set it up on this machine.
  const before = await readFile(launcherPath(stateDir), 'utf8').catch(() => undefined);
  if (before !== undefined && before !== launcherText(program)) await writeLauncher(stateDir, program);
}

function launcherText({ runtime, cli }: MergeDriverProgram): string {
  return `#!/bin/sh
# Written by API Live Sync. git runs this to merge OpenAPI files: merge-driver %O %A %B %P %L
runtime=${quoteForShell(runtime)}
cli=${quoteForShell(cli)}
export ELECTRON_RUN_AS_NODE=1
if [ -f "$cli" ]; then
  if [ -x "$runtime" ]; then exec "$runtime" "$cli" "$@"; fi
  if command -v node >/dev/null 2>&1; then exec node "$cli" "$@"; fi
fi
# API Live Sync is not installed any more: merge by lines, as git does.
exec git merge-file --marker-size="$6" -L ours -L base -L theirs "$3" "$2" "$4"
`;
}

/** In single quotes, with forward slashes: `sh` on Windows takes those. */
function quoteForShell(path: string): string {
  return `'${path.replaceAll('\\', '/').replaceAll("'", `'\\''`)}'`;
}
