import { diffSplices } from '../../core/merge/splices.ts';
import { threeWayMerge } from '../../core/merge/threeWayMerge.ts';
import { collectReferences } from '../../core/openapi/collectReferences.ts';
import { checkDocument } from '../../core/openapi/checkDocument.ts';
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

const functions = {
  warmUp,
  merge: threeWayMerge,
  check: checkDocument,
  diff: diffSplices,
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
