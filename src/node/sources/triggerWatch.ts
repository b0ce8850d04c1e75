import { relative, sep } from 'node:path';
import { watch } from 'chokidar';
import type { Disposable, Logger } from '../../core/ports.ts';
import { globPatterns } from '../../core/sources/globPattern.ts';
import { watchedFolderOf } from './fileSource.ts';

const IGNORED_FOLDERS = new Set(['node_modules', '.git']);
/** A build touches many files at once. */
const TRIGGER_WINDOW_MS = 200;

export interface TriggerWatch extends Disposable {
  /** Resolves when changes from now on are seen. */
  readonly ready: Promise<void>;
}

/**
 * Calls back when a file changes that one of the globs fits: for a process that has no editor which watches for it.
 * @param folder the workspace folder's real path, which the globs are relative to.
 */
export function watchTriggers(
  folder: string,
  globs: readonly string[],
  logger: Logger,
  onTriggered: () => void,
): TriggerWatch {
  if (globs.length === 0) return { ready: Promise.resolve(), dispose: () => undefined };
  const fits = globPatterns(globs);
  const roots = [...new Set(globs.map((glob) => watchedFolderOf(folder, glob)))];
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(roots, {
    ignoreInitial: true,
    ignored: (path) =>
      relative(folder, path)
        .split(sep)
        .some((segment) => IGNORED_FOLDERS.has(segment)),
  });
  watcher.on('all', (_event, path) => {
    if (!fits(relative(folder, path).split(sep).join('/'))) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      onTriggered();
    }, TRIGGER_WINDOW_MS);
  });
  const failed = (error: unknown): void =>
    logger.warn('The files that trigger a source are not watched; it is asked at each interval.', {
      error: String(error),
    });
  watcher.on('error', failed);
  return {
    ready: new Promise((resolve) => watcher.once('ready', () => resolve())),
    dispose: () => {
      clearTimeout(timer);
      watcher.close().catch(failed);
    },
  };
}
