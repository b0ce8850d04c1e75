import type { DocumentFormat } from '../merge/types.ts';
import { type PlainNode, readPlainDocument } from './plainDocument.ts';

/** What pairs the documents of two workspaces: title, version, and operations such as `GET /pets`. */
export interface ApiDescription {
  readonly title: string;
  readonly version: string;
  readonly operations: readonly string[];
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']);

/** Describes a root document; everything is empty where the text cannot be read. */
export function describeApi(text: string, format: DocumentFormat): ApiDescription {
  const { root } = readPlainDocument(text, format);
  const info = child(root, 'info');
  const operations: string[] = [];
  const paths = child(root, 'paths');
  if (paths?.kind === 'map') {
    for (const [path, item] of paths.entries) {
      if (item.kind !== 'map') continue;
      for (const method of item.entries.keys()) {
        if (METHODS.has(method)) operations.push(`${method.toUpperCase()} ${path}`);
      }
    }
  }
  return { title: scalarText(child(info, 'title')), version: scalarText(child(info, 'version')), operations };
}

function child(node: PlainNode | undefined, key: string): PlainNode | undefined {
  return node?.kind === 'map' ? node.entries.get(key) : undefined;
}

function scalarText(node: PlainNode | undefined): string {
  return node?.kind === 'scalar' ? node.text : '';
}
