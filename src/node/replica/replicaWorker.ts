import { workerData } from 'node:worker_threads';
import * as z from 'zod';
import type { RememberedBulk, RememberedPart } from '../../core/history/bulkMemory.ts';
import type { DocId, ProposalId, RevisionHash } from '../../core/ids.ts';
import type { ReplicaChange, ReplicaState } from '../../core/replication/replicaStore.ts';
import { isDamage, openOrPutAside, type OpenedDatabase } from '../damagedDatabase.ts';
import { hashText } from '../hashText.ts';
import { serveWorkerCalls } from '../worker/workerCalls.ts';
import { REPLICA_DAMAGED } from './replicaDamaged.ts';
import { ReplicaDatabase } from './replicaDatabase.ts';

const { file, isSuspect } = z.object({ file: z.string(), isSuspect: z.boolean() }).parse(workerData);
let database: ReplicaDatabase | undefined;

/** What is read at the start is read while a damaged file can still make room for a new one. */
function load(): ReplicaState & Pick<OpenedDatabase<unknown>, 'putAside'> {
  const { database: loaded, putAside } = openOrPutAside(file, () => {
    const opened = new ReplicaDatabase(file, hashText);
    try {
      if (isSuspect) opened.check();
      return { opened, state: opened.load() };
    } catch (error) {
      opened.close();
      throw error;
    }
  });
  database = loaded.opened;
  return { ...loaded.state, putAside };
}

/** Everything else; that the file is damaged, the program has to hear of. */
function use<T>(work: (database: ReplicaDatabase) => T): T {
  try {
    database ??= new ReplicaDatabase(file, hashText);
    return work(database);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw Object.assign(new Error(message, { cause: error }), { code: REPLICA_DAMAGED });
  }
}

const functions = {
  load,
  commit: (change: ReplicaChange): void => use((one) => one.commit(change)),
  formerShadows: (docId: DocId): readonly RevisionHash[] => use((one) => one.formerShadows(docId)),
  rememberBulk: (bulk: RememberedBulk, parts: readonly RememberedPart[]) =>
    use(({ bulks }) => bulks.remember(bulk, parts)),
  partsOfBulk: (id: ProposalId) => use(({ bulks }) => bulks.partsOf(id)),
  bulksOf: (docId: DocId) => use(({ bulks }) => bulks.bulksOf(docId)),
  close: (): void => database?.close(),
};
export type ReplicaWorkerFunctions = typeof functions;

serveWorkerCalls(functions);
