import { createAmbient } from '../node/ambient.ts';
import { WorkerMerger } from '../node/documents/workerMerger.ts';
import { stateDirectory } from '../node/stateDirectory.ts';
import type { CreatePeer } from './index.ts';
import { WorkspaceFolder } from './workspaceFolder.ts';

export { createDiskFiles } from '../node/files/diskFiles.ts';

/** Puts a whole peer together, without an editor. SQLite, chokidar and ws are loaded when a folder is first served. */
export const createPeer: CreatePeer = (options) => {
  const ambient = createAmbient(options.logger);
  const stateDir = options.stateDirectory ?? stateDirectory(process.env, process.platform);
  const workers = options.workers;
  const merger = new WorkerMerger(workers.documents);
  const folders: WorkspaceFolder[] = [];
  let finishClosing: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    finishClosing = resolve;
  });
  return {
    closed,
    openFolder: async (folder, files) => {
      const session = await WorkspaceFolder.open(folder, {
        ambient,
        settings: options.settings,
        stateDir,
        files,
        merger,
        finder: merger,
        texts: merger,
        gitPath: options.gitPath ?? (() => 'git'),
        readSecret: options.readSecret ?? (() => Promise.resolve(undefined)),
        workers,
      });
      folders.push(session);
      return session;
    },
    dispose: () => {
      for (const folder of folders) folder.dispose();
      Promise.all(folders.map((folder) => folder.closed()))
        .catch((error: unknown) => options.logger.warn('A folder was not closed cleanly.', { error: String(error) }))
        .finally(() => {
          merger.dispose();
          finishClosing();
        });
    },
  };
};
