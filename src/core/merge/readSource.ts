import { FlowReader } from './flowReader.ts';
import { type SourceTree, UnsupportedSource } from './sourceTree.ts';
import type { DocumentFormat } from './types.ts';
import { readYamlSource } from './yamlReader.ts';

/** The text as a tree for cutting and joining; undefined where it cannot be taken apart. Never throws. */
export function readSource(text: string, format: DocumentFormat): SourceTree | undefined {
  if (format === 'yaml') return readYamlSource(text);
  try {
    const reader = new FlowReader(text, true);
    const start = reader.skipTrivia(0);
    const root = reader.readValue(start, 0);
    if (root.kind === 'scalar' || reader.skipTrivia(root.end) < text.length) return undefined;
    return { text, root, isJson: true };
  } catch (error) {
    if (error instanceof UnsupportedSource) return undefined;
    throw error;
  }
}
