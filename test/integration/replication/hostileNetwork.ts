import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProposalId } from '../../../src/core/ids.ts';
import { writeFileAtomic } from '../../../src/node/atomicFile.ts';
import { SeededRandom } from '../../simulation/seededRandom.ts';
import { createOf, editOf, until } from '../../unit/replication/fakes.ts';
import { HostileProxy } from './hostileProxy.ts';
import { TestLibrary } from './library.ts';
import type { TestPeer } from './library.ts';

/**
 * Two peers save `saves` times each, one of them through a network that cuts, stalls, splits and garbles. Every save is
 * committed once, and both end equal.
 */
export async function saveThroughHostileNetwork(saves: number): Promise<void> {
  const seed = Date.now() % 2 ** 31;
  const library = await TestLibrary.create();
  const alice = await library.start('alice');
  const path = join(library.directory, 'leader.json');
  const address = JSON.parse(readFileSync(path, 'utf8')) as { port: number };
  const proxy = await HostileProxy.listen(address.port, new SeededRandom(seed));
  try {
    await writeFileAtomic(path, JSON.stringify({ ...address, port: proxy.port }));
    const bob = await library.start('bob');
    const proposed: ProposalId[] = [];
    const save = async (peer: TestPeer, docId: string): Promise<void> => {
      for (let step = 0; step < saves; step += 1) {
        const [before, after] = [`step: ${String(step - 1)}\n`, `step: ${String(step)}\n`];
        const proposal =
          step === 0 ? createOf(docId, docId, `${docId}.yaml`, after) : editOf(docId, docId, before, after);
        proposed.push(proposal.proposalId);
        assert.equal((await peer.service.propose(proposal)).kind, 'committed');
      }
    };
    await Promise.all([save(alice, 'doc-a'), save(bob, 'doc-b')]);
    proxy.isHostile = false;
    await until(() => bob.sink.index === 2 * saves && alice.sink.index === 2 * saves, 'both have everything', 30_000);
    assert.equal(bob.sink.runningHash, alice.sink.runningHash);
    assert.deepEqual([...bob.sink.applied.map(({ proposalId }) => proposalId)].sort(), [...proposed].sort());
    assert.ok(proxy.cuts + proxy.garbled > 0, 'something went wrong on the way');
    assert.ok(bob.service.metrics.reconnects > 0, 'and that was counted');
    console.log(
      `seed ${String(seed)}: ${String(proxy.cuts)} cuts, ${String(proxy.garbled)} garbled, ${String(proxy.stalls)} stalls, ${String(bob.service.metrics.reconnects)} reconnects, 0 lost, 0 twice`,
    );
  } finally {
    proxy.dispose();
    await library.dispose();
  }
}
