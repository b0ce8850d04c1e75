/** A small OpenAPI description as data with comments, made for printing in several styles and for editing at random. */
export type Model = { [key: string]: Model } | Model[] | string | number | boolean;

/** A repeatable source of choices (mulberry32). */
export class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('nothing to pick from');
    return value;
  }
}

const WORDS = [
  'list',
  'all',
  'pets',
  'owner',
  'of',
  'the',
  'shop',
  'returns',
  'nothing',
  'with',
  'colour: red',
  "it's",
  '# hash',
  '{braces}',
  'ünï',
];
const TYPES = ['string', 'integer', 'boolean', 'number'];

export function sentence(choices: Choices, length: number): string {
  return Array.from({ length }, () => choices.pick(WORDS)).join(' ');
}

function paragraph(choices: Choices): string {
  return Array.from({ length: 2 + choices.below(5) }, () => sentence(choices, 3 + choices.below(5))).join('\n');
}

export function schema(choices: Choices, depth = 0): Model {
  if (depth > 1 || choices.below(3) === 0) return { type: choices.pick(TYPES), description: sentence(choices, 4) };
  const properties: { [key: string]: Model } = {};
  for (let i = 0; i < 1 + choices.below(4); i++) properties[`field${choices.below(20)}`] = schema(choices, depth + 1);
  return { type: 'object', required: Object.keys(properties).slice(0, 2), properties };
}

export function operation(choices: Choices, name: string): Model {
  return {
    operationId: name,
    summary: sentence(choices, 3),
    ...(choices.below(2) === 0 ? { description: paragraph(choices) } : {}),
    parameters: Array.from({ length: 1 + choices.below(3) }, (_, index) => ({
      in: 'query',
      name: `p${index}`,
      schema: { type: choices.pick(TYPES) },
    })),
    responses: { 200: { description: sentence(choices, 2) }, 404: { description: 'Not found' } },
  };
}

/** A document of some paths and schemas; a few dozen to a few hundred lines. */
export function createDocument(choices: Choices): { [key: string]: Model } {
  const paths: { [key: string]: Model } = {};
  const schemas: { [key: string]: Model } = {};
  for (let i = 0; i < 3 + choices.below(4); i++)
    paths[`/things${i}`] = { get: operation(choices, `get${i}`), post: operation(choices, `post${i}`) };
  for (let i = 0; i < 3 + choices.below(4); i++) schemas[`Schema${i}`] = schema(choices);
  return {
    openapi: '3.0.3',
    info: { title: 'Generated', version: '1.0.0', description: paragraph(choices) },
    tags: [{ name: 'a' }, { name: 'b', description: 'second' }],
    paths,
    components: { schemas },
  };
}

export interface PrintStyle {
  readonly format: 'yaml' | 'json';
  /** Spaces of indentation. */
  readonly indent: number;
  /** Dashes at the column of their key. */
  readonly compact: boolean;
  /** Comments above entries whose key has this letter, and blank lines between paths. */
  readonly comments: boolean;
  /** Short lists in brackets. */
  readonly flow: boolean;
}

export function createStyle(choices: Choices): PrintStyle {
  return {
    format: choices.below(5) === 0 ? 'json' : 'yaml',
    indent: choices.pick([2, 2, 4]),
    compact: choices.below(2) === 0,
    comments: choices.below(2) === 0,
    flow: choices.below(2) === 0,
  };
}

export function print(model: Model, style: PrintStyle): string {
  if (style.format === 'json') return `${JSON.stringify(model, undefined, style.indent)}\n`;
  return printYaml(model, style, 0);
}

function printYaml(model: Model, style: PrintStyle, column: number): string {
  const pad = ' '.repeat(column);
  if (Array.isArray(model)) {
    return model
      .map((item) => {
        if (typeof item !== 'object') return `${pad}- ${scalar(item)}\n`;
        const inner = printYaml(item, style, column + 2);
        return `${pad}- ${inner.slice(column + 2)}`;
      })
      .join('');
  }
  if (typeof model !== 'object') return `${pad}${scalar(model)}\n`;
  return Object.entries(model)
    .map(([key, value]) => {
      const lead =
        style.comments && /^\/|3$/.test(key) ? `${key.startsWith('/') ? '\n' : ''}${pad}# about ${key}\n` : '';
      const head = `${lead}${pad}${/^[0-9]/.test(key) ? `'${key}'` : key}:`;
      if (typeof value === 'string' && value.includes('\n'))
        return `${head} |\n${value
          .split('\n')
          .map((line) => `${pad}${' '.repeat(style.indent)}${line}\n`)
          .join('')}`;
      if (typeof value !== 'object') return `${head} ${scalar(value)}\n`;
      if (Array.isArray(value)) {
        if (value.length === 0) return `${head} []\n`;
        if (style.flow && value.every((item) => typeof item === 'string'))
          return `${head} [${value.map(scalar).join(', ')}]\n`;
        return `${head}\n${printYaml(value, style, style.compact ? column : column + style.indent)}`;
      }
      return Object.keys(value).length === 0
        ? `${head} {}\n`
        : `${head}\n${printYaml(value, style, column + style.indent)}`;
    })
    .join('');
}

function scalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  return /^[a-zA-Z][\w ./-]*$/.test(value) && !/^(?:true|false|null|yes|no)$/i.test(value)
    ? value
    : `'${value.replaceAll("'", "''")}'`;
}
