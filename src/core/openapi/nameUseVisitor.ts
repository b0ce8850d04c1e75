import { METHODS } from './pathItemFacts.ts';
import type { PlainMap, PlainNode } from './plainNodes.ts';

/** How something is called by a name: by a reference, as a security scheme, or as the schema of a discriminator mapping. */
export type NameUseKind = 'reference' | 'security' | 'mapping';

/** Goes through a document and finds where something else in it is called by its name, and what an object requires but lacks. */
export abstract class NameUseVisitor {
  /** Where the visited node stands; a copy of it is to be made for what is kept. */
  protected readonly path: string[] = [];

  /** Something is called by its name, at `rest` below the path. */
  protected abstract use(kind: NameUseKind, name: string, rest: readonly string[]): void;

  /** The object at `path` requires a property that it does not describe. */
  protected abstract missing(name: string, path: readonly string[]): void;

  /** Whether nothing has to be found below this node. */
  protected abstract isKnown(node: PlainNode, isData: boolean): boolean;

  protected visit(node: PlainNode, isData: boolean): void {
    if (node.kind === 'scalar' || node.kind === 'alias' || this.isKnown(node, isData)) return;
    const { path } = this;
    if (node.kind === 'sequence') {
      for (let index = 0; index < node.items.length; index++) {
        const item = node.items[index];
        if (item === undefined || item.kind === 'scalar' || item.kind === 'alias') continue;
        path.push(String(index));
        this.visit(item, isData);
        path.pop();
      }
      return;
    }
    if (!isData) {
      this.#reference(node);
      this.#required(node);
      this.#discriminator(node);
      this.#security(node);
    }
    this.visitEntries(node, isData);
  }

  protected visitEntries(node: PlainMap, isData: boolean): void {
    for (const [key, value] of node.entries) this.visitEntry(key, value, isData);
  }

  protected visitEntry(key: string, value: PlainNode, isData: boolean): void {
    if (value.kind === 'scalar' || value.kind === 'alias') return;
    const { path } = this;
    // What stands in an example only looks like the specification's own words; a property may be called `example`.
    const isExample =
      (key === 'example' || key === 'examples' || key === 'default' || key === 'enum') && path.at(-1) !== 'properties';
    path.push(key);
    this.visit(value, isData || isExample);
    path.pop();
  }

  #reference(node: PlainMap): void {
    const reference = node.entries.get('$ref');
    if (reference?.kind !== 'scalar' || !reference.isString || this.path.at(-1) === 'properties') return;
    if (reference.text.startsWith('#/')) this.use('reference', reference.text, ['$ref']);
  }

  /** The requirements of the document or of an operation name security schemes (Security Requirement Object). */
  #security(node: PlainMap): void {
    const security = node.entries.get('security');
    if (security?.kind !== 'sequence') return;
    const { path } = this;
    const isOperation = METHODS.has(path.at(-1) ?? '') && (path.length === 3 || path.includes('callbacks'));
    if (!(path.length === 0 || isOperation)) return;
    security.items.forEach((requirement, index) => {
      if (requirement.kind !== 'map') return;
      for (const name of requirement.entries.keys()) this.use('security', name, ['security', String(index)]);
    });
  }

  #required(node: PlainMap): void {
    const required = node.entries.get('required');
    const properties = node.entries.get('properties');
    if (required?.kind !== 'sequence' || properties?.kind !== 'map') return;
    for (const item of required.items)
      if (item.kind === 'scalar' && !properties.entries.has(item.text)) this.missing(item.text, this.path);
  }

  #discriminator(node: PlainMap): void {
    const discriminator = node.entries.get('discriminator');
    const mapping = discriminator?.kind === 'map' ? discriminator.entries.get('mapping') : undefined;
    if (mapping?.kind !== 'map') return;
    for (const [key, value] of mapping.entries) {
      if (value.kind !== 'scalar' || !value.isString) continue;
      const { text } = value;
      const rest = ['discriminator', 'mapping', key];
      // A schema's bare name stands for it (Discriminator Object); with a dot or slash it is the address of a file.
      if (/^[\w-]+$/.test(text)) this.use('mapping', text, rest);
      else if (text.startsWith('#/')) this.use('reference', text, rest);
    }
  }
}
