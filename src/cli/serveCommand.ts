import { parseArgs } from 'node:util';
import type { LibraryId } from '../core/ids.ts';
import type { Logger } from '../core/ports.ts';
import { createPeer, createDiskFiles } from '../peer/peer.ts';
import { readInfoVersion } from './mergeFiles.ts';
import type { FolderSession, Outcome } from '../peer/folderSession.ts';
import type { PeerWorkers } from '../peer/index.ts';
import { readSecretFrom, readSourcesFile, serveSources } from './serveSources.ts';

/** Where a command reads and writes; the process's own streams, or a test's. */
export interface ServeIo {
  readonly writeLine: (line: string) => void;
  readonly logger: Logger;
  readonly workers: PeerWorkers;
  readonly environment: NodeJS.ProcessEnv;
  /** Resolves when the command is to end. */
  readonly stop: Promise<void>;
}

const SERVE_USAGE = `api-live-sync serve FOLDER [--keep-in-step | --library ID] [--name NAME] [--state-dir DIR] [--ignore GLOB]...
                           [--info-version ask|higher|ours|theirs] [--sources FILE]
  Keeps the OpenAPI files of FOLDER in step without an editor, until it is interrupted.
  Prints a line of JSON whenever its state changes. --keep-in-step says yes for the folder, --library joins that library.
  --sources runs the live sources of FILE, a list as in the setting "apiLiveSync.sources" or a settings.json with it; it
  needs no library. "\${secret:NAME}" in a header is the environment's API_LIVE_SYNC_SECRET_NAME.`;

/** Runs a peer without an editor; answers the exit code. */
export async function runServeCommand(args: readonly string[], io: ServeIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'keep-in-step': { type: 'boolean', default: false },
      library: { type: 'string' },
      name: { type: 'string' },
      'state-dir': { type: 'string' },
      ignore: { type: 'string', multiple: true, default: [] },
      'info-version': { type: 'string' },
      sources: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const folder = positionals[0];
  if (values.help || folder === undefined || positionals.length > 1) {
    io.writeLine(SERVE_USAGE);
    return values.help ? 0 : 128;
  }
  const infoVersion = readInfoVersion(values['info-version']);
  const sources = values.sources === undefined ? [] : await readSourcesFile(values.sources);
  if ('code' in sources) {
    io.writeLine(JSON.stringify({ event: 'failed', problem: sources }));
    return 1;
  }
  const files = createDiskFiles({ folder, ignore: values.ignore, logger: io.logger });
  const stateDirectory = values['state-dir'];
  const peer = createPeer({
    logger: io.logger,
    workers: io.workers,
    readSecret: readSecretFrom(io.environment),
    settings: {
      displayName: values.name,
      ignore: values.ignore,
      heartbeatMs: 5_000,
      timeoutMs: 15_000,
      infoVersion,
      watchesNewFolders: true,
    },
    ...(stateDirectory === undefined ? {} : { stateDirectory }),
  });
  try {
    const session = await peer.openFolder(folder, files);
    let last = '';
    session.onDidChangeStatus((status) => {
      const line = JSON.stringify({
        event: 'status',
        ...status,
        conflicts: session.conflicts.map(({ path, conflict }) => ({ path, label: conflict.label, id: conflict.id })),
      });
      if (line !== last) io.writeLine(line);
      last = line;
    });
    session.onDidApplyChange((change) => io.writeLine(JSON.stringify({ event: 'applied', ...change })));
    const isSourcesOnly = !session.status.hasConsent && !values['keep-in-step'] && values.library === undefined;
    if (sources.length === 0 || !isSourcesOnly) {
      const outcome = await begin(session, values['keep-in-step'], values.library as LibraryId | undefined);
      if (!outcome.isDone) {
        io.writeLine(JSON.stringify({ event: 'failed', problem: outcome.problem }));
        return 1;
      }
    }
    const running = await serveSources(session, sources, io.writeLine, io.logger);
    await io.stop;
    running.dispose();
    return 0;
  } finally {
    peer.dispose();
    await peer.closed;
  }
}

async function begin(session: FolderSession, isKeeping: boolean, libraryId: LibraryId | undefined): Promise<Outcome> {
  if (session.status.hasConsent) return session.start();
  if (isKeeping) return session.keepInStep();
  if (libraryId === undefined) return session.start();
  const choice = (await session.listLibraries()).find((one) => one.libraryId === libraryId);
  if (choice === undefined) {
    return {
      isDone: false,
      problem: { code: 'library-missing', message: `This machine has no library ${libraryId}.` },
    };
  }
  return session.join(libraryId, choice.pairs);
}
