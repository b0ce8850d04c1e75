import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
  /** Where the folder lies in its checkout, with `/`; '' for the checkout's root. */
  readonly pathInCheckout: string;
  readonly documents: readonly string[];
  readonly title: string | undefined;
}

const MAX_PATH = 4_096;
const MAX_NAME = 255;
const MAX_TITLE = 500;
const MAX_DOCUMENTS = 10_000;

const schema = z.object({
  pid: z.number().int().positive(),
  folder: z.string().max(MAX_PATH),
  folderName: z.string().max(MAX_NAME),
  remote: z.string().max(MAX_PATH).optional(),
  branch: z.string().max(MAX_PATH),
  pathInCheckout: z.string().max(MAX_PATH).default(''),
  documents: z.array(z.string().max(MAX_PATH)).max(MAX_DOCUMENTS),
  title: z.string().max(MAX_TITLE).optional(),
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
  readonly #nudgeFile: string;
  readonly #logger: Logger;
  readonly #changed: Emitter<void>;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stateDir: string, windowId: string, logger: Logger) {
    this.#folder = join(stateDir, 'windows');
    this.#file = join(this.#folder, `${windowId}.json`);
    this.#nudgeFile = join(this.#folder, `${windowId}.nudge`);
    this.#logger = logger;
    this.#changed = new Emitter<void>((error) =>
      logger.error('A listener of the list of windows failed.', { error: String(error) }),
    );
  }

  /** Fires when a window came, went or decided something. */
  get onDidChange(): Event<void> {
    return this.#changed.event;
  }

  /** Rejects what the other windows could not read; what is too long to be shown is cut. */
  async announce(presence: WindowPresence): Promise<void> {
    const { folderName, remote, title, documents } = presence;
    const fitting = schema.parse({
      ...presence,
      folderName: folderName.slice(0, MAX_NAME),
      // Half a remote would name another one.
      remote: remote === undefined || remote.length > MAX_PATH ? undefined : remote,
      documents: documents.filter((path) => path.length <= MAX_PATH).slice(0, MAX_DOCUMENTS),
      title: title?.slice(0, MAX_TITLE),
    });
    this.follow();
    await writeFileAtomic(this.#file, JSON.stringify(fitting), { mode: PRIVATE_FILE_MODE });
  }

  /** Listens to the other windows from now on, also where this one has nothing to tell. */
  follow(): void {
    makePrivateDirectory(this.#folder);
    this.#watcher ??= this.#watch();
  }

  /** Tells the other windows to look again at what was decided. */
  async nudge(): Promise<void> {
    makePrivateDirectory(this.#folder);
    await writeFile(this.#nudgeFile, '', { mode: PRIVATE_FILE_MODE });
    await rm(this.#nudgeFile, { force: true });
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

  #watch(): FSWatcher | undefined {
    const onError = (error: unknown): void =>
      this.#logger.warn('The list of windows is not followed any more.', { error: String(error) });
    try {
      const watcher = watch(this.#folder, { persistent: false }, () => {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          this.#changed.fire();
        }, WINDOW_MS);
      });
      watcher.on('error', onError);
      return watcher;
    } catch (error) {
      // The system has no watches left: neighbours are found when somebody asks.
      onError(error);
      return undefined;
    }
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
