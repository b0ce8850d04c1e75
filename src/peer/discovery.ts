import { readFile, stat } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { detectOpenApi } from '../core/openapi/detectOpenApi.ts';
import type { DocumentFormat } from '../core/merge/types.ts';
import type { Logger, Merger } from '../core/ports.ts';
import type { WorkingFiles } from '../core/workingFiles.ts';
import { workingText } from '../core/workingText.ts';
import { isCandidateName } from '../node/files/diskFiles.ts';

/** Larger files are no API descriptions. */
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
/** So many files are read at the same time. */
const PARALLEL_READS = 16;

/** A document of a workspace folder. */
export interface FoundDocument {
  readonly file: string;
  /** Relative to the folder, with `/`. */
  readonly path: string;
  /** Whether it has `openapi` or `swagger` at its root; else another document reaches it by `$ref`. */
  readonly isRoot: boolean;
  readonly title: string | undefined;
  readonly text: string;
  readonly format: DocumentFormat;
}

/**
 * Finds the OpenAPI documents of a folder by what is in them, not by their names: files with `openapi` or `swagger` at
 * the root, and what those reach by relative `$ref` inside the folder.
 */
export async function discoverDocuments(
  folder: string,
  files: WorkingFiles,
  merger: Merger,
  logger: Logger,
): Promise<readonly FoundDocument[]> {
  const found = new Map<string, FoundDocument>();
  const candidates = [...(await files.findCandidates(folder))].sort();
  await inParallel(candidates, async (file) => {
    const document = await readRoot(folder, file, logger);
    if (document !== undefined) found.set(file, document);
  });
  const reachable = new Set(candidates);
  const waiting = [...found.values()];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const reference of await merger.references(next.text, next.format)) {
      const file = resolve(dirname(next.file), reference);
      // Only what the folder's own search finds: nothing outside of it and nothing that is ignored.
      if (found.has(file) || !reachable.has(file)) continue;
      const text = await readText(file, logger);
      if (text === undefined) continue;
      const format = formatOf(file);
      const document: FoundDocument = {
        file,
        path: localPath(folder, file),
        isRoot: false,
        title: undefined,
        text,
        format,
      };
      found.set(file, document);
      waiting.push(document);
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Relative to the folder, with `/`. */
export function localPath(folder: string, file: string): string {
  return relative(folder, file).split(sep).join('/');
}

async function readRoot(folder: string, file: string, logger: Logger): Promise<FoundDocument | undefined> {
  if (!isCandidateName(file)) return undefined;
  const text = await readText(file, logger, ['openapi', 'swagger']);
  const detected = text === undefined ? undefined : detectOpenApi(text);
  if (text === undefined || detected === undefined) return undefined;
  return { file, path: localPath(folder, file), isRoot: true, title: detected.title, text, format: detected.format };
}

/** @param words if given, a file without any of them is not decoded. */
async function readText(file: string, logger: Logger, words?: readonly string[]): Promise<string | undefined> {
  try {
    if ((await stat(file)).size > MAX_DOCUMENT_BYTES) return undefined;
    const bytes = await readFile(file);
    if (words !== undefined && !words.some((word) => bytes.includes(word))) return undefined;
    return workingText(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)).text;
  } catch (error) {
    // Gone since it was listed, closed to us, or not text: then it is no document.
    logger.debug('A file was passed over in the search for documents.', { error: String(error) });
    return undefined;
  }
}

function formatOf(file: string): DocumentFormat {
  return /\.json$/i.test(file) ? 'json' : 'yaml';
}

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const lane = async (): Promise<void> => {
    for (const item of rest) await run(item);
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, lane));
}
