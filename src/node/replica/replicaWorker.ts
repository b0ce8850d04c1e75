import { workerData } from 'node:worker_threads';
import * as z from 'zod';
import type { RememberedBulk, RememberedPart } from '../../core/history/bulkMemory.ts';
import type { DocId, ProposalId } from '../../core/ids.ts';
import type { ReplicaChange } from '../../core/replication/replicaStore.ts';
import { hashText } from '../hashText.ts';
import { serveWorkerCalls } from '../worker/workerCalls.ts';
import { ReplicaDatabase } from './replicaDatabase.ts';

const { file } = z.object({ file: z.string() }).parse(workerData);
const database = new ReplicaDatabase(file, hashText);

const functions = {
  load: () => database.load(),
  commit: (change: ReplicaChange) => database.commit(change),
  formerShadows: (docId: DocId) => database.formerShadows(docId),
  rememberBulk: (bulk: RememberedBulk, parts: readonly RememberedPart[]) => database.bulks.remember(bulk, parts),
  partsOfBulk: (id: ProposalId) => database.bulks.partsOf(id),
  bulksOf: (docId: DocId) => database.bulks.bulksOf(docId),
  close: () => database.close(),
};
export type ReplicaWorkerFunctions = typeof functions;

serveWorkerCalls(functions);
