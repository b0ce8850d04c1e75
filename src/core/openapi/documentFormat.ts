import type { DocumentFormat } from '../merge/types.ts';

/** How a document of a library is written, by its path: what is not named `.json` is YAML, which reads most JSON as well. */
export function formatOfPath(path: string): Exclude<DocumentFormat, 'jsonc'> {
  return /\.json$/i.test(path) ? 'json' : 'yaml';
}
