import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import type { DocumentFormat } from '../../core/merge/types.ts';
import { collectReferences } from '../../core/openapi/collectReferences.ts';
import { describeApi } from '../../core/openapi/describeApi.ts';
import { detectOpenApi } from '../../core/openapi/detectOpenApi.ts';
import { formatOfPath } from '../../core/openapi/documentFormat.ts';
import { workingText } from '../../core/workingText.ts';
import { realFileInside } from '../files/insideFolder.ts';

/** Larger files are no API descriptions. */
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
/** Whoever has none of these is no root document; most files of a workspace need not even be decoded. */
const ROOT_WORDS = ['openapi', 'swagger'];

/** A document of a workspace folder. */
export interface FoundDocument {
  readonly file: string;
  /** Relative to the folder, with `/`. */
  readonly path: string;
  /** Whether it has `openapi` or `swagger` at its root; else another document reaches it by `$ref`. */
  readonly isRoot: boolean;
  readonly title: string | undefined;
  readonly format: DocumentFormat;
}

/**
 * Finds the OpenAPI documents among `candidates` (absolute paths) by what is in them, not by their names: files with
 * `openapi` or `swagger` at the root, and those of the candidates that these reach by relative `$ref`. Reads one file
 * after the other and waits for each, so it belongs into a worker thread. Files that cannot be read are no documents,
 * and neither is what a link leads to outside of the folder.
 */
export function findDocuments(folder: string, candidates: readonly string[]): readonly FoundDocument[] {
  const realFolder = realPath(folder);
  if (realFolder === undefined) return [];
  const found = new Map<string, FoundDocument>();
  const waiting: { readonly document: FoundDocument; readonly text: string }[] = [];
  for (const file of candidates) {
    const text = readDocument(file, ROOT_WORDS);
    const detected = text === undefined ? undefined : detectOpenApi(text);
    if (text === undefined || detected === undefined || !isInside(realFolder, file)) continue;
    const { title, format } = detected;
    const document = { file, path: localPath(folder, file), isRoot: true, title, format };
    found.set(file, document);
    waiting.push({ document, text });
  }
  // Only what the folder's own search finds: nothing outside of it and nothing that is ignored.
  const reachable = new Set(candidates);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const reference of collectReferences(next.text, next.document.format)) {
      const file = resolve(dirname(next.document.file), reference);
      if (found.has(file) || !reachable.has(file) || !isInside(realFolder, file)) continue;
      const text = readDocument(file);
      if (text === undefined) continue;
      const format = formatOfPath(file);
      const document = { file, path: localPath(folder, file), isRoot: false, title: undefined, format };
      found.set(file, document);
      waiting.push({ document, text });
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What a file is by itself. `unclear`: it cannot be read, or not yet; only a search can tell. */
export type FileKind = 'root' | 'other' | 'unclear';

/**
 * Looks at one file that turned up or changed: has it `openapi` or `swagger` at its root? One that has neither may
 * still be a document that another one reaches by `$ref`.
 */
export function inspectFile(folder: string, file: string): FileKind {
  const realFolder = realPath(folder);
  const text = realFolder === undefined || !isInside(realFolder, file) ? undefined : readDocument(file);
  if (text === undefined) return 'unclear';
  if (detectOpenApi(text) !== undefined) return 'root';
  // Somebody may be in the middle of writing it; a cut YAML file has its first keys.
  const end = text.trimEnd();
  const isCut = end === '' || (formatOfPath(file) === 'json' && !/[}\]]$/.test(end));
  return isCut ? 'unclear' : 'other';
}

/** The operations (`GET /pets`) of each document, in the order given; for pairing documents of two folders. */
export function operationsOf(documents: readonly FoundDocument[]): readonly (readonly string[])[] {
  return documents.map(({ file, format }) => {
    const text = readDocument(file);
    return text === undefined ? [] : describeApi(text, format).operations;
  });
}

function realPath(folder: string): string | undefined {
  try {
    return realpathSync.native(folder);
  } catch {
    // The folder is gone, and its documents with it.
    return undefined;
  }
}

function isInside(realFolder: string, file: string): boolean {
  return realFileInside(realFolder, file) !== undefined;
}

function localPath(folder: string, file: string): string {
  return relative(folder, file).split(sep).join('/');
}

/** @param words if given, a file without any of them is not decoded. */
function readDocument(file: string, words?: readonly string[]): string | undefined {
  try {
    const stats = statSync(file);
    // Reading a pipe or a device has no end.
    if (!stats.isFile() || stats.size > MAX_DOCUMENT_BYTES) return undefined;
    const bytes = readFileSync(file);
    if (words !== undefined && !words.some((word) => bytes.includes(word))) return undefined;
    return workingText(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)).text;
  } catch {
    // Gone since it was listed, closed to us, or not text: then it is no document.
    return undefined;
  }
}
