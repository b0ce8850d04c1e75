import type { SyncHost } from '../../../src/peer/syncHost.ts';
import { SyncError } from '../../../src/core/replication/syncError.ts';
import type { SimulatedDisk } from '../simulatedDisk.ts';
import type { SimulatedNetwork } from '../simulatedNetwork.ts';
import type { SimulatedProcess } from '../simulatedProcess.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** One process's view of the machine that the library's log lies on. */
export function hostOf(process: SimulatedProcess, disk: SimulatedDisk, network: SimulatedNetwork): SyncHost {
  const { random, time } = process;
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
      await process.delay(random.between(1, 60));
      return disk.open(process);
    },
    listen: async (_term, onConnection) => {
      await process.delay(random.between(1, 20));
      const address = { process, onConnection };
      disk.publish(address);
      return {
        withdraw: () => {
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
      const isDeaf = network.isPartitioned(process, address.process);
      if (isDeaf) await process.delay(CONNECT_TIMEOUT_MS);
      if (isDeaf || !address.process.isAlive) throw new SyncError('connection-failed', 'Nobody answers.');
      const [near, far] = network.connect(process, address.process);
      time.after(0, address.process, () => {
        address.onConnection(far);
      });
      return near;
    },
    connectWithin: () => network.connect(process, process),
    watch: (onHint) => disk.watch(process, onHint),
  };
}
