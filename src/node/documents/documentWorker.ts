import { adviceContext } from '../../core/advice/adviceContext.ts';
import { checkResolutions } from '../../core/advice/checkResolutions.ts';
import { changedPlaces } from '../../core/history/changedPlaces.ts';
import { restoreElement } from '../../core/history/restoreElement.ts';
import { sameButForm } from '../../core/formatting/sameButForm.ts';
import { diffSplices } from '../../core/merge/splices.ts';
import { threeWayMerge } from '../../core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeInput, MergeOptions, MergeResult } from '../../core/merge/types.ts';
import { checkDocument } from '../../core/openapi/checkDocument.ts';
import { collectReferences } from '../../core/openapi/collectReferences.ts';
import { PlainCache } from '../../core/openapi/plainDocument.ts';
import type { Problem } from '../../core/problem.ts';
import { fileReferences, hasFragments } from '../../core/references/fileReferences.ts';
import { elementChanges } from '../../core/sources/elementChanges.ts';
import { firstContact } from '../../core/sources/firstContact.ts';
import { translateSpec } from '../../core/sources/translateSpec.ts';
import { serveWorkerCalls } from '../worker/workerCalls.ts';
import { findDocuments, inspectFile, operationsOf } from './findDocuments.ts';

const SMALL = 'openapi: 3.1.0\ninfo: { title: T, version: 1.0.0 }\npaths: {}\n';

/** Goes through the code that the first merge needs, so that it is loaded by then. */
function warmUp(): void {
  threeWayMerge({ base: SMALL, ours: SMALL.replace('T', 'U'), theirs: SMALL.replace('1.0', '1.1') }, 'yaml');
  checkDocument(SMALL, 'yaml');
}

/** Shorter texts are read faster than they are looked up. In UTF-16 units. */
const MIN_REMEMBERED_LENGTH = 100_000;
/**
 * So many characters of pieces are remembered between calls, for each format, and at most twice as many: enough for the
 * largest public description. A character takes about 10 bytes (docs/MERGE.md, "Memory").
 */
const MAX_REMEMBERED_LENGTH = 16_000_000;
/** What was read of large documents, so that their next revision costs only what differs. Pieces of different formats read alike and mean different things. */
const remembered: Readonly<Record<DocumentFormat, PlainCache>> = {
  yaml: new PlainCache(MAX_REMEMBERED_LENGTH),
  json: new PlainCache(MAX_REMEMBERED_LENGTH),
  jsonc: new PlainCache(MAX_REMEMBERED_LENGTH),
};

function cacheFor(text: string, format: DocumentFormat): PlainCache {
  return text.length < MIN_REMEMBERED_LENGTH ? new PlainCache() : remembered[format];
}

function merge(input: MergeInput, format: DocumentFormat, options?: MergeOptions): MergeResult {
  return threeWayMerge(input, format, options, cacheFor(input.ours, format));
}

function check(text: string, format: DocumentFormat): readonly Problem[] {
  return checkDocument(text, format, cacheFor(text, format));
}

const functions = {
  sameButForm: (a: string, b: string, format: DocumentFormat) => sameButForm(a, b, format, cacheFor(a, format)),
  fileReferences: (text: string, format: DocumentFormat) => fileReferences(text, format, cacheFor(text, format)),
  hasFragments: (text: string, format: DocumentFormat, fragments: readonly string[]) =>
    hasFragments(text, format, fragments, cacheFor(text, format)),
  warmUp,
  merge,
  check,
  diff: diffSplices,
  checkResolutions,
  adviceContext,
  changedPlaces,
  restoreElement,
  findDocuments,
  inspectFile,
  operationsOf,
  translateSpec,
  firstContact,
  elementChanges,
  collectReferences,
};
export type DocumentWorkerFunctions = typeof functions;

serveWorkerCalls(functions);
