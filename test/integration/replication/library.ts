import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LibraryId } from '../../../src/core/ids.ts';
import { createAmbient } from '../../../src/node/ambient.ts';
import { createLibrary, libraryDirectory } from '../../../src/node/libraryDirectory.ts';
import { SyncService } from '../../../src/peer/syncService.ts';
import type { SyncServiceOptions } from '../../../src/peer/syncService.ts';
import { peerInfo, RecordingSink, silentLogger } from '../../unit/replication/fakes.ts';

export interface TestPeer {
  readonly service: SyncService;
  readonly sink: RecordingSink;
  stop(): Promise<void>;
}

/** A library in a folder of its own and peers of it in this process. `dispose` ends all of it. */
export class TestLibrary {
  readonly libraryId: LibraryId;
  readonly directory: string;
  readonly #stateDir: string;
  readonly #peers = new Set<TestPeer>();

  private constructor(stateDir: string, libraryId: LibraryId) {
    this.#stateDir = stateDir;
    this.libraryId = libraryId;
    this.directory = libraryDirectory(stateDir, libraryId);
  }

  static async create(): Promise<TestLibrary> {
    const stateDir = mkdtempSync(join(tmpdir(), 'als-sync-'));
    return new TestLibrary(stateDir, await createLibrary(stateDir, { name: 'petstore', hints: [] }));
  }

  async start(
    name: string,
    options: Partial<SyncServiceOptions> & { readonly sink?: RecordingSink } = {},
  ): Promise<TestPeer> {
    const sink = options.sink ?? new RecordingSink();
    const service = await SyncService.start({
      libraryId: this.libraryId,
      libraryDirectory: this.directory,
      peer: peerInfo(name),
      ambient: createAmbient(silentLogger),
      heartbeatMs: 500,
      timeoutMs: 2_000,
      ...options,
      sink,
    });
    const peer: TestPeer = {
      service,
      sink,
      stop: async () => {
        this.#peers.delete(peer);
        service.dispose();
        await service.closed;
      },
    };
    this.#peers.add(peer);
    return peer;
  }

  async dispose(): Promise<void> {
    for (const peer of [...this.#peers]) await peer.stop();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }
}
