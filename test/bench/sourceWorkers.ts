import { fileURLToPath } from 'node:url';
import type { PeerWorkers } from '../../src/peer/index.ts';

function source(path: string): string {
  return fileURLToPath(new URL(`../../src/node/${path}`, import.meta.url));
}

/** The worker threads' programs where the source runs. */
export const sourceWorkers: PeerWorkers = {
  log: source('log/logWorker.ts'),
  replica: source('replica/replicaWorker.ts'),
  documents: source('documents/documentWorker.ts'),
};
