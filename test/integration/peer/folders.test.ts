import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Disposable, Scheduler } from '../../../src/core/ports.ts';
import type { WorkingFiles } from '../../../src/core/workingFiles.ts';
import { libraryDirectory, listLibraries } from '../../../src/node/libraryDirectory.ts';
import { ExclusiveLock } from '../../../src/node/lock/exclusiveLock.ts';
import { LeaderLock } from '../../../src/node/lock/leaderLock.ts';
import { readLog, until } from '../support/headlessPeer.ts';
import { HEARTBEAT_MS, type LocalPeer, type LocalPeerOptions, problemCode } from '../support/localPeer.ts';
import { ITEMS, SHOP_WITH_ITEMS as SPEC } from '../support/shop.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const PATH = 'openapi.yaml';

const here = machineForEachTest();

function keep(name: string, options?: LocalPeerOptions): Promise<LocalPeer> {
  return here.keepNew(name, { [PATH]: SPEC }, options);
}

async function attach(peer: LocalPeer, options?: LocalPeerOptions): Promise<LocalPeer> {
  const twin = await here.open(peer.session.folder, options);
  assert.equal(problemCode(await twin.session.start()), undefined);
  assert.equal(twin.status.phase, 'attached');
  return twin;
}

async function replicaDirectory(peer: LocalPeer): Promise<string> {
  const record = await peer.record();
  const replica = record.replicas[0] ?? record.left[0];
  assert.ok(replica);
  return join(here.machine.stateDir, 'replicas', replica.replicaId);
}

test('[I1] Leave in an attached window ends the serving one, and takes no state from under it', async () => {
  const alice = await keep('backend');
  const directory = await replicaDirectory(alice);
  const twin = await attach(alice);
  assert.equal(problemCode(await twin.session.leave()), undefined);
  assert.equal(twin.status.phase, 'asleep');
  await alice.until('the serving window sleeps', (status) => status.phase === 'asleep' && !status.hasConsent);
  assert.ok(existsSync(join(directory, 'replica.sqlite')), 'the state is still there');
  await until('the lock is free', () => {
    const lock = new ExclusiveLock(join(directory, 'replica.lock'));
    const isFree = lock.tryAcquire();
    lock.dispose();
    return Promise.resolve(isFree);
  });
});

test('[I1] Leave in the serving window does not hand the folder to the attached one, Stop does', async () => {
  const alice = await keep('backend');
  const twin = await attach(alice);
  await alice.session.stop();
  await twin.untilInStep(1);
  assert.equal(problemCode(await alice.session.start()), undefined);
  assert.equal(alice.status.phase, 'attached');
  assert.equal(problemCode(await twin.session.leave()), undefined);
  await alice.until('the attached window sleeps', (status) => status.phase === 'asleep' && !status.hasConsent);
  assert.equal(twin.status.phase, 'asleep');
});

test('[I1] Forget deletes no library that another open folder is in, also where this one is stopped', async () => {
  const alice = await keep('backend');
  const bob = await keep('frontend');
  await bob.session.stop();
  const outcome = await bob.session.forgetLibrary();
  assert.equal(problemCode(outcome), 'library-in-use');
  assert.ok(!outcome.isDone && outcome.problem.message.includes('backend'));
  assert.equal((await listLibraries(here.machine.stateDir)).length, 1);
  assert.equal(bob.status.hasConsent, true);
  const { length } = (await readLog(here.machine)).changes;
  await alice.edit(PATH, (text) => text.replace('List orders', 'List all orders'));
  await until('the edit is logged', async () => (await readLog(here.machine)).changes.length === length + 1);
});

test('[I1] Forget deletes no library that somebody leads, and goes on serving it', async () => {
  const alice = await keep('backend');
  const [library] = await listLibraries(here.machine.stateDir);
  assert.ok(library);
  const lock = new LeaderLock(libraryDirectory(here.machine.stateDir, library.libraryId));
  await alice.session.stop();
  assert.equal(lock.tryAcquire(), true);
  assert.equal(problemCode(await alice.session.forgetLibrary()), 'library-in-use');
  lock.dispose();
  assert.equal(alice.status.hasConsent, true);
  assert.equal((await listLibraries(here.machine.stateDir)).length, 1);
});

test('[I1] Forget deletes the library and the state of this folder, running or stopped', async () => {
  const alice = await keep('backend');
  const directory = await replicaDirectory(alice);
  assert.equal(problemCode(await alice.session.forgetLibrary()), undefined);
  assert.equal(alice.status.hasConsent, false);
  assert.deepEqual(await readdir(join(here.machine.stateDir, 'libraries')), []);
  assert.equal(existsSync(directory), false);
  assert.equal(problemCode(await alice.session.keepInStep()), undefined);
  await alice.untilInStep(1);
  await alice.session.stop();
  assert.equal(problemCode(await alice.session.forgetLibrary()), undefined);
  assert.deepEqual(await readdir(join(here.machine.stateDir, 'libraries')), []);
  assert.deepEqual(await readdir(join(here.machine.stateDir, 'replicas')), []);
});

test('[I1] what was deleted between Leave and Keep in Step does not come back', async () => {
  const alice = await keep('backend');
  const bob = await keep('frontend');
  assert.equal(problemCode(await bob.session.leave()), undefined);
  await bob.edit(PATH, (text) => text.replace(ITEMS, ''));
  assert.equal(problemCode(await bob.session.keepInStep()), undefined);
  await until('alice has no items any more', async () => !(await alice.read(PATH)).includes('/items'));
  assert.equal(await bob.read(PATH), SPEC.replace(ITEMS, ''));
  await bob.untilInStep(1);
});

test('[I2] folders that are kept in step at the same instant come into one library', async () => {
  const names = ['backend', 'frontend', 'docs', 'mobile'];
  const opened = await Promise.all(names.map((name) => here.machine.workspace(name, { [PATH]: SPEC })));
  const kept = await Promise.all(opened.map((folder) => here.open(folder)));
  const outcomes = await Promise.all(kept.map((peer) => peer.session.keepInStep()));
  assert.deepEqual(outcomes.map(problemCode), [undefined, undefined, undefined, undefined]);
  assert.equal((await listLibraries(here.machine.stateDir)).length, 1);
  await Promise.all(kept.map((peer) => peer.untilInStep(1)));
});

test('[I2] a folder at another place of the same checkout is no neighbour and gets a library of its own', async () => {
  const root = await here.machine.workspace('repo', { 'svc/openapi.yaml': SPEC });
  const whole = await here.open(root);
  assert.equal(problemCode(await whole.session.keepInStep()), undefined);
  await whole.untilInStep(1);
  const part = await here.open(join(root, 'svc'));
  assert.equal(await part.session.findOffer(), undefined);
  assert.equal(problemCode(await part.session.keepInStep()), undefined);
  assert.notEqual(part.status.library?.libraryId, whole.status.library?.libraryId);
  // The same place in another clone is one.
  const clone = await here.machine.workspace('clone', { 'svc/openapi.yaml': SPEC });
  assert.equal((await (await here.open(join(clone, 'svc'))).session.findOffer())?.neighbour, 'svc');
});

test('[I2] a folder inside or around another one that has joined the same library is refused', async () => {
  const outer = await keep('outer');
  const inner = await here.open(await here.machine.workspace('outer/inner', { [PATH]: SPEC }));
  assert.equal(await inner.session.findOffer(), undefined);
  assert.equal(problemCode(await inner.session.keepInStep()), 'folder-inside-another');
  const [choice] = await inner.session.listLibraries();
  assert.ok(choice);
  assert.equal(problemCode(await inner.session.join(choice.libraryId, choice.pairs)), 'folder-inside-another');
  assert.equal(inner.status.hasConsent, false);
  // And the other way round.
  await outer.session.leave();
  assert.equal(problemCode(await inner.session.join(choice.libraryId, choice.pairs)), undefined);
  assert.equal(problemCode(await outer.session.keepInStep()), 'folder-inside-another');
});

test('an attached window only tries the lock and looks at its folder, with each heartbeat, tells nothing new, and takes over at once when the other one is gone', async () => {
  const alice = await keep('backend');
  // The heartbeats come when this test says so; all other timers run as ever.
  const due = new Set<() => void>();
  const wrapScheduler = (scheduler: Scheduler): Scheduler => ({
    after: (delayMs, run): Disposable => {
      if (delayMs !== HEARTBEAT_MS) return scheduler.after(delayMs, run);
      due.add(run);
      return { dispose: () => void due.delete(run) };
    },
  });
  const twin = await attach(alice, { wrapScheduler });
  const told = twin.statuses.length;
  for (let round = 0; round < 5; round++) {
    assert.equal(due.size, 2, 'one timer for the lock, one that looks whether the folder is there');
    const runs = [...due];
    due.clear();
    for (const run of runs) run();
    await until('both are armed again', () => Promise.resolve(due.size >= 2));
  }
  assert.ok(
    twin.statuses.slice(told).every((status) => status.phase === 'attached'),
    'no flicker',
  );
  await alice.close();
  await twin.untilInStep(1);
});

test('a branch that has not joined holds one watch on git, however often it is stopped and started', async () => {
  const alice = await keep('backend');
  await alice.session.stop();
  await writeFile(join(alice.session.folder, '.git', 'HEAD'), 'ref: refs/heads/other\n');
  for (let round = 0; round < 5; round++) {
    assert.equal(problemCode(await alice.session.start()), undefined);
    assert.equal(alice.status.phase, 'observing');
    await alice.session.stop();
  }
  assert.equal(problemCode(await alice.session.start()), undefined);
  assert.equal(watchesOf(join(alice.session.folder, '.git')), 1);
});

test('[BRA-04] [BRA-06] a branch that has not joined can be joined, and is a replica of its own; coming back goes on with the other', async () => {
  const [alice, bob] = [await keep('backend'), await keep('frontend')];
  const checkOut = (peer: LocalPeer, branch: string): Promise<void> =>
    writeFile(join(peer.session.folder, '.git', 'HEAD'), `ref: refs/heads/${branch}\n`);
  for (const peer of [alice, bob]) {
    await checkOut(peer, 'feature/x');
    await peer.until('it observes', (status) => status.unjoinedBranch === 'feature/x' && status.phase === 'observing');
  }
  const library = alice.status.library?.libraryId;
  await until('alice sees bob there', async () => (await alice.session.findOffer())?.neighbour === 'frontend');
  assert.equal(problemCode(await alice.session.keepInStep()), undefined);
  for (const peer of [alice, bob]) {
    await peer.untilInStep(1);
    assert.notEqual(peer.status.library?.libraryId, library);
    assert.equal(peer.status.unjoinedBranch, undefined);
  }
  await alice.edit(PATH, (text) => text.replace('List orders', 'List all orders'));
  await until('bob has it', async () => (await bob.read(PATH)).includes('List all orders'));

  // [BRA-06] Nobody has committed that, and git leaves it in the files.
  for (const peer of [alice, bob]) {
    await checkOut(peer, 'main');
    await peer.until('the first one again', (status) => status.library?.libraryId === library);
    await peer.until('it is asked', ({ documents }) => documents[0]?.problem?.code === 'file-carried');
    assert.equal(peer.status.documents[0]?.state, 'behind');
  }
  const { file = '' } = bob.status.documents[0] ?? {};
  assert.equal(problemCode(await bob.session.leaveBehind(file, 'bringBack')), undefined);
  await bob.untilInStep(1);
  assert.equal(await bob.read(PATH), SPEC);
  // What is typed on top is sent, and nothing of the other branch with it.
  await alice.edit(PATH, (text) => text.replace('List items', 'List every item'));
  await alice.untilInStep(1);
  await until('bob has it', async () => (await bob.read(PATH)).includes('List every item'));
  for (const peer of [alice, bob]) assert.equal(await peer.read(PATH), SPEC.replace('List items', 'List every item'));
});

test('a start that fails says so, and does not stay at "connecting"', async () => {
  const alice = await keep('backend');
  await alice.session.stop();
  const libraries = join(here.machine.stateDir, 'libraries');
  await rename(libraries, `${libraries}-away`);
  await writeFile(libraries, 'no folder');
  assert.equal(problemCode(await alice.session.start()), 'library-missing');
  assert.equal(alice.status.phase, 'failed');
  assert.equal(alice.status.problem?.code, 'library-missing');
  await rm(libraries);
  await rename(`${libraries}-away`, libraries);
  assert.equal(problemCode(await alice.session.start()), undefined);
  await alice.untilInStep(1);
});

test('a folder whose first document comes later can be kept in step then', async () => {
  const folder = await here.machine.workspace('empty', {});
  const alice = await here.open(folder);
  assert.equal(await alice.session.findOffer(), undefined);
  assert.equal(problemCode(await alice.session.keepInStep()), 'no-documents');
  await writeFile(join(folder, PATH), SPEC);
  alice.session.fileAppeared(join(folder, PATH));
  assert.equal(problemCode(await alice.session.keepInStep()), undefined);
  await alice.untilInStep(1);
});

test('git that refreshes its index is not shown, git that stays at work is', async () => {
  const alice = await keep('backend');
  const git = join(alice.session.folder, '.git');
  await writeFile(join(git, 'index'), 'refreshed');
  await alice.edit(PATH, (text) => text.replace('List orders', 'List all orders'));
  await until('the edit is logged', async () => (await readLog(here.machine)).changes.length === 2);
  await alice.untilInStep(1);
  assert.ok(!alice.statuses.some((status) => status.phase === 'observing'));
  await writeFile(join(git, 'index.lock'), '');
  await alice.until('it observes', (status) => status.phase === 'observing' && status.observing !== undefined);
  await rm(join(git, 'index.lock'));
  await alice.untilInStep(1);
});

test('[I8] a pause outlives the window; Resume ends it', async () => {
  const before = await keep('backend');
  await before.session.pause();
  assert.equal(before.status.phase, 'paused');
  await before.close();
  const alice = await here.open(before.session.folder);
  assert.equal(problemCode(await alice.session.start()), undefined);
  assert.equal(alice.status.phase, 'paused');
  assert.ok(!alice.statuses.some((status) => status.phase === 'running'), 'it never ran');
  await alice.edit(PATH, (text) => text.replace('List orders', 'List all orders'));
  await alice.session.resume();
  await until('the edit is logged', async () => (await readLog(here.machine)).changes.length === 2);
  assert.equal((await alice.record()).replicas[0]?.isPaused, false);
});

test('[I1] closing frees the replica only when the write that is under way has ended', async () => {
  const alice = await keep('backend');
  const write = Promise.withResolvers<undefined>();
  const writing = Promise.withResolvers<undefined>();
  const wrapFiles = (files: WorkingFiles): WorkingFiles =>
    new Proxy(files, {
      get: (target, name): unknown => {
        if (name === 'write') {
          return async (request: Parameters<WorkingFiles['write']>[0]) => {
            writing.resolve(undefined);
            await write.promise;
            return target.write(request);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  const bob = await keep('frontend', { wrapFiles });
  const directory = await replicaDirectory(bob);
  await alice.edit(PATH, (text) => text.replace('List orders', 'List all orders'));
  await writing.promise;
  let isClosed = false;
  const closing = bob.close().then(() => {
    isClosed = true;
  });
  // Alice hears of the goodbye, so everything but the write has had its time.
  await alice.until('bob is gone', (status) => status.peers.length === 0);
  const lock = new ExclusiveLock(join(directory, 'replica.lock'));
  assert.equal(lock.tryAcquire(), false);
  assert.equal(isClosed, false);
  write.resolve(undefined);
  await closing;
  assert.equal(lock.tryAcquire(), true);
  lock.dispose();
  assert.equal(await bob.read(PATH), await alice.read(PATH));
});

function watchesOf(directory: string): number {
  const { libuv } = process.report.getReport() as unknown as {
    readonly libuv: readonly { readonly type: string; readonly filename?: string }[];
  };
  return libuv.filter((handle) => handle.type === 'fs_event' && handle.filename === directory).length;
}
