import { type NameUseKind, NameUseVisitor } from './nameUseVisitor.ts';
import { METHODS } from './pathItemFacts.ts';
import { referencePath } from './jsonPointer.ts';
import type { PlainNode } from './plainNodes.ts';

/** A name by which something in the document is called. */
export class UsedName {
  readonly kind: NameUseKind;
  readonly name: string;
  #pointerPath: readonly string[] | undefined;

  constructor(kind: NameUseKind, name: string) {
    this.kind = kind;
    this.name = name;
  }

  /** Where a reference leads to; taken apart once, however many revisions have it. */
  get pointerPath(): readonly string[] {
    return (this.#pointerPath ??= referencePath(this.name));
  }
}

/** What a part of a document has that the rules on the whole look at. It is the same wherever the part stands. */
export interface SubtreeFacts {
  /** Each name once, however often it is used; by kind and name. */
  readonly uses: ReadonlyMap<string, UsedName>;
  /** What an object requires but does not describe, and where from here that object stands. */
  readonly missing: readonly { readonly name: string; readonly place: readonly string[] }[];
}

/** So deep the parts are remembered: `components`, `schemas`, one schema. */
export const FACTS_DEPTH = 3;

/** A node never changes, and the revisions of a document share most of them. */
const remembered = new WeakMap<PlainNode, { readonly context: number; readonly facts: SubtreeFacts }>();

/** @param path where the node stands. */
export function subtreeFacts(node: PlainNode, isData: boolean, path: readonly string[]): SubtreeFacts {
  const context = contextOf(isData, path);
  const known = remembered.get(node);
  if (known?.context === context) return known.facts;
  const facts = new FactVisitor(path).factsOf(node, isData);
  remembered.set(node, { context, facts });
  return facts;
}

/** All that the visitor looks at outside of the node, as one number. */
function contextOf(isData: boolean, path: readonly string[]): number {
  const last = path.at(-1) ?? '';
  const role = last === 'properties' ? 1 : METHODS.has(last) ? 2 : 0;
  return ((path.length * 3 + role) * 2 + (isData ? 1 : 0)) * 2 + (path.includes('callbacks') ? 1 : 0);
}

class FactVisitor extends NameUseVisitor {
  readonly #depth: number;
  readonly #uses = new Map<string, UsedName>();
  readonly #missing: { readonly name: string; readonly place: readonly string[] }[] = [];

  constructor(path: readonly string[]) {
    super();
    this.path.push(...path);
    this.#depth = path.length;
  }

  factsOf(node: PlainNode, isData: boolean): SubtreeFacts {
    this.visit(node, isData);
    return { uses: this.#uses, missing: this.#missing };
  }

  protected override isKnown(node: PlainNode, isData: boolean): boolean {
    const { length } = this.path;
    if (length === this.#depth || length > FACTS_DEPTH) return false;
    const { uses, missing } = subtreeFacts(node, isData, this.path);
    for (const [key, use] of uses) if (!this.#uses.has(key)) this.#uses.set(key, use);
    for (const { name, place } of missing)
      this.#missing.push({ name, place: [...this.path.slice(this.#depth), ...place] });
    return true;
  }

  protected override use(kind: NameUseKind, name: string): void {
    const key = `${kind} ${name}`;
    if (!this.#uses.has(key)) this.#uses.set(key, new UsedName(kind, name));
  }

  protected override missing(name: string, path: readonly string[]): void {
    this.#missing.push({ name, place: path.slice(this.#depth) });
  }
}
