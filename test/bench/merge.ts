// Scores the merge on a corpus of real merges, beside `git merge-file`:
//   node test/bench/merge.ts --corpus DIR [--index INDEX.tsv] [--filter TEXT] [--list]
// Prints the five scores of the corpus README, in all and per repository. `--list` names every case that is not as it should be.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { threeWayMerge } from '../../src/core/merge/threeWayMerge.ts';
import type { MergeResult } from '../../src/core/merge/types.ts';
import { checkDocument } from '../../src/core/openapi/checkDocument.ts';
import { PlainCache } from '../../src/core/openapi/plainDocument.ts';
import { dataOf, type MergeCase, readCases } from './mergeCorpus.ts';
import { missingChanges } from './missingChanges.ts';
import { unpackedCorpus } from './unpackedCorpus.ts';

type Outcome = 'equal' | 'equal-unordered' | 'different' | 'conflict' | 'invalid' | 'unreadable';

interface Scored {
  readonly merge: MergeCase;
  readonly ours: Outcome;
  readonly conflicts: readonly string[];
  readonly git: Outcome;
  readonly gitText: string;
  readonly bytesEqualGit: boolean;
  readonly takenBy: string;
  readonly missing: readonly string[];
}

const { values: args } = parseArgs({
  options: {
    corpus: { type: 'string', default: '../shared/corpus' },
    index: { type: 'string' },
    filter: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
  },
});
const corpus = unpackedCorpus(args.corpus, 'cases');
if (corpus === undefined) process.exit(0);
// The archive holds the cases only; the index lies beside it.
const index = [args.index, join(args.corpus, 'INDEX.tsv'), '../shared/corpus/INDEX.tsv'].find(
  (path) => path !== undefined && existsSync(path),
);

const scored: Scored[] = [];
let mergeMs = 0;
for (const merge of readCases(corpus, index, args.filter)) scored.push(score(merge));
for (const [title, chosen] of [
  ['all', scored],
  ['without transcom/mymove and weaviate/weaviate', scored.filter(({ merge }) => !/mymove|weaviate/.test(merge.repo))],
] as const) {
  printScores(title, chosen);
}
for (const repo of [...new Set(scored.map(({ merge }) => merge.repo))].sort())
  printRepo(
    repo,
    scored.filter(({ merge }) => merge.repo === repo),
  );
console.log(`\n${scored.length} merges in ${Math.round(mergeMs)} ms`);

function score(merge: MergeCase): Scored {
  const cache = new PlainCache();
  const git = spawnSync(
    'git',
    ['merge-file', '-p', ...['ours', 'base', 'theirs'].map((side) => join(merge.dir, `${side}.${merge.extension}`))],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  const gitText = git.stdout.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const start = performance.now();
  const result = threeWayMerge({ base: merge.base, ours: merge.ours, theirs: merge.theirs }, merge.format);
  mergeMs += performance.now() - start;
  const unreadable = result.problems.some((problem) => problem.severity === 'error');
  const isClean = result.conflicts.length === 0 && !unreadable;
  return {
    merge,
    ours: unreadable
      ? 'unreadable'
      : !isClean
        ? checkDocument(result.text, merge.format).length > 0
          ? 'invalid'
          : 'conflict'
        : compare(result.text, merge, cache),
    conflicts: unreadable
      ? result.problems.map((problem) => problem.message)
      : result.conflicts.map((conflict) => `${conflict.kind} ${conflict.pointer}`),
    git: git.status === 0 ? compare(gitText, merge, cache) : 'conflict',
    gitText,
    bytesEqualGit: git.status === 0 && isClean && gitText === result.text,
    takenBy: result.takenBy,
    missing: unreadable ? [] : missingChanges(merge, { ours: result, theirs: withTheirs(merge, result) }, cache),
  };
}

function withTheirs({ base, ours, theirs, format }: MergeCase, result: MergeResult): MergeResult {
  if (result.conflicts.length === 0) return result;
  return threeWayMerge({ base, ours, theirs }, format, { unresolved: 'theirs' });
}

function compare(text: string, merge: MergeCase, cache: PlainCache): Outcome {
  const data = dataOf(text, merge.format, false, cache);
  if (data === undefined) return 'invalid';
  if (data === dataOf(merge.human, merge.format, false, cache)) return 'equal';
  return dataOf(text, merge.format, true, cache) === dataOf(merge.human, merge.format, true, cache)
    ? 'equal-unordered'
    : 'different';
}

function printScores(title: string, all: readonly Scored[]): void {
  console.log(`\n== ${title}: ${all.length} merges ==`);
  const real = all.filter(({ merge }) => merge.kind !== 'replayed');
  const faithful = real.filter(({ merge }) => merge.gitClass === 'conflict' && merge.humanFaithful);
  printRow(
    '1a git conflicts, determined',
    faithful.filter(({ merge }) => merge.determined),
    isEqual,
  );
  printRow(
    '1b git conflicts, both changed a leaf',
    faithful.filter(({ merge }) => !merge.determined),
    (one) => isEqual(one) || one.ours === 'conflict',
  );
  printRow(
    '2  git clean and right',
    real.filter(({ git }) => git === 'equal'),
    (one) => one.bytesEqualGit,
  );
  printRow(
    '3  git writes an invalid file',
    all.filter(({ git }) => git === 'invalid'),
    (one) => one.ours !== 'invalid',
  );
  printRow(
    '4  replayed',
    all.filter(({ merge }) => merge.kind === 'replayed'),
    isEqual,
  );
  printRow(
    '-  git clean but not as the human',
    real.filter(({ git }) => git === 'different' || git === 'equal-unordered'),
    () => true,
  );
  printRow(
    '-  git conflicts, human not faithful',
    real.filter(({ merge }) => merge.gitClass === 'conflict' && !merge.humanFaithful),
    () => true,
  );
  const losing = all.filter(({ missing }) => missing.length > 0);
  console.log(`5  merges that miss a one-sided change: ${losing.length}`);
  if (args.list && title === 'all')
    for (const one of losing) console.log(`     ${one.merge.name}  ${one.missing.slice(0, 3).join('  ')}`);
  const invalid = all.filter(({ ours }) => ours === 'invalid');
  console.log(`   invalid results: ${invalid.length}`);
}

function isEqual(one: Scored): boolean {
  return one.ours === 'equal' || one.ours === 'equal-unordered';
}

function printRow(title: string, rows: readonly Scored[], isGood: (one: Scored) => boolean): void {
  const count = (outcome: Outcome): number => rows.filter(({ ours }) => ours === outcome).length;
  const good = rows.filter(isGood).length;
  const percent = rows.length === 0 ? '-' : `${((100 * good) / rows.length).toFixed(1)} %`;
  const git = rows.filter((one) => one.git === 'equal').length;
  const bytes = rows.filter(({ bytesEqualGit }) => bytesEqualGit).length;
  console.log(
    `${title}: ${good}/${rows.length} (${percent})  equal ${count('equal')} +order ${count('equal-unordered')}  conflict ${count('conflict')}  different ${count('different')}  invalid ${count('invalid')}  unreadable ${count('unreadable')}  | bytes as git ${bytes}, git equal ${git}`,
  );
  if (!args.list) return;
  for (const one of rows) {
    if (isGood(one) && one.ours !== 'different') continue;
    const detail = one.conflicts.length > 0 ? `${one.conflicts.length}: ${one.conflicts.slice(0, 3).join('  ')}` : '';
    console.log(
      `     ${one.ours.padEnd(10)} ${one.merge.name}  by ${one.takenBy}  git ${one.git}  human=${one.merge.humanEquals}  ${detail}`,
    );
  }
}

function printRepo(repo: string, rows: readonly Scored[]): void {
  const count = (side: 'ours' | 'git', outcome: Outcome): number => rows.filter((one) => one[side] === outcome).length;
  const line = (side: 'ours' | 'git'): string =>
    `equal ${count(side, 'equal') + count(side, 'equal-unordered')} conflict ${count(side, 'conflict')} different ${count(side, 'different')} invalid ${count(side, 'invalid')}`;
  console.log(`${repo.padEnd(52)} ${String(rows.length).padStart(4)}  here: ${line('ours')}  | git: ${line('git')}`);
}
