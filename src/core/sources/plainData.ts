import type { PlainNode } from '../openapi/plainDocument.ts';

/**
 * A text that is equal for equal data, whatever the order of keys, the quotes and the layout. Aliases count by name:
 * compare documents without them. Memory: about the size of the data.
 */
export function dataKey(node: PlainNode): string {
  switch (node.kind) {
    case 'scalar':
      return node.isString ? JSON.stringify(node.text) : plainWord(node.text);
    case 'alias':
      return `*${node.name}`;
    case 'sequence':
      return `[${node.items.map((item) => dataKey(item)).join()}]`;
    case 'map':
      return `{${[...node.entries]
        .map(([key, value]) => `${JSON.stringify(key)}:${dataKey(value)}`)
        .sort()
        .join()}}`;
  }
}

/** `null` may be written as nothing at all; everything else counts as it is written. */
function plainWord(text: string): string {
  return /^(?:|~|null|Null|NULL)$/.test(text) ? 'null' : text;
}

/** Whether a document has aliases or merge keys, which stand for other parts of it. */
export function hasAliases(root: PlainNode): boolean {
  const open: PlainNode[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === 'alias') return true;
    if (node.kind === 'sequence') open.push(...node.items);
    if (node.kind === 'map') {
      if ([...node.entries.keys()].some((key) => key.startsWith('<<'))) return true;
      open.push(...node.entries.values());
    }
  }
  return false;
}
