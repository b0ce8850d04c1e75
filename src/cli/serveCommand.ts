import { parseArgs } from 'node:util';
import type { LibraryId } from '../core/ids.ts';
import type { Logger } from '../core/ports.ts';
import { readHostAddress } from '../node/transport/hostAddress.ts';
import { createPeer, createDiskFiles } from '../peer/peer.ts';
import { readInfoVersion } from './mergeFiles.ts';
import type { FolderSession, Outcome } from '../peer/folderSession.ts';
import type { PeerWorkers } from '../peer/index.ts';
import { type Retention, retentionOf } from '../peer/logCompaction.ts';
import type { HostLinkSettings } from '../peer/syncHost.ts';
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

const MIN_SECONDS = 0.1;
const MAX_SECONDS = 600;

const SERVE_USAGE = `api-live-sync serve FOLDER [--keep-in-step | --library ID] [--name NAME] [--state-dir DIR] [--ignore GLOB]...
                           [--info-version ask|higher|ours|theirs] [--sources FILE]
                           [--heartbeat SECONDS] [--timeout SECONDS]
                           [--history-days DAYS] [--history-megabytes MB]
                           [--host-port PORT [--host-address ADDRESS] [--linked-to ADDRESS]...]
  Keeps the OpenAPI files of FOLDER in step without an editor, until it is interrupted.
  Prints a line of JSON whenever its state changes. --keep-in-step says yes for the folder, --library joins that library.
  --sources runs the live sources of FILE, a list as in the setting "apiLiveSync.sources" or a settings.json with it; it
  needs no library. "\${secret:NAME}" in a header is the environment's API_LIVE_SYNC_SECRET_NAME.
  --host-port lets state directories that hold the same library keep it together: each listens at its port of the
  loopback, and looks for the others at --linked-to 127.0.0.1:PORT. All peers of a state directory are told the same.
  --history-days and --history-megabytes say how much history the library keeps at most (30, 50).
  --host-address is where others reach that port, if not there. --timeout is the silence after which others are gone.`;

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
      heartbeat: { type: 'string', default: '5' },
      timeout: { type: 'string', default: '15' },
      'history-days': { type: 'string', default: '30' },
      'history-megabytes': { type: 'string', default: '50' },
      'host-port': { type: 'string' },
      'host-address': { type: 'string' },
      'linked-to': { type: 'string', multiple: true, default: [] },
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
  const hostLinks = readHostLinks(values['host-port'], values['host-address'], values['linked-to']);
  const [heartbeatMs, timeoutMs] = [readSeconds(values.heartbeat), readSeconds(values.timeout)];
  const retention = readRetention(values['history-days'], values['history-megabytes']);
  if (
    retention === undefined ||
    hostLinks === 'invalid' ||
    heartbeatMs === undefined ||
    timeoutMs === undefined ||
    timeoutMs <= heartbeatMs
  ) {
    io.writeLine(SERVE_USAGE);
    return 128;
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
      heartbeatMs,
      timeoutMs,
      infoVersion,
      watchesNewFolders: true,
      hostLinks,
      retention,
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
        brokenReferences: session.brokenReferences.map(({ path, reference, problem }) => ({
          path,
          reference,
          problem,
        })),
      });
      if (line !== last) io.writeLine(line);
      last = line;
    });
    session.onDidApplyChange((change) => io.writeLine(JSON.stringify({ event: 'applied', ...change })));
    session.onDidNoticeCommit((notice) => io.writeLine(JSON.stringify({ event: 'commit', ...notice })));
    session.onDidPutAside((problem) => io.writeLine(JSON.stringify({ event: 'putAside', problem })));
    session.onDidApplyBulk((bulk) => io.writeLine(JSON.stringify({ event: 'appliedTogether', ...bulk })));
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

/** Undefined where this machine keeps its libraries alone. */
function readHostLinks(
  port: string | undefined,
  ownAddress: string | undefined,
  addresses: readonly string[],
): HostLinkSettings | undefined | 'invalid' {
  if (port === undefined) return addresses.length === 0 && ownAddress === undefined ? undefined : 'invalid';
  const named = [`127.0.0.1:${port}`, ...(ownAddress === undefined ? [] : [ownAddress]), ...addresses];
  const isValid = named.every((address) => readHostAddress(address) !== undefined);
  return isValid ? { port: Number(port), ownAddress, addresses } : 'invalid';
}

/** In milliseconds; undefined where it is no time that a heart could beat in. */
function readSeconds(text: string): number | undefined {
  const seconds = Number(text);
  return seconds >= MIN_SECONDS && seconds <= MAX_SECONDS ? seconds * 1_000 : undefined;
}

/** Undefined where one of them is no amount. */
function readRetention(days: string, megabytes: string): Retention | undefined {
  const retention = retentionOf(Number(days), Number(megabytes));
  return retention.ageMs > 0 && retention.units > 0 ? retention : undefined;
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
