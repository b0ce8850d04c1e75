// Prints what a merge of large documents costs, beside `git merge-file` and beside a full parse, from one run:
//   node test/bench/scale.ts --corpus DIR      (DIR/specs of the unpacked corpus)
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseTree } from 'jsonc-parser';
import { parseDocument } from 'yaml';
import { mergeBlocks } from '../../src/core/merge/blockMerge.ts';
import { threeWayMerge } from '../../src/core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeInput } from '../../src/core/merge/types.ts';

const { values: args } = parseArgs({
  options: { corpus: { type: 'string', default: '../shared/corpus' }, quick: { type: 'boolean', default: false } },
});
const specs = join(args.corpus, 'specs');
if (!existsSync(specs)) {
  console.log(`SKIPPED: no unpacked specs at ${specs} (unpack specs.tar.xz and give the folder above as --corpus)`);
  process.exit(0);
}

const read = (name: string): string =>
  readFileSync(join(specs, name), 'utf8')
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n');
const github = read('06-github-api.github.com.json');
const openAi = read('05-openai-openapi.yaml');
const documents: readonly (readonly [string, DocumentFormat, () => string])[] = [
  ['YAML 0.3 MB', 'yaml', () => read('13-harbor-swagger.yaml')],
  ['YAML 3 MB', 'yaml', () => openAi],
  ['JSON 0.7 MB', 'json', () => read('12-kubevirt-swagger.json')],
  ['JSON 13 MB', 'json', () => github],
  ['YAML of the 13 MB JSON', 'yaml', () => toYaml(JSON.parse(github), 0)],
];
const folder = mkdtempSync(join(tmpdir(), 'api-live-sync-scale-'));
console.log(
  'times in ms; "parse" is one full parse of the base by yaml or jsonc-parser; ratios are to three parses (cold) and to one (edit)\n',
);
for (const [title, format, create] of documents) measure(title, format, create());
rmSync(folder, { recursive: true });

function measure(title: string, format: DocumentFormat, base: string): void {
  const input = editTwice(base);
  const parse = time(() =>
    format === 'yaml' ? parseDocument(base, { uniqueKeys: false, logLevel: 'silent' }) : parseTree(base),
  );
  const memoryBefore = process.memoryUsage().rss;
  const cold = time(() => threeWayMerge(input, format));
  const memory = Math.round((process.memoryUsage().rss - memoryBefore) / 1e6);
  const again = time(() => threeWayMerge(input, format));
  const block = time(() => mergeBlocks(input));
  const paths = ['ours', 'base', 'theirs'].map((side) => join(folder, side));
  for (const path of paths)
    writeFileSync(path, input[path.endsWith('ours') ? 'ours' : path.endsWith('base') ? 'base' : 'theirs']);
  const git = time(() => spawnSync('git', ['merge-file', '-p', ...paths], { maxBuffer: 1 << 28 }));
  const agrees = block.value === undefined ? 'does not apply' : String(block.value === cold.value.text);
  console.log(
    `${title.padEnd(24)} ${(base.length / 1e6).toFixed(1)} M  parse ${parse.ms.toFixed(0)}  cold merge ${cold.ms.toFixed(0)} (${(cold.ms / parse.ms / 3).toFixed(2)} of three parses, +${memory} MB)` +
      `  again ${again.ms.toFixed(0)}  by ${cold.value.takenBy}, ${cold.value.conflicts.length} conflicts  one-line edits ${block.ms.toFixed(1)} (${(block.ms / parse.ms).toFixed(4)} of a parse, equal: ${agrees})  git ${git.ms.toFixed(0)}`,
  );
}

function time<T>(run: () => T): { readonly ms: number; readonly value: T } {
  const start = performance.now();
  const value = run();
  return { ms: performance.now() - start, value };
}

/** One changed line by each side, a third and two thirds down. */
function editTwice(base: string): MergeInput {
  const change = (part: number, word: string): string => {
    const from = base.indexOf('\n', Math.floor(base.length * part));
    const match = /^(\s*"?(?:summary|description|title)"?: "?[A-Za-z]\w+)/m.exec(base.slice(from));
    if (match === null) return base;
    const at = from + match.index + match[0].length;
    return base.slice(0, at) + word + base.slice(at);
  };
  return { base, ours: change(0.33, 'X'), theirs: change(0.66, 'Y') };
}

/** JSON data as block style YAML, written by hand because the library needs minutes for this size. */
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
