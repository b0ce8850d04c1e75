import { createDiskFiles, createPeer } from '../../src/peer/peer.ts';
import type { SavedText, WorkingFiles } from '../../src/peer/folderSession.ts';
import { Emitter } from '../../src/core/event.ts';
import { sourceWorkers } from './sourceWorkers.ts';

/**
 * A peer in a process of its own for the latency benchmark: told of saves by its parent, as an editor tells the extension,
 * or left to its watcher. `node test/bench/latencyPeer.ts FOLDER STATE_DIR`.
 */
const [folder, stateDirectory] = process.argv.slice(2);
if (folder === undefined || stateDirectory === undefined) throw new Error('Usage: latencyPeer.ts FOLDER STATE_DIR');

const fail = (error: unknown): void => {
  throw error;
};
const quiet = (): void => undefined;
const logger = { trace: quiet, debug: quiet, info: quiet, warn: console.error, error: console.error };
const saved = new Emitter<SavedText>(fail);
const files: WorkingFiles = { ...createDiskFiles({ folder, ignore: [], logger }), onDidSave: saved.event };
const peer = createPeer({
  logger,
  stateDirectory,
  workers: sourceWorkers,
  settings: {
    displayName: 'bench',
    ignore: [],
    heartbeatMs: 5_000,
    timeoutMs: 15_000,
    infoVersion: 'ask',
    watchesNewFolders: false,
  },
});
const session = await peer.openFolder(folder, files);
session.onDidChangeStatus((status) => {
  const isReady = status.phase === 'running' && status.connection === 'connected' && status.documents.length > 0;
  process.send?.({
    isInStep: isReady && status.documents.every((document) => document.state === 'inStep'),
    role: status.role,
  });
});
process.on('message', (message: SavedText) => saved.fire(message));
process.on('disconnect', () => peer.dispose());
const outcome = await session.keepInStep();
if (!outcome.isDone) throw new Error(outcome.problem.message);
