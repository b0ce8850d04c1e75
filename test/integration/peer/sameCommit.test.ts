import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AppliedBulk } from '../../../src/peer/folderSession.ts';
import { clones, commitAndPush, git, hasGit } from '../support/clones.ts';
import { readLog, until } from '../support/headlessPeer.ts';
import { type LocalPeer, problemCode } from '../support/localPeer.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const COUNT = 25;
const paths = Array.from({ length: COUNT }, (_, at) => `api/boats-${String(at)}.yaml`);
const here = machineForEachTest();

function spec(summary: string): string {
  return `openapi: 3.1.0\ninfo: { title: Boats, version: 1.0.0 }\npaths:\n  /boats:\n    get:\n      summary: ${summary}\n`;
}

function textsOf(peer: LocalPeer): Promise<readonly string[]> {
  return Promise.all(paths.map((path) => peer.read(path)));
}

async function untilAll(peer: LocalPeer, summary: string): Promise<void> {
  await until(`all files say "${summary}"`, async () => (await textsOf(peer)).every((text) => text === spec(summary)));
}

async function headOf(folder: string): Promise<string> {
  return (await git(folder, 'rev-parse', 'HEAD')).trim();
}

test(
  '[BLK-08] [BLK-09] [BLK-10] [PUL-05] [I12] what somebody pulled is moved to in one step, beside uncommitted work, and is taken back after a restart',
  { skip: !hasGit && 'git is not installed' },
  async () => {
    const { machine } = here;
    const files = Object.fromEntries(paths.map((path) => [path, spec('List boats')]));
    const folders = await clones(machine, { ...files, 'notes.txt': 'one\n', 'code.txt': 'one\n' }, [
      'alice',
      'bob',
      'carol',
    ] as const);
    const [first, second, elsewhere] = folders;
    const alice = await here.keep(first);
    await alice.untilInStep(COUNT);
    let bob = await here.keep(second);
    await bob.untilInStep(COUNT);
    const told: AppliedBulk[] = [];
    bob.session.onDidApplyBulk((bulk) => told.push(bulk));

    // Carol has no such program: alice gets it by git, and bob from alice.
    await Promise.all(paths.map((path) => writeFile(join(elsewhere, path), spec('List all boats'))));
    await writeFile(join(elsewhere, 'code.txt'), 'two\n');
    await commitAndPush(elsewhere, 'by carol');
    await writeFile(join(second, 'notes.txt'), 'by bob\n');
    const base = await headOf(second);
    await git(first, 'pull', '-q');
    await untilAll(bob, 'List all boats');
    await until('bob is told', () => Promise.resolve(told.length > 0));
    const commit = await headOf(first);
    assert.deepEqual(
      told.map((bulk) => [bulk.reason, bulk.commit, bulk.documents.length]),
      [['pull', commit, COUNT]],
    );
    await bob.untilInStep(COUNT);

    // Carol goes on: bob comes to where alice is, not to the newest.
    await writeFile(join(elsewhere, 'code.txt'), 'three\n');
    await commitAndPush(elsewhere, 'again');
    assert.equal(await bob.session.canMoveTo(commit), true, 'not known here yet');
    const entries = (await readLog(machine)).changes.length;
    const moved = await bob.session.pullSyncedChanges({ commit });
    assert.deepEqual(moved, { isDone: true, commitCount: 1, held: [...paths].sort(), changedSince: [] });
    assert.equal(await headOf(second), commit);
    assert.equal((await git(second, 'status', '--porcelain')).trim(), 'M notes.txt');
    assert.equal(await readFile(join(second, 'notes.txt'), 'utf8'), 'by bob\n');
    assert.equal(await readFile(join(second, 'code.txt'), 'utf8'), 'two\n');
    assert.deepEqual([...new Set(await textsOf(bob))], [spec('List all boats')]);
    await bob.session.syncNow();
    assert.equal((await readLog(machine)).changes.length, entries, "nothing of it is anybody's change");

    // Only where it can work: not back, not to where it is, not to what the branch that is followed does not have.
    assert.equal(await bob.session.canMoveTo(commit), false);
    assert.equal(await bob.session.canMoveTo(base), false);
    const newest = (await git(second, 'rev-parse', '@{upstream}')).trim();
    assert.equal(await bob.session.canMoveTo(newest), true, 'fetched, and ahead');
    await git(first, 'commit', '-q', '--allow-empty', '-m', 'not pushed');
    const own = await headOf(first);
    assert.equal(problemCode(await bob.session.pullSyncedChanges({ commit: own })), 'not-in-upstream');
    await git(second, 'fetch', '-q', first, 'main');
    assert.equal(await bob.session.canMoveTo(own), false);
    assert.equal(await headOf(second), commit);
    await git(second, 'checkout', '-qb', 'feature');
    assert.equal(await bob.session.canMoveTo(own), false);
    assert.equal(problemCode(await bob.session.pullSyncedChanges({ commit: own })), 'other-branch');
    await git(second, 'checkout', '-q', 'main');

    // A new process takes back what came before it.
    await bob.close();
    bob = await here.keep(second);
    await bob.untilInStep(COUNT);
    const bulk = told[0];
    assert.ok(bulk !== undefined);
    const docId = bob.status.documents[0]?.docId;
    assert.ok(docId !== undefined);
    const [part] = await bob.session.history.entries(docId, 1);
    assert.deepEqual(part?.bulk, { id: bulk.id, reason: 'pull', documentCount: COUNT });
    assert.deepEqual(part.changes, ['GET /boats · summary']);
    assert.deepEqual(await bob.session.takeBackBulk(bulk.id, new AbortController().signal), { isDone: true });
    await untilAll(bob, 'List boats');
    await untilAll(alice, 'List boats');
    assert.equal((await readLog(machine)).changes.at(-1)?.kind, 'bulk');
  },
);
