import { SyncError } from '../../../src/core/replication/syncError.ts';
import type { SyncHost } from '../../../src/peer/syncHost.ts';
import type { SimulatedDisk } from '../simulatedDisk.ts';
import type { SimulatedNetwork } from '../simulatedNetwork.ts';
import type { SimulatedProcess } from '../simulatedProcess.ts';
import { hostOf } from '../replica/simulatedHost.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** A machine with its own state directory; its address is its name. */
export interface SimulatedMachine {
  readonly name: string;
  readonly disk: SimulatedDisk;
  /** The machines that it was told of. */
  readonly addresses: string[];
  /** Machines that it cannot connect to, although they can connect to it (a firewall). */
  readonly unreachable: Set<string>;
}

/** One process's view of its machine, and of the others that keep the same library. */
export function linkedHost(
  process: SimulatedProcess,
  machine: SimulatedMachine,
  machines: readonly SimulatedMachine[],
  network: SimulatedNetwork,
  fail: (what: string) => void,
): SyncHost {
  const host = hostOf(process, machine.disk, network);
  return {
    ...host,
    listen: async (term, onConnection) => {
      const listener = await host.listen(term, onConnection);
      if (machine.disk.lockHolder !== process) fail('[ELE-03] an address is published without the lock');
      return listener;
    },
    links: {
      ownAddress: machine.name,
      addresses: machine.addresses,
      connect: async (address) => {
        await process.delay(process.random.between(0.1, 20));
        const target = machines.find(({ name }) => name === address)?.disk.address;
        const isDeaf =
          target !== undefined && (network.isPartitioned(process, target.process) || machine.unreachable.has(address));
        // Packets that nobody answers, as behind a firewall: only the timeout tells.
        if (isDeaf) await process.delay(CONNECT_TIMEOUT_MS);
        if (target === undefined || isDeaf || !target.process.isAlive)
          throw new SyncError('connection-failed', 'Nobody answers.');
        const [near, far] = network.connect(process, target.process);
        process.time.after(0, target.process, () => {
          target.onConnection(far);
        });
        return near;
      },
    },
  };
}
