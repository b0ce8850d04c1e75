import { readFile } from 'node:fs/promises';
import { parse, type ParseError } from 'jsonc-parser';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import { changeSentence } from '../core/sources/elementChange.ts';
import { checkLiveSources, type LiveSourceConfig, sourceAddress } from '../core/sources/liveSourceConfig.ts';
import { watchTriggers } from '../node/sources/triggerWatch.ts';
import type { FolderSession, UserProblem } from '../peer/folderSession.ts';
import type { SyncStatus } from '../peer/sources/liveSyncService.ts';

/** As an editor's settings name it. */
const SETTING = 'apiLiveSync.sources';
const SECRET_PREFIX = 'API_LIVE_SYNC_SECRET_';

/**
 * Reads sources from a file: a list of them, or an editor's settings.json with such a list in it, comments allowed.
 * Answers what is wrong in words where it cannot be used: then none of them runs.
 */
export async function readSourcesFile(file: string): Promise<readonly LiveSourceConfig[] | UserProblem> {
  const problem = (reason: string): UserProblem => ({
    code: 'wrong-sources',
    message: `The sources in ${file} cannot be used: ${reason}`,
    remedy: 'Mend the file; none of its sources runs.',
  });
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return problem(`it cannot be read (${error instanceof Error ? error.message : String(error)}).`);
  }
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  if (errors.length > 0) return problem('it is not JSON.');
  const isSettings = typeof value === 'object' && value !== null && SETTING in value;
  const { value: sources, problems } = checkLiveSources(isSettings ? value[SETTING] : value);
  return sources ?? problem(problems.map(({ message }) => message).join(' '));
}

/** A headless process has no secret storage: what is secret is in its environment, under `API_LIVE_SYNC_SECRET_NAME`. */
export function readSecretFrom(
  environment: NodeJS.ProcessEnv,
): (origin: string, name: string) => Promise<string | undefined> {
  return (_origin, name) => Promise.resolve(environment[SECRET_PREFIX + name]);
}

/** Runs sources until it is disposed, and prints a line of JSON whenever one of them changes its state or the file. */
export async function serveSources(
  session: FolderSession,
  sources: readonly LiveSourceConfig[],
  writeLine: (line: string) => void,
  logger: Logger,
): Promise<Disposable> {
  const store = new DisposableStore();
  const last = new Map<string, string>();
  store.add(
    session.sources.onDidHappen((event) => {
      // That it is being asked is said all the time, and says nothing.
      if (event.type !== 'status:changed' || event.status.state === 'syncing') return;
      const line = JSON.stringify({ event: 'source', ...described(event.status) });
      if (last.get(event.sourceId) !== line) writeLine(line);
      last.set(event.sourceId, line);
    }),
  );
  for (const source of sources) {
    const watch = watchTriggers(session.folder, source.triggers, logger, () =>
      session.sources.triggerSource(source.id),
    );
    store.add(watch);
    await watch.ready;
    await session.sources.addSource(source);
  }
  return store;
}

/** Without what changes each time that it is asked. */
function described(status: SyncStatus): object {
  const { sourceId, config, state, changes, lastChangeAt, conflictCount, problem, leaderName } = status;
  return {
    sourceId,
    from: sourceAddress(config),
    target: config.target,
    state,
    lastChangeAt,
    changes: changes.map(changeSentence),
    conflictCount,
    problem,
    leaderName,
  };
}
