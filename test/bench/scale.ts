// Prints what a merge of large documents costs in time and memory, beside `git merge-file` and beside a full parse:
//   node test/bench/scale.ts --corpus DIR [--only PART-OF-NAME]      (DIR: the corpus, packed or not)
// Each figure comes from a process of its own. Times are of the processor, not of the wall, so that a loaded machine says
// nearly the same as a quiet one, and the ratios are what counts. Both sides of a ratio are warmed up in the same way: as
// many parses as merges of a small document, then rounds of which the middle one counts. Peak memory is what the system
// says of a process that does the one thing once, on a machine that is cold, besides what it takes with the texts loaded.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseTree } from 'jsonc-parser';
import { parseDocument } from 'yaml';
import { threeWayMerge } from '../../src/core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeInput } from '../../src/core/merge/types.ts';
import { checkDocument } from '../../src/core/openapi/checkDocument.ts';
import { PlainCache } from '../../src/core/openapi/plainDocument.ts';
import { edited, SCALE_DOCUMENTS, warmUpDocument } from './scaleDocuments.ts';
import { unpackedCorpus } from './unpackedCorpus.ts';

/** A cold merge costs at most so many times what parsing its three texts costs. */
const MAX_COLD = 1.5;
/** A one-line edit, merged and proven, costs at most this part of one parse. */
const MAX_EDIT = 1 / 6;
/** A small one takes a millisecond; the bar is for what a person would wait for. In UTF-16 units. */
const LARGE_LENGTH = 2_500_000;
/** So many places are edited by each side where nothing was read before. */
const COLD_EDITS = 8;
const WARM_UP_ROUNDS = 30;
/** Rounds of at least so long go on until they took so long together; the middle one of three or more counts. */
const MIN_ROUND_MS = 20;
const MEASURED_MS = 1_000;
/** So many different texts are merged in turns, that none of them was read lately. */
const EDITED_TEXTS = 7;

/** What a process of its own does, and prints. */
const TASKS = ['time', 'parse', 'cold', 'edit'] as const;
type Task = (typeof TASKS)[number];

interface Times {
  readonly length: number;
  readonly parse: number;
  readonly cold: number;
  readonly edit: number;
  readonly check: number;
  readonly result: string;
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
  console.log(JSON.stringify(task === 'time' ? timesOf(args.document) : memoryOf(args.document, task)));
} else {
  console.log(
    `cold: up to ${COLD_EDITS} edits by each side, nothing read before; of three parses (bar ${MAX_COLD}). edit: one line by each ` +
      `side, merged and proven, the base read before; of one parse (bar ${MAX_EDIT.toFixed(3)} from 3 MB on). check: a text with one new ` +
      'line. Processor time in ms, both sides warm. peak: MB besides the loaded texts, of one run, cold.\n',
  );
  for (const { name } of SCALE_DOCUMENTS.filter((one) => one.name.includes(args.only))) printRow(name);
}

function printRow(name: string): void {
  const times = run(name, 'time') as Times;
  const [parsePeak, coldPeak, editPeak] = (['parse', 'cold', 'edit'] as const).map((task) => String(run(name, task)));
  const bar = (value: number, max: number): string => `${value.toFixed(3)}${value <= max ? '' : ' OVER THE BAR'}`;
  const { input } = prepare(name);
  console.log(
    `${name.padEnd(24)}${(times.length / 1e6).toFixed(2).padStart(6)} M  parse ${times.parse.toFixed(1)}, peak ${parsePeak}  ` +
      `git ${gitMs(input).toFixed(0)} (wall)  cold ${times.cold.toFixed(1)} = ${bar(times.cold / times.parse / 3, MAX_COLD)}, peak ${coldPeak} ` +
      `(${times.result})  edit ${times.edit.toFixed(1)} = ${bar(times.edit / times.parse, times.length < LARGE_LENGTH ? Infinity : MAX_EDIT)}, peak ${editPeak}  ` +
      `check ${times.check.toFixed(1)} = ${(times.check / times.parse).toFixed(3)}`,
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
    parseText(small, format);
    threeWayMerge(edited(small, COLD_EDITS, `w${round}`), format);
  }
  const parse = middle([base], (text) => parseText(text, format));
  let result = '';
  const cold = middle([input], (one) => {
    const { takenBy, conflicts } = threeWayMerge(one, format);
    result = `by ${takenBy}, ${conflicts.length} conflicts`;
  });
  const cache = new PlainCache();
  checkDocument(base, format, cache);
  const inputs = Array.from({ length: EDITED_TEXTS }, (_, at) => edited(base, 1, 'n'.repeat(at + 1)));
  const edit = middle(inputs, (one) => threeWayMerge(one, format, {}, cache));
  const check = middle(inputs, ({ ours }) => checkDocument(ours, format, cache));
  return { length: base.length, parse, cold, edit, check, result };
}

/** Peak memory in MB of doing it once, besides what the process takes when everything is loaded. */
function memoryOf(name: string, task: Exclude<Task, 'time'>): number {
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

/** The time that is in the middle of several rounds; what is quick is done several times in a round, because the clock of the processor ticks. */
function middle<T>(inputs: readonly T[], work: (input: T) => unknown): number {
  const times: number[] = [];
  let batch = 1;
  for (let sum = 0, at = 0; times.length < 3 || sum < MEASURED_MS;) {
    const chosen = Array.from({ length: batch }, () => inputs[at++ % inputs.length] as T);
    const start = process.threadCpuUsage();
    for (const input of chosen) work(input);
    const { user, system } = process.threadCpuUsage(start);
    const ms = (user + system) / 1000;
    sum += ms;
    if (ms < MIN_ROUND_MS) batch *= 2;
    else times.push(ms / batch);
  }
  return times.sort((x, y) => x - y)[times.length >> 1] ?? 0;
}

function gitMs({ base, ours, theirs }: MergeInput): number {
  const folder = mkdtempSync(join(tmpdir(), 'api-live-sync-scale-'));
  const paths = Object.entries({ ours, base, theirs }).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
  // A child's processor time is not to be had; the wall has to do.
  const start = performance.now();
  spawnSync('git', ['merge-file', '-p', ...paths], { maxBuffer: 1 << 28 });
  const wall = performance.now() - start;
  rmSync(folder, { recursive: true });
  return wall;
}
