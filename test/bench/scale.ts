// Prints what a merge of large documents costs in time and memory, beside `git merge-file` and beside a full parse:
//   node test/bench/scale.ts --corpus DIR [--only PART-OF-NAME]      (DIR: the corpus, packed or not)
// Each figure comes from a process of its own. Times are of the processor, not of the wall, so that a loaded machine says
// nearly the same as a quiet one, and the ratios are what counts. The sides of a ratio take turns in one process, so that
// both meet the same machine: warmed up with as many parses as merges of a small document, each turn long enough for the
// clock and begun without garbage, so that each pays for its own. The ratio is the middle one of all turns. Peak memory
// is what the system says of a process that does the one thing once, on a machine that is cold, besides what it takes
// with the texts loaded; git's is that of its whole process.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseTree } from 'jsonc-parser';
import { parseDocument } from 'yaml';
import { mergeBlocks } from '../../src/core/merge/blockMerge.ts';
import { threeWayMerge } from '../../src/core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeInput } from '../../src/core/merge/types.ts';
import { checkDocument } from '../../src/core/openapi/checkDocument.ts';
import { PlainCache } from '../../src/core/openapi/plainDocument.ts';
import { WorkerMerger } from '../../src/node/documents/workerMerger.ts';
import { edited, SCALE_DOCUMENTS, warmUpDocument } from './scaleDocuments.ts';
import { sourceWorkers } from './sourceWorkers.ts';
import { unpackedCorpus } from './unpackedCorpus.ts';

/** A cold merge costs at most so many times what parsing its three texts costs. */
const MAX_COLD = 1.5;
/** A one-line edit, merged, and also proven, costs at most this part of one parse. */
const MAX_EDIT = 1 / 6;
/** A small one takes a millisecond; the bar is for what a person would wait for. In UTF-16 units. */
const LARGE_LENGTH = 2_500_000;
/** So many places are edited by each side where nothing was read before. */
const COLD_EDITS = 8;
const WARM_UP_ROUNDS = 60;
/** A turn does its work as often as it takes to last so long: the clock of the processor ticks. */
const MIN_TURN_MS = 40;
/** There are at least so many turns, and as many as take so long together. */
const MIN_TURNS = 5;
const MEASURED_MS = 4_000;
/** The calling thread is kept busy for at most so long at a stretch. */
const MAX_STRETCH_MS = 50;
/** Of so many runs the middle one counts. */
const STRETCH_RUNS = 3;
/** So often git is started to see how much it takes: on a busy machine it may be over before it was looked at often enough. */
const PEAK_TRIES = 5;
/** So many different texts are merged in turns, that none of them was read lately. */
const EDITED_TEXTS = 7;

/** What a process of its own does, and prints. */
const TASKS = ['time', 'stretch', 'parse', 'cold', 'edit'] as const;
type Task = (typeof TASKS)[number];

/** Milliseconds, and how many parses of one text they are worth. */
interface Cost {
  readonly ms: number;
  readonly ratio: number;
}

interface Times {
  readonly length: number;
  readonly parse: Cost;
  readonly cold: Cost;
  readonly edit: Cost;
  /** Of the edit: finding the merged text, before anything of it is proven. */
  readonly merged: Cost;
  readonly check: Cost;
  readonly result: string;
}

/** The longest stretches of the calling thread, in ms. */
interface Stretches {
  readonly cold: number;
  readonly edit: number;
}

const { values: args } = parseArgs({
  options: {
    corpus: { type: 'string', default: '../shared/corpus' },
    only: { type: 'string', default: '' },
    document: { type: 'string' },
    task: { type: 'string' },
  },
});
const corpus = unpackedCorpus(args.corpus, 'specs');
if (corpus === undefined) process.exit(0);
const specs = join(corpus, 'specs');

if (args.document !== undefined) {
  const task = TASKS.find((one) => one === args.task) ?? 'time';
  const { document } = args;
  const result =
    task === 'time' ? timesOf(document) : task === 'stretch' ? await stretchesOf(document) : memoryOf(document, task);
  console.log(JSON.stringify(result));
} else {
  console.log(
    `cold: up to ${COLD_EDITS} edits by each side, nothing read before; of three parses (bar ${MAX_COLD}). edit: one line by each ` +
      `side, the base read before, merged; of one parse (bar ${MAX_EDIT.toFixed(3)} from 3 MB on); and proven, as it is before anything is written (the same bar). check: a text with one new ` +
      'line. Processor time in ms, both sides warm. peak: MB besides the loaded texts, of one run, cold. stretch: the longest of ' +
      `the calling thread while the worker does it, in ms (bar ${MAX_STRETCH_MS}). git: wall, and peak of the whole process.\n`,
  );
  for (const { name } of SCALE_DOCUMENTS.filter((one) => one.name.includes(args.only))) printRow(name);
}

function printRow(name: string): void {
  const { length, parse, cold, edit, merged, check, result } = run(name, 'time') as Times;
  const stretch = run(name, 'stretch') as Stretches;
  const [parsePeak, coldPeak, editPeak] = (['parse', 'cold', 'edit'] as const).map((task) => String(run(name, task)));
  const mark = (value: number, max: number): string => (value <= max ? '' : ' OVER THE BAR');
  const bar = (value: number, max: number): string => value.toFixed(3) + mark(value, max);
  const ofThread = (ms: number): string => `stretch ${ms.toFixed(0)}${mark(ms, MAX_STRETCH_MS)}`;
  const ofEdit = ({ ratio }: Cost): string => bar(ratio, length < LARGE_LENGTH ? Infinity : MAX_EDIT);
  const git = gitMerge(prepare(name).input);
  console.log(
    `${name.padEnd(24)}${(length / 1e6).toFixed(2).padStart(6)} M  parse ${parse.ms.toFixed(1)}, peak ${parsePeak}  ` +
      `git ${git.ms.toFixed(0)}, peak ${git.peak?.toFixed(0) ?? 'not known here'}  ` +
      `cold ${cold.ms.toFixed(1)} = ${bar(cold.ratio / 3, MAX_COLD)}, peak ${coldPeak}, ${ofThread(stretch.cold)} (${result})  ` +
      `edit merged ${merged.ms.toFixed(1)} = ${ofEdit(merged)}, and proven ` +
      `${edit.ms.toFixed(1)} = ${ofEdit(edit)}, peak ${editPeak}, ` +
      `${ofThread(stretch.edit)}  check ${check.ms.toFixed(1)} = ${check.ratio.toFixed(3)}`,
  );
}

function run(document: string, task: Task): unknown {
  const file = fileURLToPath(import.meta.url);
  const options = ['--corpus', join(specs, '..'), '--document', document, '--task', task];
  const { stdout, stderr } = spawnSync(process.execPath, [file, ...options], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

function prepare(name: string): { readonly format: DocumentFormat; readonly input: MergeInput } {
  const document = SCALE_DOCUMENTS.find((one) => one.name === name);
  if (document === undefined) throw new Error(`No document is called ${name}.`);
  return { format: document.format, input: edited(document.create(specs), COLD_EDITS) };
}

function parseText(text: string, format: DocumentFormat): unknown {
  return format === 'yaml' ? parseDocument(text, { uniqueKeys: false, logLevel: 'silent' }) : parseTree(text);
}

function timesOf(name: string): Times {
  const { format, input } = prepare(name);
  const { base } = input;
  const small = warmUpDocument(specs, format);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    const one = edited(small, COLD_EDITS, `w${round}`);
    for (const text of Object.values(one) as string[]) parseText(text, format);
    threeWayMerge(one, format);
  }
  let result = '';
  const cache = new PlainCache();
  checkDocument(base, format, cache);
  const texts = Object.values(input) as string[];
  const inputs = Array.from({ length: EDITED_TEXTS }, (_, at) => edited(base, 1, 'n'.repeat(at + 1)));
  const of = <T>(list: readonly T[], at: number): T => list[at % list.length] as T;
  const [parse, cold, edit, check, merged] = inTurns([
    (at) => parseText(of(texts, at), format),
    () => {
      const { takenBy, conflicts } = threeWayMerge(input, format);
      result = `by ${takenBy}, ${conflicts.length} conflicts`;
    },
    (at) => threeWayMerge(of(inputs, at), format, {}, cache),
    (at) => checkDocument(of(inputs, at).ours, format, cache),
    (at) => mergeBlocks(of(inputs, at)),
  ]);
  if (!parse || !cold || !edit || !check || !merged) throw new Error('Nothing was measured.');
  return { length: base.length, parse, cold, edit, merged, check, result };
}

/** Peak memory in MB of doing it once, besides what the process takes when everything is loaded. */
function memoryOf(name: string, task: 'parse' | 'cold' | 'edit'): number {
  const { format, input } = prepare(name);
  const one = task === 'edit' ? edited(input.base, 1) : input;
  const before = processPeak(true);
  if (task === 'parse') parseText(one.base, format);
  else {
    const cache = new PlainCache();
    if (task === 'edit') checkDocument(one.base, format, cache);
    threeWayMerge(one, format, {}, cache);
  }
  return Math.max(0, Math.round((processPeak(false) - before) / 1024));
}

/** The largest resident size in kB: since the last reset where the system can forget it, else since the start. */
function processPeak(isReset: boolean): number {
  try {
    if (isReset) writeFileSync('/proc/self/clear_refs', '5');
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  } catch {
    // Not Linux: making the texts counts as well then.
    return isReset ? process.memoryUsage.rss() / 1024 : process.resourceUsage().maxRSS;
  }
}

/** What each of the works costs, the first one being the measure of all. */
function inTurns(works: readonly ((at: number) => unknown)[]): Cost[] {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const states = works.map((work) => ({ work, batch: 1, at: 0, times: [] as number[] }));
  const turn = (state: (typeof states)[number]): number => {
    collect();
    const start = process.threadCpuUsage();
    for (let count = 0; count < state.batch; count++) state.work(state.at++);
    const { user, system } = process.threadCpuUsage(start);
    return (user + system) / 1000;
  };
  for (const state of states) while (turn(state) < MIN_TURN_MS) state.batch *= 2;
  for (let sum = 0, turns = 0; turns < MIN_TURNS || sum < MEASURED_MS; turns++)
    for (const state of states) {
      const ms = turn(state);
      sum += ms;
      state.times.push(ms / state.batch);
    }
  const measure = states[0]?.times ?? [];
  return states.map(({ times }) => ({
    ms: middle(times),
    ratio: middle(times.map((ms, at) => ms / (measure[at] ?? Number.NaN))),
  }));
}

function middle(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[values.length >> 1] ?? 0;
}

async function stretchesOf(name: string): Promise<Stretches> {
  const { format, input } = prepare(name);
  const worker = sourceWorkers.documents;
  const cold: number[] = [];
  const edit: number[] = [];
  for (let run = 0; run < STRETCH_RUNS; run++) {
    const merger = new WorkerMerger(worker);
    await merger.warmUp();
    cold.push(await longestStretch(() => merger.merge(input, format)));
    const one = edited(input.base, 1, 'n'.repeat(run + 1));
    edit.push(await longestStretch(() => merger.merge(one, format)));
    merger.dispose();
  }
  return { cold: middle(cold), edit: middle(edit) };
}

/** The most processor time that the calling thread took between two turns of the event loop, until the work was done. */
async function longestStretch(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = process.threadCpuUsage();
  let isDone = false;
  const done = work().finally(() => {
    isDone = true;
  });
  const watch = async (): Promise<void> => {
    while (!isDone) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const { user, system } = process.threadCpuUsage(last);
      last = process.threadCpuUsage();
      longest = Math.max(longest, (user + system) / 1000);
    }
  };
  await Promise.all([done, watch()]);
  return longest;
}

interface GitMerge {
  readonly ms: number;
  /** In MB; undefined where the system does not tell. */
  readonly peak: number | undefined;
}

function gitMerge({ base, ours, theirs }: MergeInput): GitMerge {
  const folder = mkdtempSync(join(tmpdir(), 'api-live-sync-scale-'));
  const paths = Object.entries({ ours, base, theirs }).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
  const start = performance.now();
  spawnSync('git', ['merge-file', '-p', ...paths], { stdio: 'ignore' });
  const ms = performance.now() - start;
  let peak: number | undefined;
  for (let tries = 0; tries < PEAK_TRIES; tries++) {
    const { pid } = spawn('git', ['merge-file', '-p', ...paths], { stdio: 'ignore' });
    // Its end is heard of only when this turn is over: until then the system tells what it took.
    for (let now = peakOf(pid); now !== undefined; now = peakOf(pid)) peak = Math.max(now, peak ?? 0);
  }
  rmSync(folder, { recursive: true });
  return { ms, peak: peak === undefined ? undefined : peak / 1024 };
}

/** In kB; undefined where the process has ended, or the system is not Linux. */
function peakOf(pid: number | undefined): number | undefined {
  try {
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return peak === undefined ? undefined : Number(peak);
  } catch {
    // No such file: it is gone, or this is another system.
    return undefined;
  }
}
