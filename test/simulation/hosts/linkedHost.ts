import { SyncError } from '../../../src/core/replication/syncError.ts';
import type { SyncHost } from '../../../src/peer/syncHost.ts';
import type { SimulatedDisk } from '../simulatedDisk.ts';
import { hostOf, reach } from '../simulatedHost.ts';
import type { SimulatedNetwork } from '../simulatedNetwork.ts';
import type { SimulatedProcess } from '../simulatedProcess.ts';

/** A machine with its own state directory; its address is its name. */
export interface SimulatedMachine {
  readonly name: string;
  readonly disk: SimulatedDisk;
  /** The machines that it was told of. */
  readonly addresses: string[];
  /** Machines that it cannot connect to, although they can connect to it (a firewall). */
  readonly unreachable: Set<string>;
  /** The same, and it stays so. */
  readonly neverReached: Set<string>;
}

/** One process's view of its machine, and of the others that keep the same library. */
export function linkedHost(
  process: SimulatedProcess,
  machine: SimulatedMachine,
  machines: readonly SimulatedMachine[],
  network: SimulatedNetwork,
  fail: (what: string) => void,
): SyncHost {
  return {
    ...hostOf(process, machine.disk, network, { maxOpenMs: 60, connectsToFrozen: true, fail }),
    links: {
      ownAddress: machine.name,
      addresses: machine.addresses,
      connect: async (address) => {
        await process.delay(process.random.between(0.1, 20));
        const target = machines.find(({ name }) => name === address)?.disk.address;
        if (target === undefined) throw new SyncError('connection-failed', 'Nobody answers.');
        const isDeaf = machine.unreachable.has(address) || machine.neverReached.has(address);
        return reach(process, target, network, isDeaf);
      },
    },
  };
}
