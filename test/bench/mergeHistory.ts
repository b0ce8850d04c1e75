// Replays real histories as live edits: each step is a peer's edit, and another peer edits one line elsewhere meanwhile.
//   node test/bench/mergeHistory.ts --corpus DIR [--every N]      (DIR/histories of the unpacked corpus)
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { applySplices, diffSplices } from '../../src/core/merge/splices.ts';
import { threeWayMerge } from '../../src/core/merge/threeWayMerge.ts';

const { values: args } = parseArgs({
  options: { corpus: { type: 'string', default: '../shared/corpus' }, every: { type: 'string', default: '10' } },
});
const histories = join(args.corpus, 'histories');
if (!existsSync(histories)) {
  console.log(
    `SKIPPED: no unpacked histories at ${histories} (unpack histories.tar.xz and give the folder above as --corpus)`,
  );
  process.exit(0);
}
/** Lines between the two edits, so that they are surely apart. */
const MIN_DISTANCE = 20;

for (const name of readdirSync(histories).sort()) {
  const folder = join(histories, name);
  const files = readdirSync(folder)
    .filter((file) => /^\d+\.(ya?ml|json)$/.test(file))
    .sort();
  const counts = { steps: 0, equal: 0, conflicts: 0, unequal: 0, unreadable: 0 };
  for (let step = 0; step + 1 < files.length; step += Number(args.every)) {
    const read = (index: number): string =>
      readFileSync(join(folder, files[index] ?? ''), 'utf8')
        .replace(/^\uFEFF/, '')
        .replaceAll('\r\n', '\n');
    const base = read(step);
    const theirs = read(step + 1);
    const edit = editElsewhere(base, theirs, step);
    if (edit === undefined) continue;
    counts.steps++;
    const ours = applySplices(base, [edit]);
    const result = threeWayMerge({ base, ours, theirs }, 'yaml');
    // Away from the step, the edit of one line applies to the other's text in the same way.
    const line = lineOf(ours, edit.offset);
    const expected = theirs.replace(`${lineOf(base, edit.offset)}\n`, `${line}\n`);
    if (result.problems.some((problem) => problem.severity === 'error')) counts.unreadable++;
    else if (result.conflicts.length > 0) {
      counts.conflicts++;
      console.log(
        `  conflict ${name} ${files[step] ?? ''}: ${result.conflicts
          .map(({ kind, pointer }) => `${kind} ${pointer}`)
          .slice(0, 2)
          .join(', ')}`,
      );
    } else if (result.text === expected) counts.equal++;
    else {
      counts.unequal++;
      console.log(`  unequal ${name} ${files[step] ?? ''}`);
    }
  }
  console.log(`${name}: ${JSON.stringify(counts)}`);
}

/** A word more in a line of prose that occurs once in both texts and is far from what the step changed. */
function editElsewhere(
  base: string,
  theirs: string,
  seed: number,
): { readonly offset: number; readonly deleteCount: number; readonly insert: string } | undefined {
  const lines = base.split('\n');
  const touched = diffSplices(base, theirs).map(({ offset }) => base.slice(0, offset).split('\n').length - 1);
  for (let attempt = 0; attempt < 200; attempt++) {
    const at = ((seed + 1) * 7919 + attempt * 104_729) % lines.length;
    const line = lines[at] ?? '';
    const isProse = /^\s+(?:summary|description): ["']?[A-Z][\w ,]+\w/.exec(line);
    const isUnique = base.split(`${line}\n`).length === 2 && theirs.split(`${line}\n`).length === 2;
    if (isProse === null || !isUnique || touched.some((other) => Math.abs(other - at) < MIN_DISTANCE)) continue;
    const offset = lines.slice(0, at).join('\n').length + (at > 0 ? 1 : 0) + isProse[0].length;
    return { offset, deleteCount: 0, insert: ' indeed' };
  }
  return undefined;
}

function lineOf(text: string, offset: number): string {
  const end = text.indexOf('\n', offset);
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, end < 0 ? text.length : end);
}
