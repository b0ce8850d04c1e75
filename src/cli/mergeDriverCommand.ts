import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { splitLines } from '../core/merge/lineDiff.ts';
import { mergeLines } from '../core/merge/lineMerge.ts';
import { asCopyOf, type Copies, mergeCopies, readCopies } from './mergeCommand.ts';
import { EXIT_ERROR, formatOf, MAX_EXIT_CONFLICTS, type MergeIo, readInfoVersion } from './mergeFiles.ts';
import { withMarkers } from './mergeMarkers.ts';

const USAGE = `Usage: api-live-sync merge-driver [--info-version ask|higher|ours|theirs] %O %A %B %P %L

Called by git: base, ours, theirs, path in the repository, marker size. The result replaces ours.`;

/** The merge driver that git calls; the exit code. A file that is no readable OpenAPI file is merged by lines, as git would. */
export async function runMergeDriverCommand(args: readonly string[], io: MergeIo): Promise<number> {
  // By hand: a path in the repository may begin with a dash.
  const [option, value] = args;
  const isOption = option === '--info-version';
  const [base, ours, theirs, path, size] = isOption ? args.slice(2) : args;
  if (base === undefined || ours === undefined || theirs === undefined || option === '--help') {
    io.writeError(USAGE);
    return option === '--help' ? 0 : EXIT_ERROR;
  }
  try {
    const infoVersion = readInfoVersion(isOption ? value : undefined);
    const copies = await readCopies(io.cwd, { base, ours, theirs });
    const markerSize = Number.isInteger(Number(size)) && Number(size) > 0 ? Number(size) : 7;
    const format = formatOf(path ?? ours, [copies.ours.text, copies.theirs.text]);
    const merged = mergeCopies(copies, format, { infoVersion }, markerSize);
    const isUnreadable = merged.result.problems.some((problem) => problem.severity === 'error');
    const { raw, count } = isUnreadable
      ? mergeAsLines(copies, markerSize)
      : { raw: merged.raw, count: merged.result.conflicts.length };
    await writeFile(resolve(io.cwd, ours), raw);
    for (const conflict of merged.result.conflicts)
      io.writeError(`${path ?? ours}: conflict (${conflict.kind}) in ${conflict.label}`);
    return Math.min(count, MAX_EXIT_CONFLICTS);
  } catch (error) {
    io.writeError(`api-live-sync merge-driver: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT_ERROR;
  }
}

function mergeAsLines(
  { base, ours, theirs }: Copies,
  markerSize: number,
): { readonly raw: string; readonly count: number } {
  const baseLines = splitLines(base.text);
  const ourLines = splitLines(ours.text);
  const theirLines = splitLines(theirs.text);
  const { stretches } = mergeLines(baseLines, ourLines, theirLines);
  let count = 0;
  const text = stretches.map((stretch) => {
    const own = ourLines.slice(stretch.oursStart, stretch.oursEnd).join('');
    const other = theirLines.slice(stretch.theirsStart, stretch.theirsEnd).join('');
    if (stretch.from !== 'clash') return stretch.from === 'theirs' ? other : own;
    count++;
    return withMarkers(
      { base: baseLines.slice(stretch.baseStart, stretch.baseEnd).join(''), ours: own, theirs: other },
      markerSize,
    );
  });
  return { raw: asCopyOf(ours, text.join('')), count };
}
