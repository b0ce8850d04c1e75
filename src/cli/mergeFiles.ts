import { readFile } from 'node:fs/promises';
import type { DocumentFormat, MergeOptions } from '../core/merge/types.ts';
import { scanJson } from '../core/openapi/jsonScan.ts';
import { workingText, type WorkingText } from '../core/workingText.ts';

/** How the merge commands speak with whoever called them. */
export interface MergeIo {
  readonly writeLine: (line: string) => void;
  readonly writeError: (line: string) => void;
  /** Asks a yes-or-no question. Rejects where nobody can answer: a script is not to take silence for done. */
  readonly confirm: (question: string) => Promise<boolean>;
  readonly cwd: string;
}

/** Exit codes: 0 clean, 1 to 127 the number of conflicts, from 128 on an error. */
export const EXIT_ERROR = 128;
export const MAX_EXIT_CONFLICTS = 127;

/** A failure that the caller is told as one plain sentence. */
export class MergeFileError extends Error {}

/** Reads a file as a copy of a revision. Throws `MergeFileError` where it cannot be read or is not UTF-8. */
export async function readCopy(path: string): Promise<WorkingText> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new MergeFileError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return workingText(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw new MergeFileError(`${path} is not UTF-8 text`);
  }
}

const INFO_VERSIONS = ['ask', 'higher', 'ours', 'theirs'] as const;

/** What to do where both sides raised `info.version`; without a word, ask. Throws `MergeFileError`. */
export function readInfoVersion(value: string | undefined): NonNullable<MergeOptions['infoVersion']> {
  const known = INFO_VERSIONS.find((one) => one === (value ?? 'ask'));
  if (known === undefined) throw new MergeFileError(`--info-version is ask, higher, ours or theirs, not "${value}"`);
  return known;
}

/** By the name that the file has in the repository, and by what JSON files really hold. */
export function formatOf(path: string, texts: readonly string[]): DocumentFormat {
  const looksLikeJson = texts.some((text) => text.trimStart().startsWith('{'));
  if (!/\.jsonc?$/i.test(path) && !(looksLikeJson && !/\.ya?ml$/i.test(path))) return 'yaml';
  return /\.jsonc$/i.test(path) || texts.some((text) => scanJson(text).hasExtensions) ? 'jsonc' : 'json';
}
