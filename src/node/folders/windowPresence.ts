import { readdir, readFile, rm } from 'node:fs/promises';
import { rmSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { Emitter, type Event } from '../../core/event.ts';
import type { Disposable, Logger } from '../../core/ports.ts';
import { writeFileAtomic } from '../atomicFile.ts';
import { makePrivateDirectory, PRIVATE_FILE_MODE } from '../stateDirectory.ts';

/** What an open window tells the user's other windows on this machine about one of its folders. */
export interface WindowPresence {
  readonly pid: number;
  readonly folder: string;
  readonly folderName: string;
  readonly remote: string | undefined;
  readonly branch: string;
  readonly documents: readonly string[];
  readonly title: string | undefined;
}

const schema = z.object({
  pid: z.number().int().positive(),
  folder: z.string().max(4096),
  folderName: z.string().max(255),
  remote: z.string().max(4096).optional(),
  branch: z.string().max(4096),
  documents: z.array(z.string().max(4096)).max(10_000),
  title: z.string().max(500).optional(),
});

/** Changes of the state directory come in bursts. */
const WINDOW_MS = 50;

/**
 * The list of open windows in the user's state directory: how a window learns of a neighbour before there is a library.
 * It watches that one folder of ours and nothing of the user's (docs/decisions/0002).
 */
export class WindowPresences implements Disposable {
  readonly #folder: string;
  readonly #file: string;
  readonly #logger: Logger;
  readonly #changed: Emitter<void>;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stateDir: string, windowId: string, logger: Logger) {
    this.#folder = join(stateDir, 'windows');
    this.#file = join(this.#folder, `${windowId}.json`);
    this.#logger = logger;
    this.#changed = new Emitter<void>((error) =>
      logger.error('A listener of the list of windows failed.', { error: String(error) }),
    );
  }

  /** Fires when a window came, went or decided something. */
  get onDidChange(): Event<void> {
    return this.#changed.event;
  }

  async announce(presence: WindowPresence): Promise<void> {
    makePrivateDirectory(this.#folder);
    await writeFileAtomic(this.#file, JSON.stringify(presence), { mode: PRIVATE_FILE_MODE });
    this.#watcher ??= this.#watch();
  }

  /** Tells the other windows to look again at what was decided. */
  async nudge(): Promise<void> {
    const own = await readFile(this.#file, 'utf8').catch(() => undefined);
    if (own !== undefined) await writeFileAtomic(this.#file, own, { mode: PRIVATE_FILE_MODE });
  }

  /** The other windows that are open now; what a window left behind that died is cleared away. */
  async others(): Promise<readonly WindowPresence[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const found: WindowPresence[] = [];
    for (const name of names) {
      const file = join(this.#folder, name);
      if (file === this.#file || !/^[\w-]+\.json$/.test(name)) continue;
      const presence = await readPresence(file);
      if (presence !== undefined && isAlive(presence.pid)) found.push(presence);
      else if (presence !== undefined) await rm(file, { force: true });
    }
    return found;
  }

  dispose(): void {
    this.#watcher?.close();
    clearTimeout(this.#timer);
    this.#changed.dispose();
    try {
      rmSync(this.#file, { force: true });
    } catch (error) {
      this.#logger.debug('The entry of this window could not be removed; others clear it away.', {
        error: String(error),
      });
    }
  }

  #watch(): FSWatcher {
    const watcher = watch(this.#folder, { persistent: false }, () => {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#changed.fire();
      }, WINDOW_MS);
    });
    watcher.on('error', (error) =>
      this.#logger.warn('The list of windows is not followed any more.', { error: String(error) }),
    );
    return watcher;
  }
}

async function readPresence(file: string): Promise<WindowPresence | undefined> {
  try {
    const { remote, title, ...rest } = schema.parse(JSON.parse(await readFile(file, 'utf8')));
    return { ...rest, remote, title };
  } catch {
    // Gone since it was listed, or not one of ours.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process (EPERM) lives; only "no such process" is an answer.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
