import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { LiveSourceConfig } from '../../../src/core/sources/liveSourceConfig.ts';
import { checkLiveSource } from '../../../src/core/sources/liveSourceConfig.ts';
import type { LiveSyncService, SyncEvent, SyncStatus } from '../../../src/peer/sources/liveSyncService.ts';
import { LocalPeer, type LocalPeerOptions } from '../support/localPeer.ts';

/** Longer than anything here needs on a loaded machine; a test that waits so long has failed. */
const WAIT_MS = 60_000;

/** A workspace folder of its own with a window on it, and its state directory. */
export class SourceWorld {
  readonly folder: string;
  readonly events: SyncEvent[] = [];
  readonly #root: string;
  readonly #options: LocalPeerOptions;
  #peer: LocalPeer;

  private constructor(root: string, folder: string, peer: LocalPeer, options: LocalPeerOptions) {
    this.#root = root;
    this.folder = folder;
    this.#peer = peer;
    this.#options = options;
    this.#listen();
  }

  static async open(options: LocalPeerOptions = {}): Promise<SourceWorld> {
    const root = await realpath(await mkdtemp(join(tmpdir(), 'als-sources-')));
    const folder = join(root, 'frontend');
    await mkdir(folder);
    return new SourceWorld(root, folder, await openPeer(root, folder, options), options);
  }

  get peer(): LocalPeer {
    return this.#peer;
  }

  get sources(): LiveSyncService {
    return this.#peer.session.sources;
  }

  /** Another window on the same folder, on the same machine. */
  secondWindow(): Promise<LocalPeer> {
    return openPeer(this.#root, this.folder, this.#options);
  }

  async restart(): Promise<void> {
    await this.#peer.close();
    this.#peer = await openPeer(this.#root, this.folder, this.#options);
    this.#listen();
  }

  add(source: Partial<LiveSourceConfig> & Pick<LiveSourceConfig, 'target'>): Promise<void> {
    const { value, problems } = checkLiveSource({ intervalSeconds: 0.5, ...source });
    if (value === undefined) throw new Error(problems.map(({ message }) => message).join(' '));
    return this.sources.addSource(value);
  }

  read(path: string): Promise<string> {
    return readFile(join(this.folder, path), 'utf8');
  }

  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, path)), { recursive: true });
    await writeFile(join(this.folder, path), text);
  }

  /** Resolves when the condition holds; it is looked at whenever something happens. */
  until(what: string, condition: (statuses: readonly SyncStatus[]) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        subscription.dispose();
        reject(new Error(`${what} did not come true: ${JSON.stringify(this.sources.getAllSourceStatuses())}`));
      }, WAIT_MS);
      const look = (): void => {
        if (!condition(this.sources.getAllSourceStatuses())) return;
        clearTimeout(timer);
        subscription.dispose();
        resolve();
      };
      const subscription = this.sources.onDidHappen(look);
      look();
    });
  }

  untilState(state: SyncStatus['state']): Promise<void> {
    return this.until(state, (statuses) => statuses.length > 0 && statuses.every((status) => status.state === state));
  }

  async close(): Promise<void> {
    await this.#peer.close();
    await rm(this.#root, { recursive: true, force: true });
  }

  #listen(): void {
    this.sources.onDidHappen((event) => this.events.push(event));
  }
}

function openPeer(root: string, folder: string, options: LocalPeerOptions): Promise<LocalPeer> {
  return LocalPeer.openAt(join(root, 'state'), folder, options);
}
