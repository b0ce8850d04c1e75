import type { PlainNode, PlainScalar } from '../openapi/plainDocument.ts';
import type { DocumentFormat } from '../merge/types.ts';

export interface RenderStyle {
  readonly format: DocumentFormat;
  /** Spaces per level. */
  readonly indent: number;
  /** In UTF-16 units: aliases can make a small text stand for an endless one. */
  readonly maxLength: number;
}

/** The text would be too long, or holds what the other format cannot say. */
export class RenderError extends Error {
  override readonly name = 'RenderError';
}

/**
 * Writes data as a document in plain style, in the order in which it stands: what is new in it is later put into the
 * target in the target's own style by the merge. Aliases are written out. Throws `RenderError`.
 */
export function renderPlain(root: PlainNode, style: RenderStyle): string {
  const renderer = new Renderer(style);
  return style.format === 'yaml' ? renderer.yaml(root) : renderer.json(root);
}

class Renderer {
  readonly #unit: string;
  readonly #parts: string[] = [];
  readonly #anchors = new Map<string, PlainNode>();
  readonly #maxLength: number;
  #length = 0;

  constructor({ indent, maxLength }: RenderStyle) {
    this.#maxLength = maxLength;
    this.#unit = ' '.repeat(indent);
  }

  yaml(root: PlainNode): string {
    this.#yamlValue(root, 0, '');
    return this.#parts.join('').trimStart();
  }

  json(root: PlainNode): string {
    this.#jsonValue(root, 0);
    this.#write('\n');
    return this.#parts.join('');
  }

  #write(text: string): void {
    this.#length += text.length;
    if (this.#length > this.#maxLength) throw new RenderError('it is too large when it is written out');
    this.#parts.push(text);
  }

  #resolve(node: PlainNode): Exclude<PlainNode, { kind: 'alias' }> {
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (node.kind !== 'alias') return node;
    const target = this.#anchors.get(node.name);
    if (target === undefined || target.kind === 'alias') throw new RenderError('an alias leads nowhere');
    return target;
  }

  /** @param lead what stands between the key (or the dash) and a value on the same line. */
  #yamlValue(given: PlainNode, level: number, lead: string): void {
    const node = this.#resolve(given);
    const indent = this.#unit.repeat(level);
    if (node.kind === 'scalar') {
      this.#write(`${lead}${yamlScalar(node, this.#unit.repeat(Math.max(1, level)))}\n`);
    } else if (node.kind === 'map') {
      if (node.entries.size === 0) this.#write(`${lead}{}\n`);
      else if (lead !== '') this.#write('\n');
      for (const [key, value] of node.entries) {
        if (/^<<(#\d+)?$/.test(key)) throw new RenderError('it uses merge keys (<<)');
        this.#write(`${indent}${yamlString(key)}:`);
        this.#yamlValue(value, level + 1, ' ');
      }
    } else {
      if (node.items.length === 0) this.#write(`${lead}[]\n`);
      else if (lead !== '') this.#write('\n');
      for (const item of node.items) {
        this.#write(`${indent}-`);
        this.#yamlItem(item, level);
      }
    }
  }

  /** An item begins on the line of its dash. */
  #yamlItem(given: PlainNode, level: number): void {
    const before = this.#parts.length;
    this.#yamlValue(given, level + 1, ' ');
    const node = given.kind === 'alias' ? this.#anchors.get(given.name) : given;
    const isCollection =
      (node?.kind === 'map' && node.entries.size > 0) || (node?.kind === 'sequence' && node.items.length > 0);
    if (!isCollection) return;
    // The dash takes the place of the first line's indentation.
    const first = this.#parts[before + 1] ?? '';
    const column = this.#unit.length * (level + 1);
    this.#parts[before] = ' '.repeat(Math.max(1, this.#unit.length - 1));
    this.#parts[before + 1] = first.slice(column);
  }

  #jsonValue(given: PlainNode, level: number): void {
    const node = this.#resolve(given);
    if (node.kind === 'scalar') {
      this.#write(jsonScalar(node));
      return;
    }
    const inner = `\n${this.#unit.repeat(level + 1)}`;
    const [open, close] = node.kind === 'map' ? ['{', '}'] : ['[', ']'];
    const size = node.kind === 'map' ? node.entries.size : node.items.length;
    if (size === 0) {
      this.#write(open + close);
      return;
    }
    let separator = open;
    const begin = (): void => {
      this.#write(separator + inner);
      separator = ',';
    };
    if (node.kind === 'map') {
      for (const [key, value] of node.entries) {
        if (/^<<(#\d+)?$/.test(key)) throw new RenderError('it uses merge keys (<<)');
        begin();
        this.#write(`${JSON.stringify(key)}: `);
        this.#jsonValue(value, level + 1);
      }
    } else {
      for (const item of node.items) {
        begin();
        this.#jsonValue(item, level + 1);
      }
    }
    this.#write(`\n${this.#unit.repeat(level)}${close}`);
  }
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function jsonScalar({ isString, text }: PlainScalar): string {
  if (isString) return JSON.stringify(text);
  if (JSON_NUMBER.test(text)) return text;
  if (/^(?:|~|null|Null|NULL)$/.test(text)) return 'null';
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase();
  const number = /^[+-]?\d/.test(text) || /^[+-]?\.\d/.test(text) ? Number(text.replace(/^\+/, '')) : NaN;
  if (Number.isFinite(number)) return String(number);
  throw new RenderError(`JSON cannot say ${text.slice(0, 20)}`);
}

/** Words that YAML, or an older reader of it, takes for something else than a string. */
const RESERVED = /^(?:~|null|true|false|yes|no|on|off|y|n)$/i;
const PLAIN_STRING = /^[A-Za-z_/$.\u00a1-\ud7ff][A-Za-z0-9_/$.(){}[\]+*&%!?'"=<>@^;| ~,:\u00a1-\ud7ff-]*$/;

function yamlScalar({ isString, text }: PlainScalar, indent: string): string {
  if (!isString) return text === '' ? 'null' : text;
  return text.includes('\n') ? (literalBlock(text, indent) ?? JSON.stringify(text)) : yamlString(text);
}

/** A string on one line: plain where nobody can take it for anything else. */
function yamlString(text: string): string {
  const isPlain =
    PLAIN_STRING.test(text) &&
    !RESERVED.test(text) &&
    !/: |:$| #| $|^\.| $|^\$?\{|^<<|^\.\.\./.test(text) &&
    !looksNumeric(text);
  if (isPlain) return text;
  // eslint-disable-next-line no-control-regex -- control characters need escapes, which only double quotes have.
  return /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ud800-\udfff]/.test(text)
    ? JSON.stringify(text)
    : `'${text.replaceAll("'", "''")}'`;
}

function looksNumeric(text: string): boolean {
  return /^[-+.]?\d/.test(text) || /^[-+]?\.(?:inf|nan)$/i.test(text);
}

/** Undefined where a block could not say the text exactly, or would be hard to read. */
function literalBlock(text: string, indent: string): string | undefined {
  // eslint-disable-next-line no-control-regex -- what a block cannot hold.
  if (/^[ \t\n]|[ \t]\n|[ \t]$|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ud800-\udfff]/.test(text))
    return undefined;
  const chomping = text.endsWith('\n\n') ? undefined : text.endsWith('\n') ? '' : '-';
  if (chomping === undefined) return undefined;
  const lines = text.replace(/\n$/, '').split('\n');
  return `|${chomping}\n${lines.map((line) => (line === '' ? '' : indent + line)).join('\n')}`;
}
