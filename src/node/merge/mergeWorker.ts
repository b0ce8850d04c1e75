import { diffSplices } from '../../core/merge/splices.ts';
import { threeWayMerge } from '../../core/merge/threeWayMerge.ts';
import { checkDocument } from '../../core/openapi/checkDocument.ts';
import { collectReferences } from '../../core/openapi/collectReferences.ts';
import { describeApi } from '../../core/openapi/describeApi.ts';
import { serveWorkerCalls } from '../worker/workerCalls.ts';

const functions = {
  merge: threeWayMerge,
  check: checkDocument,
  diff: diffSplices,
  references: collectReferences,
  describe: describeApi,
};
export type MergeWorkerFunctions = typeof functions;

serveWorkerCalls(functions);
