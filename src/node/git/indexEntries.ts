import type { GitCommand } from './gitCommand.ts';

/** Windows takes no longer command lines than some 32,000 units. */
const MAX_PATHS_UNITS = 16_000;
/** mode name stage path, and below it the times that are compared to find files that changed. Stage 0: not in conflict. */
const ENTRY = /\d+ (?<name>[0-9a-f]+) 0\t(?<path>[^\0]*)\0(?: .*\n)*? *mtime: (?<seconds>\d+):(?<nanoseconds>\d+)\n/g;

/** What git's index notes of a file. */
export interface IndexEntry {
  /** Of its text. */
  readonly objectName: string;
  /** When the file was changed to that; undefined where the text was put into the index and not seen in the file. */
  readonly modifiedAt: number | undefined;
}

/**
 * What the index has of these paths, in as few processes as may be; undefined for those that it does not have, that are in
 * conflict, or that git does not tell of.
 */
export async function readIndexEntries(
  git: GitCommand,
  paths: readonly string[],
): Promise<readonly (IndexEntry | undefined)[]> {
  const entries = new Map<string, IndexEntry>();
  // Git gives up altogether where it is asked for something outside of its folder.
  const inside = paths.filter((path) => !path.startsWith('../'));
  for (const part of inParts(inside)) await list(git, part, entries);
  return paths.map((path) => entries.get(path.normalize()));
}

async function list(git: GitCommand, paths: readonly string[], entries: Map<string, IndexEntry>): Promise<void> {
  const { code, stdout } = await git.run(['ls-files', '-z', '--stage', '--debug', '--', ...paths]);
  if (code !== 0 && paths.length > 1) {
    // Perhaps one of them keeps the others from being told of; git that answers nothing is not asked for each.
    if ((await git.line(['rev-parse', '--git-dir'])) === undefined) return;
    for (const path of paths) await list(git, [path], entries);
    return;
  }
  // What `--debug` prints may change; where it has, nobody knows.
  for (const { groups } of stdout.matchAll(ENTRY)) {
    const { name, path, seconds, nanoseconds } = groups ?? {};
    if (name === undefined || path === undefined) continue;
    const modifiedAt = Number(seconds) === 0 ? undefined : Number(seconds) * 1e3 + Number(nanoseconds) / 1e6;
    // Git may have composed the letters of a name in another way than the disk.
    entries.set(path.normalize(), { objectName: name, modifiedAt });
  }
}

function inParts(paths: readonly string[]): readonly (readonly string[])[] {
  const parts: string[][] = [];
  let units = Infinity;
  for (const path of paths) {
    units += path.length;
    const part = units > MAX_PATHS_UNITS ? undefined : parts.at(-1);
    if (part === undefined) {
      parts.push([path]);
      units = path.length;
    } else part.push(path);
  }
  return parts;
}
