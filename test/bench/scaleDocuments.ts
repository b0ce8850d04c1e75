import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DocumentFormat, MergeInput } from '../../src/core/merge/types.ts';

/** The largest public description: 13 MB of JSON. Smaller documents are parts of it, with all that they refer to. */
const LARGEST = '06-github-api.github.com.json';
const YAML_AS_WRITTEN = '05-openai-openapi.yaml';
/** What both sides of a ratio are warmed up with. */
export const WARM_UP_LENGTH = 100_000;

export interface ScaleDocument {
  readonly name: string;
  readonly format: DocumentFormat;
  create(specs: string): string;
}

/** The rows of the bench; the names say the sizes that the documents have. */
export const SCALE_DOCUMENTS: readonly ScaleDocument[] = [
  { name: 'JSON 100 kB', format: 'json', create: (specs) => jsonOf(partOf(specs, 100_000)) },
  { name: 'the same as YAML', format: 'yaml', create: (specs) => yamlOf(partOf(specs, 100_000)) },
  { name: 'JSON 1 MB', format: 'json', create: (specs) => jsonOf(partOf(specs, 1_000_000)) },
  { name: 'the same as YAML, 1 MB', format: 'yaml', create: (specs) => yamlOf(partOf(specs, 1_000_000)) },
  { name: 'YAML 3 MB, as written', format: 'yaml', create: (specs) => readSpec(specs, YAML_AS_WRITTEN) },
  { name: 'JSON 13 MB', format: 'json', create: (specs) => readSpec(specs, LARGEST) },
  { name: 'the same as YAML, 10 MB', format: 'yaml', create: (specs) => yamlOf(JSON.parse(readSpec(specs, LARGEST))) },
];

/** A small document of the same kind. */
export function warmUpDocument(specs: string, format: DocumentFormat): string {
  const part = partOf(specs, WARM_UP_LENGTH);
  return format === 'yaml' ? yamlOf(part) : jsonOf(part);
}

/** So many changed lines by each side, in turns down the document; fewer where they would come near each other. */
export function edited(base: string, wanted: number, word = 'x'): MergeInput {
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
  const input = { base, ours: change(0), theirs: change(1) };
  if (new Set(Object.values(input)).size < 3) throw new Error('Not both sides could be edited.');
  return input;
}

const CHARACTERS_PER_EDIT = 40_000;

function readSpec(specs: string, name: string): string {
  return readFileSync(join(specs, name), 'utf8')
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n');
}

function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

type Json = Readonly<Record<string, unknown>>;

/** The first paths of the largest description with everything that they refer to, about so many characters of JSON. */
function partOf(specs: string, length: number): unknown {
  const whole = JSON.parse(readSpec(specs, LARGEST)) as Json;
  const { paths, components } = whole as { paths: Json; components: Readonly<Record<string, Json>> };
  const rest = Object.fromEntries(
    Object.entries(whole).filter(([key]) => ['openapi', 'info', 'tags', 'servers'].includes(key)),
  );
  const part = {
    ...rest,
    paths: {} as Record<string, unknown>,
    components: {} as Record<string, Record<string, unknown>>,
  };
  let size = jsonOf(rest).length;
  for (const [path, item] of Object.entries(paths)) {
    const added = new Map<string, unknown>();
    let addedSize = sizeOf(item, 2);
    const open: unknown[] = [item];
    for (let value = open.pop(); value !== undefined; value = open.pop()) {
      for (const [, kind, name] of JSON.stringify(value).matchAll(/"\$ref":"#\/components\/([^/"]+)\/([^/"]+)"/g)) {
        const key = `${kind}/${name}`;
        if (kind === undefined || name === undefined || added.has(key) || part.components[kind]?.[name] !== undefined)
          continue;
        const target = components[kind]?.[name];
        added.set(key, target);
        addedSize += sizeOf(target, 3);
        open.push(target);
      }
    }
    // What would go beyond is left out, and a smaller one found.
    if (size + addedSize > length * 1.03) continue;
    size += addedSize;
    part.paths[path] = item;
    for (const [key, target] of added) {
      const [kind = '', name = ''] = key.split('/');
      (part.components[kind] ??= {})[name] = target;
    }
    if (size >= length * 0.97) break;
  }
  return part;
}

/** How much a value takes as it is printed, so deep in the document. */
function sizeOf(value: unknown, depth: number): number {
  const text = JSON.stringify(value, undefined, 2);
  return text.length + text.split('\n').length * depth * 2;
}

/** JSON data as block style YAML, written by hand because the library needs minutes for the largest. */
function yamlOf(value: unknown, column = 0): string {
  const pad = ' '.repeat(column);
  if (Array.isArray(value))
    return value
      .map((item: unknown) =>
        isCollection(item)
          ? `${pad}- ${yamlOf(item, column + 2).slice(column + 2)}`
          : `${pad}- ${JSON.stringify(item)}\n`,
      )
      .join('');
  if (typeof value !== 'object' || value === null) return `${pad}${JSON.stringify(value)}\n`;
  return Object.entries(value)
    .map(([key, item]) => {
      const name = /^[A-Za-z_][\w-]*$/.test(key) ? key : JSON.stringify(key);
      return isCollection(item)
        ? `${pad}${name}:\n${yamlOf(item, column + 2)}`
        : `${pad}${name}: ${JSON.stringify(item)}\n`;
    })
    .join('');
}

function isCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}
