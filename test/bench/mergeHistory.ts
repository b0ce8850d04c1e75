// Replays real histories as live edits of three peers: each step is one peer's save, and another peer saves an edit
// elsewhere at nearly the same moment. Real replicas, merges and replication between simulated folders and network.
//   node test/bench/mergeHistory.ts --corpus DIR [--every N] [--filter TEXT]      (DIR: the corpus, packed or not)
// `equal`: both edits are in all three files, byte for byte, and after the second edit was undone all three are the
// history's next version. Anything else is named.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { applySplices, diffSplices } from '../../src/core/merge/splices.ts';
import type { Splice } from '../../src/core/merge/types.ts';
import { checkDocument } from '../../src/core/openapi/checkDocument.ts';
import { ThreePeers } from '../simulation/replica/threePeers.ts';
import { unpackedCorpus } from './unpackedCorpus.ts';

const { values: args } = parseArgs({
  options: {
    corpus: { type: 'string', default: '../shared/corpus' },
    every: { type: 'string', default: '1' },
    filter: { type: 'string', default: '' },
  },
});
const corpus = unpackedCorpus(args.corpus, 'histories');
if (corpus === undefined) process.exit(0);
const histories = join(corpus, 'histories');
/** Lines between the two edits, so that they are surely apart. */
const MIN_DISTANCE = 20;
const ATTEMPTS = 200;

for (const name of readdirSync(histories)
  .filter((one) => one.includes(args.filter))
  .sort()) {
  const folder = join(histories, name);
  const files = readdirSync(folder)
    .filter((file) => /^\d+\.(ya?ml|json)$/.test(file))
    .sort();
  const counts = { steps: 0, equal: 0, conflicts: 0, unequal: 0, unreadable: 0, sameText: 0 };
  const begun = performance.now();
  const read = (index: number): string =>
    readFileSync(join(folder, files[index] ?? ''), 'utf8')
      .replace(/^\uFEFF/, '')
      .replaceAll('\r\n', '\n');
  let peers: ThreePeers | undefined;
  for (let step = 0; step + 1 < files.length; step += Number(args.every)) {
    const [before, after] = [read(step), read(step + 1)];
    if (before === after) {
      counts.sameText++;
      continue;
    }
    if ([before, after].some((text) => checkDocument(text, 'yaml').length > 0)) {
      counts.unreadable++;
      peers = undefined;
      continue;
    }
    const edit = editElsewhere(before, after, step);
    if (edit === undefined) continue;
    // With every step taken, the peers go on from where the last one left them.
    if (peers?.text !== before) peers = await ThreePeers.start(before, step);
    const edited = applySplices(before, [edit.splice]);
    const outcome = await peers.editTogether({ text: after, by: step % 3 }, { text: edited, by: (step + 1) % 3 });
    counts.steps++;
    const isEqual = outcome.isInStep && outcome.text === after.replace(edit.line, () => edit.newLine);
    if (isEqual && (await peers.edit({ text: after, by: (step + 1) % 3 }))) counts.equal++;
    else {
      if (outcome.conflicts.length > 0) counts.conflicts++;
      else counts.unequal++;
      console.log(
        `  ${name} ${files[step] ?? ''}: ${outcome.conflicts.slice(0, 3).join(', ') || (outcome.isInStep ? 'another text' : outcome.why)}`,
      );
      peers = undefined;
    }
  }
  console.log(`${name}: ${JSON.stringify(counts)}  ${((performance.now() - begun) / 1000).toFixed(0)} s`);
}

interface EditElsewhere {
  readonly splice: Splice;
  /** The line that it changes, which occurs once, and what it becomes; with their line ends. */
  readonly line: string;
  readonly newLine: string;
}

/** A word more in a line of prose, or a comment above a key, in a line that occurs once in both texts and is far from what the step changed. */
function editElsewhere(before: string, after: string, seed: number): EditElsewhere | undefined {
  const lines = before.split('\n');
  const touched = diffSplices(before, after).map(({ offset }) => before.slice(0, offset).split('\n').length - 1);
  const wantsComment = seed % 2 === 1;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const at = ((seed + 1) * 7919 + attempt * 104_729) % lines.length;
    const line = `${lines[at] ?? ''}\n`;
    const match = wantsComment
      ? /^(\s+)(?=operationId: \w+\n)/.exec(line)
      : /^\s+(?:summary|description): ["']?[A-Z][\w ,]+\w/.exec(line);
    const isUnique = before.split(line).length === 2 && after.split(line).length === 2;
    if (match === null || !isUnique || touched.some((other) => Math.abs(other - at) < MIN_DISTANCE)) continue;
    const insert = wantsComment ? `# edit ${seed}\n${match[1] ?? ''}` : ' indeed';
    const offset = lines.slice(0, at).join('\n').length + (at > 0 ? 1 : 0) + match[0].length;
    return {
      splice: { offset, deleteCount: 0, insert },
      line,
      newLine: line.slice(0, match[0].length) + insert + line.slice(match[0].length),
    };
  }
  return undefined;
}
