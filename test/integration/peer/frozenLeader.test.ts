import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/headlessPeer.ts';
import { SHOP_AND_PETS as FILES } from '../support/shop.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const here = machineForEachTest();

test(
  '[I8] a window that starts beside a leader that freezes at that moment can be stopped, started again and closed',
  { skip: process.platform === 'win32' },
  async () => {
    const alice = await here.machine.serveNew('alice', FILES);
    const before = await here.keepNew('bob', FILES);
    await before.close();
    // Believed only when it has stayed so for a while: alice is frozen before the library is asked about it.
    await before.edit('pets.yaml', (text) => text.slice(0, text.indexOf('responses:')));
    const bob = await here.open(before.session.folder);
    const starting = bob.session.start();
    await alice.until('bob is connected', ({ peers }) => peers.length === 1);
    alice.process.kill('SIGSTOP');
    let isStopped = false;
    void bob.session.stop().then(() => (isStopped = true));
    await until('it has stopped', () => Promise.resolve(isStopped));
    assert.equal((await starting).isDone, false);
    assert.equal(bob.status.phase, 'asleep');
    const again = bob.session.start();
    let isClosed = false;
    void bob.close().then(() => (isClosed = true));
    await until('it has closed', () => Promise.resolve(isClosed));
    await again;
  },
);
