import { diffSplices } from '../../core/merge/splices.ts';
import { threeWayMerge } from '../../core/merge/threeWayMerge.ts';
import { checkDocument } from '../../core/openapi/checkDocument.ts';
import { serveWorkerCalls } from '../worker/workerCalls.ts';
import { findDocuments, operationsOf } from './findDocuments.ts';

const functions = {
  merge: threeWayMerge,
  check: checkDocument,
  diff: diffSplices,
  findDocuments,
  operationsOf,
};
export type DocumentWorkerFunctions = typeof functions;

serveWorkerCalls(functions);
