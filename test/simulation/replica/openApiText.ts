import type { SeededRandom } from '../seededRandom.ts';

type Mint = () => string;

/** A small API description in which every element carries a mark of its own. */
export function newDocument(mint: Mint, operations: number): string {
  const head = `openapi: 3.1.0
info:
  title: Pets ${mint()}
  version: 1.0.0
  description: |
    First line ${mint()}
    Second line ${mint()}
paths:
`;
  return head + Array.from({ length: operations }, () => operation(mint).join('\n')).join('\n') + '\n';
}

/** Does one thing that people do to an API description; undefined where that thing cannot be done to this text. */
export function editAtRandom(text: string, random: SeededRandom, mint: Mint): string | undefined {
  const lines = text.split('\n');
  const edit = random.pick(EDITS);
  const edited = edit(lines, random, mint);
  return edited?.join('\n');
}

/** The text with one mark replaced by another: a clash where two people do it to the same mark. */
export function replaceToken(text: string, token: string, next: string): string {
  return text.replace(new RegExp(`\\b${token}\\b`), next);
}

/** Marks that stand in scalars and in prose, not in keys or names. */
export function scalarTokens(text: string): string[] {
  return text.split('\n').flatMap((line) => (isScalarLine(line) ? (/\btk\d+\b/.exec(line)?.[0] ?? []) : []));
}

const BROKEN_LINE = '  broken: [';

/** The text as somebody leaves it in the middle of a thought. */
export function breakText(text: string): string {
  return `${text}${BROKEN_LINE}\n`;
}

export function mendText(text: string): string {
  return text
    .split('\n')
    .filter((line) => line !== BROKEN_LINE)
    .join('\n');
}

export function isBroken(text: string): boolean {
  return text.includes(BROKEN_LINE);
}

type Edit = (lines: readonly string[], random: SeededRandom, mint: Mint) => readonly string[] | undefined;

const EDITS: readonly Edit[] = [
  editScalar,
  editScalar,
  editScalar,
  addOperation,
  addOperation,
  removeOperation,
  addParameter,
  removeParameter,
  addDescriptionLine,
  removeDescriptionLine,
];

function operation(mint: Mint): string[] {
  return [
    `  /${mint()}:`,
    '    get:',
    `      operationId: ${mint()}`,
    `      summary: Read ${mint()}`,
    '      responses:',
    "        '200':",
    `          description: OK ${mint()}`,
  ];
}

function isScalarLine(line: string): boolean {
  return /\btk\d+\b/.test(line) && !/^ {2}\//.test(line) && !line.includes('- name:');
}

function editScalar(lines: readonly string[], random: SeededRandom, mint: Mint): readonly string[] | undefined {
  const at = pickLine(lines, random, isScalarLine);
  if (at === undefined) return undefined;
  return lines.with(at, (lines[at] ?? '').replace(/\btk\d+\b/, mint()));
}

function addOperation(lines: readonly string[], random: SeededRandom, mint: Mint): readonly string[] | undefined {
  const paths = lines.findIndex((line) => line.startsWith('paths:'));
  if (paths === -1) return undefined;
  const starts = operationStarts(lines);
  const ends = starts.map((start) => operationEnd(lines, start));
  const at = random.pick(ends.length === 0 ? [paths + 1] : ends);
  return [...lines.slice(0, paths), 'paths:', ...lines.slice(paths + 1, at), ...operation(mint), ...lines.slice(at)];
}

function removeOperation(lines: readonly string[], random: SeededRandom): readonly string[] | undefined {
  // The first one stays, so that `paths` is never empty, whoever else removes one at the same moment.
  const starts = operationStarts(lines).slice(1);
  if (starts.length === 0) return undefined;
  const start = random.pick(starts);
  return lines.toSpliced(start, operationEnd(lines, start) - start);
}

function addParameter(lines: readonly string[], random: SeededRandom, mint: Mint): readonly string[] | undefined {
  const at = pickLine(lines, random, (line) => line.startsWith('      operationId:'));
  if (at === undefined) return undefined;
  const parameter = [
    `        - name: ${mint()}`,
    '          in: query',
    '          schema:',
    '            type: string',
  ];
  const end = lines.findIndex((line, index) => index > at && !line.startsWith('      '));
  const list = lines.findIndex((line, index) => index > at && index < end && line === '      parameters:');
  if (list !== -1) return lines.toSpliced(list + 1, 0, ...parameter);
  const empty = lines.findIndex((line, index) => index > at && index < end && line === '      parameters: []');
  if (empty !== -1) return lines.toSpliced(empty, 1, '      parameters:', ...parameter);
  return lines.toSpliced(at + 1, 0, '      parameters:', ...parameter);
}

function removeParameter(lines: readonly string[], random: SeededRandom): readonly string[] | undefined {
  const at = pickLine(lines, random, (line) => line.startsWith('        - name:'));
  if (at === undefined) return undefined;
  const end = lines.findIndex((line, index) => index > at && !line.startsWith('          '));
  const isOnly = lines[at - 1] === '      parameters:' && !(lines[end] ?? '').startsWith('        -');
  const start = isOnly ? at - 1 : at;
  return lines.toSpliced(start, end - start);
}

function addDescriptionLine(lines: readonly string[], random: SeededRandom, mint: Mint): readonly string[] | undefined {
  const at = pickLine(lines, random, isDescriptionLine);
  return at === undefined ? undefined : lines.toSpliced(at + 1, 0, `    More words ${mint()}`);
}

function removeDescriptionLine(lines: readonly string[], random: SeededRandom): readonly string[] | undefined {
  if (lines.filter(isDescriptionLine).length < 2) return undefined;
  const at = pickLine(lines, random, isDescriptionLine);
  return at === undefined ? undefined : lines.toSpliced(at, 1);
}

function isDescriptionLine(line: string): boolean {
  return /^ {4}\S.* (line|words) tk\d+$/.test(line);
}

function operationStarts(lines: readonly string[]): number[] {
  return lines.flatMap((line, index) => (/^ {2}\/\S*:$/.test(line) ? [index] : []));
}

function operationEnd(lines: readonly string[], start: number): number {
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('    '));
  return end === -1 ? lines.length : end;
}

function pickLine(
  lines: readonly string[],
  random: SeededRandom,
  suits: (line: string) => boolean,
): number | undefined {
  const candidates = lines.flatMap((line, index) => (suits(line) ? [index] : []));
  return candidates.length === 0 ? undefined : random.pick(candidates);
}
