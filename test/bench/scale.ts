// Prints what a merge of large documents costs, beside `git merge-file` and beside a full parse, against the bars:
//   node test/bench/scale.ts --corpus DIR [--only NAME]      (DIR/specs of the unpacked corpus)
// Each document runs in a process of its own, so that its peak memory is its own. Times are of the processor, not of the
// wall, so that a loaded machine says nearly the same as a quiet one; the ratios are what counts.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseTree } from 'jsonc-parser';
import { parseDocument } from 'yaml';
import { mergeBlocks } from '../../src/core/merge/blockMerge.ts';
import { threeWayMerge } from '../../src/core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeInput } from '../../src/core/merge/types.ts';
import { checkDocument } from '../../src/core/openapi/checkDocument.ts';
import { PlainCache } from '../../src/core/openapi/plainDocument.ts';

/** A cold merge costs at most so many times what parsing its three texts costs. */
const MAX_COLD = 1.5;
/** A one-line edit, merged, costs at most this part of one parse. */
const MAX_EDIT = 1 / 6;
/** So many places are edited by each side where the merge starts cold; fewer where they would touch. */
const COLD_EDITS = 8;
const CHARACTERS_PER_EDIT = 40_000;
/** How often what is quick is measured; the middle one counts. */
const ROUNDS = 5;
const WARM_UP_ROUNDS = 6;

const { values: args } = parseArgs({
  options: {
    corpus: { type: 'string', default: '../shared/corpus' },
    only: { type: 'string' },
    measure: { type: 'string' },
  },
});
const specs = join(args.corpus, 'specs');
const SMALL = '09-apicurio-registry.json';
const GITHUB = '06-github-api.github.com.json';
const documents: Readonly<Record<string, readonly [DocumentFormat, () => string]>> = {
  'YAML 0.1 MB': ['yaml', () => read('10-dcsa-documentation-domain-crlf.yaml')],
  'YAML 1 MB': ['yaml', () => yamlOf('12-kubevirt-swagger.json')],
  'YAML 3 MB': ['yaml', () => read('05-openai-openapi.yaml')],
  'JSON 0.7 MB': ['json', () => read('12-kubevirt-swagger.json')],
  'JSON 13 MB': ['json', () => read(GITHUB)],
  'the same as YAML': ['yaml', () => yamlOf(GITHUB)],
};

if (!existsSync(specs)) {
  console.log(`SKIPPED: no unpacked specs at ${specs} (unpack specs.tar.xz and give the folder above as --corpus)`);
} else if (args.measure !== undefined) {
  measure(args.measure);
} else {
  console.log(
    `Processor time in ms. "cold": up to ${COLD_EDITS} edits by each side, of three parses (bar ${MAX_COLD}). ` +
      `"merged": one line by each side, of one parse (bar ${MAX_EDIT.toFixed(2)}). "proven": the same with everything ` +
      'checked, by who has read the base. "check": a text with one new line, likewise. "peak": of the whole process.\n',
  );
  for (const name of Object.keys(documents).filter((one) => args.only === undefined || one === args.only)) {
    spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--corpus', args.corpus, '--measure', name], {
      stdio: 'inherit',
    });
  }
}

function measure(name: string): void {
  const [format, create] = documents[name] ?? [];
  if (format === undefined || create === undefined) throw new Error(`No document is called ${name}.`);
  const base = create();
  const coldInput = edited(base, COLD_EDITS);
  const parseText = (text: string): unknown =>
    format === 'yaml' ? parseDocument(text, { uniqueKeys: false, logLevel: 'silent' }) : parseTree(text);
  warmUp(format, parseText);
  const cold = time(() => threeWayMerge(coldInput, format));
  const peak = process.resourceUsage().maxRSS / 1024;
  const parse = time(() => parseText(base));
  const cache = new PlainCache();
  checkDocument(base, format, cache);
  const inputs = Array.from({ length: ROUNDS }, (_, round) => edited(base, 1, `n${round}`));
  const merged = middle(inputs, mergeBlocks);
  const proven = middle(inputs, (input) => threeWayMerge(input, format, {}, cache));
  const check = middle(inputs, ({ ours }) => checkDocument(ours, format, cache));
  const isSame = merged.value === undefined || merged.value === proven.value.text;
  const bar = (value: number, max: number): string => `${value.toFixed(2)}${value <= max ? '' : ' OVER THE BAR'}`;
  console.log(
    `${name.padEnd(17)}${(base.length / 1e6).toFixed(1).padStart(5)} M  parse ${ms(parse.ms)}  git ${ms(gitMs(coldInput))} (wall)` +
      `  cold ${ms(cold.ms)} = ${bar(cold.ms / parse.ms / 3, MAX_COLD)} (by ${cold.value.takenBy}, ${cold.value.conflicts.length} conflicts)` +
      `  merged ${merged.ms.toFixed(1)} = ${merged.value === undefined ? 'does not apply' : bar(merged.ms / parse.ms, MAX_EDIT)}` +
      `  proven ${ms(proven.ms)} = ${(proven.ms / parse.ms).toFixed(2)}${isSame ? '' : ' AND DIFFERENT'}` +
      `  check ${ms(check.ms)} = ${(check.ms / parse.ms).toFixed(2)}  peak ${peak.toFixed(0)} MB`,
  );
}

function ms(value: number): string {
  return value.toFixed(0);
}

function processorMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function time<T>(run: () => T): { readonly ms: number; readonly value: T } {
  const start = processorMs();
  const value = run();
  return { ms: processorMs() - start, value };
}

/** The time that is in the middle, and what came out for the last input. */
function middle<T>(
  inputs: readonly MergeInput[],
  run: (input: MergeInput) => T,
): { readonly ms: number; readonly value: T } {
  const all = inputs.map((input) => time(() => run(input)));
  const times = all.map((one) => one.ms).sort((x, y) => x - y);
  const [last] = all.slice(-1);
  if (last === undefined) throw new Error('Nothing was measured.');
  return { ms: times[times.length >> 1] ?? last.ms, value: last.value };
}

/** Lets the machine compile what both sides of a ratio need: the start of the process is not what is measured. */
function warmUp(format: DocumentFormat, parseText: (text: string) => unknown): void {
  const small = format === 'yaml' ? yamlOf(SMALL) : read(SMALL);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    parseText(small);
    threeWayMerge(edited(small, COLD_EDITS, `w${round}`), format);
  }
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

/** So many changed lines by each side, in turns down the document. */
function edited(base: string, wanted: number, word = 'x'): MergeInput {
  const places = Math.max(1, Math.min(wanted, Math.floor(base.length / CHARACTERS_PER_EDIT)));
  const change = (first: number): string => {
    const pieces: string[] = [];
    let end = 0;
    for (let place = 0; place < places; place++) {
      const from = base.indexOf('\n', Math.floor((base.length * (2 * place + first + 0.5)) / (2 * places + 1)));
      const match = /^(\s*"?(?:summary|description|title)"?: "?[A-Za-z]\w+)/m.exec(base.slice(from));
      if (match === null) continue;
      const at = from + match.index + match[0].length;
      pieces.push(base.slice(end, at), word);
      end = at;
    }
    // Joined in one go: flat in memory, as it comes from a file or a message.
    return [...pieces, base.slice(end)].join('');
  };
  return { base, ours: change(0), theirs: change(1) };
}

function read(name: string): string {
  return readFileSync(join(specs, name), 'utf8')
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n');
}

function yamlOf(name: string): string {
  return toYaml(JSON.parse(read(name)), 0);
}

/** JSON data as block style YAML, written by hand because the library needs minutes for the largest. */
function toYaml(value: unknown, column: number): string {
  const pad = ' '.repeat(column);
  if (Array.isArray(value))
    return value
      .map((item: unknown) =>
        isCollection(item)
          ? `${pad}- ${toYaml(item, column + 2).slice(column + 2)}`
          : `${pad}- ${JSON.stringify(item)}\n`,
      )
      .join('');
  if (typeof value !== 'object' || value === null) return `${pad}${JSON.stringify(value)}\n`;
  return Object.entries(value)
    .map(([key, item]) => {
      const name = /^[A-Za-z_][\w-]*$/.test(key) ? key : JSON.stringify(key);
      return isCollection(item)
        ? `${pad}${name}:\n${toYaml(item, column + 2)}`
        : `${pad}${name}: ${JSON.stringify(item)}\n`;
    })
    .join('');
}

function isCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}
