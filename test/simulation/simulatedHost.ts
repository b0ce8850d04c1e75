import type { Connection } from '../../src/core/replication/connection.ts';
import { SyncError } from '../../src/core/replication/syncError.ts';
import type { SyncHost } from '../../src/peer/syncHost.ts';
import type { PublishedAddress, SimulatedDisk } from './simulatedDisk.ts';
import type { SimulatedNetwork } from './simulatedNetwork.ts';
import type { SimulatedProcess } from './simulatedProcess.ts';

const CONNECT_TIMEOUT_MS = 5_000;

export interface HostOptions {
  readonly maxOpenMs: number;
  /** Whether the operating system takes connections for a frozen process, which then says nothing. */
  readonly connectsToFrozen: boolean;
  readonly fail: (what: string) => void;
}

/** One process's view of the machine that the library's log lies on. */
export function hostOf(
  process: SimulatedProcess,
  disk: SimulatedDisk,
  network: SimulatedNetwork,
  { maxOpenMs, connectsToFrozen, fail }: HostOptions,
): SyncHost {
  const { random, time } = process;
  const expectLock = (what: string): void => {
    if (disk.lockHolder !== process) fail(`[ELE-03] an address is ${what} without the lock`);
  };
  return {
    tryLock: () => {
      if (disk.lockHolder !== undefined && disk.lockHolder !== process) return false;
      disk.lockHolder = process;
      return true;
    },
    releaseLock: () => {
      if (disk.lockHolder === process) disk.lockHolder = undefined;
    },
    openLog: async () => {
      await process.delay(random.between(1, maxOpenMs));
      return disk.open(process);
    },
    listen: async (_term, onConnection) => {
      await process.delay(random.between(1, 20));
      expectLock('published');
      const address = { process, onConnection };
      disk.publish(address);
      return {
        withdraw: () => {
          expectLock('withdrawn');
          if (disk.address === address) disk.publish(undefined);
          return Promise.resolve();
        },
        dispose: () => undefined,
      };
    },
    connect: async () => {
      await process.delay(random.between(0.1, 5));
      const { address } = disk;
      if (address === undefined) return undefined;
      const isFrozen = !connectsToFrozen && address.process.frozenUntil > time.now;
      return reach(process, address, network, isFrozen);
    },
    connectWithin: () => network.connect(process, process),
    watch: (onHint) => disk.watch(process, onHint),
  };
}

/** A connection to whoever listens at an address; packets that nobody answers, as behind a firewall, end in a timeout. */
export async function reach(
  process: SimulatedProcess,
  target: PublishedAddress,
  network: SimulatedNetwork,
  isDeaf: boolean,
): Promise<Connection> {
  const isUnheard = isDeaf || network.isPartitioned(process, target.process);
  if (isUnheard) await process.delay(CONNECT_TIMEOUT_MS);
  if (isUnheard || !target.process.isAlive) throw new SyncError('connection-failed', 'Nobody answers.');
  const [near, far] = network.connect(process, target.process);
  process.time.after(0, target.process, () => {
    target.onConnection(far);
  });
  return near;
}
