import { diffSplices } from '../../core/merge/splices.ts';
import { threeWayMerge } from '../../core/merge/threeWayMerge.ts';
import { checkDocument } from '../../core/openapi/checkDocument.ts';
import { serveWorkerCalls } from '../worker/workerCalls.ts';

const functions = { merge: threeWayMerge, check: checkDocument, diff: diffSplices };
export type MergeWorkerFunctions = typeof functions;

serveWorkerCalls(functions);
