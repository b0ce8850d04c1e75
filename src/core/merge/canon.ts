import { decodeScalar } from './scalarText.ts';
import type { SourceNode, SourceTree } from './sourceTree.ts';

/**
 * Gives values that are equal as data equal numbers, whatever their style, comments or order of keys. Anchors, tags and
 * aliases count by name. One table serves all trees of a merge.
 */
export class Canon {
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<SourceNode, number>();

  of(tree: SourceTree, node: SourceNode): number {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const number = this.#number(this.#describe(tree, node));
    this.#known.set(node, number);
    return number;
  }

  #describe(tree: SourceTree, node: SourceNode): string {
    const properties = node.properties === '' ? '' : `${node.properties.trim()} `;
    if (node.kind === 'scalar') return properties + describeScalar(tree, node);
    if (node.kind === 'sequence')
      return `${properties}[${node.entries.map((entry) => this.of(tree, entry.value)).join(',')}`;
    const pairs = node.entries.map((entry) => `${this.#number(`k${entry.key ?? ''}`)}:${this.of(tree, entry.value)}`);
    return `${properties}{${pairs.sort().join(',')}`;
  }

  #number(description: string): number {
    let number = this.#numbers.get(description);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(description, number);
    }
    return number;
  }
}

// Plain scalars that YAML's core schema takes for something other than a string.
const NOT_A_STRING =
  /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

function describeScalar(tree: SourceTree, node: SourceNode & { kind: 'scalar' }): string {
  const text = decodeScalar(tree.text, node);
  switch (node.style) {
    case 'plain':
      return NOT_A_STRING.test(text) ? `p${text}` : `s${text}`;
    case 'single':
    case 'double':
      return `s${text}`;
    case 'literal':
    case 'folded':
      return blockScalarDescription(tree, node, text);
    case 'alias':
      return `a${text}`;
    case 'empty':
      return 'p';
    case 'opaque':
      return `o${text}`;
  }
}

function blockScalarDescription(tree: SourceTree, node: SourceNode, text: string): string {
  const header = /^[|>][-+0-9]*/.exec(tree.text.slice(node.start + node.properties.length, node.end))?.[0] ?? '|';
  const chomp = header.includes('-') ? '-' : header.includes('+') ? '+' : '';
  const body = text.replace(/\n+$/, '');
  if (header.startsWith('|') && chomp !== '+') return `s${body}${chomp === '-' || body === '' ? '' : '\n'}`;
  // Folding depends on the indentation of each line; two folded texts are equal where they are written the same.
  return `b${header.charAt(0)}${chomp}${chomp === '+' ? text : body}`;
}

/** Whether a scalar stands for a string. */
export function isStringScalar(tree: SourceTree, node: SourceNode): boolean {
  if (node.kind !== 'scalar') return false;
  if (node.style === 'plain') return !NOT_A_STRING.test(decodeScalar(tree.text, node));
  return node.style === 'single' || node.style === 'double' || node.style === 'literal' || node.style === 'folded';
}
