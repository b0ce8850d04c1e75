import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { unpackPreviousRelease } from '../support/previousRelease.ts';
import { countBulkDocuments, Machine, readLog, until, type HeadlessPeer } from '../support/headlessPeer.ts';

const COUNT = 300;
/** More than one entry's worth of edits, and few enough for a second test. */
const FEW = 30;
const pathOf = (at: number): string => `api/service${String(at)}.yaml`;

function specOf(at: number, release: string): string {
  return `openapi: 3.1.0
info:
  title: Service ${String(at)}
  version: ${release}
paths:
  /things:
    get:
      summary: List the things of ${release}
components: {}
`;
}

/** Rewrites every document. While git is at work nobody sends any of it, so what is sent is sent afterwards, in one burst. */
async function generate(folder: string, release: string, count = COUNT): Promise<void> {
  const lock = join(folder, '.git', 'index.lock');
  await writeFile(lock, '');
  for (let at = 0; at < count; at += 1) await writeFile(join(folder, pathOf(at)), specOf(at, release));
  await rm(lock);
}

async function untilEverywhere(peers: readonly HeadlessPeer[], release: string, count = COUNT): Promise<void> {
  for (const peer of peers)
    for (let at = 0; at < count; at += 1)
      await until(`${peer.folder} has ${pathOf(at)} of ${release}`, async () => {
        return (await peer.read(pathOf(at))) === specOf(at, release);
      });
}

test('[BLK-01] [BLK-04] [BLK-05] [I1] [I2] a generator that rewrites 300 documents is one entry and one notice, also where proposer and leader are killed in the middle', async () => {
  const machine = await Machine.create();
  try {
    const files = Object.fromEntries(Array.from({ length: COUNT }, (_, at) => [pathOf(at), specOf(at, '1.0.0')]));
    const backend = await machine.workspace('backend', files);
    const frontend = await machine.workspace('frontend', files);
    let leader = machine.serve(backend, { name: 'alice' });
    await leader.untilInStep(COUNT);
    let proposer = machine.serve(frontend, { name: 'bob' });
    await proposer.untilInStep(COUNT);
    const before = (await readLog(machine)).changes.length;

    await generate(frontend, '2.0.0');
    await until('something of it is in the log', async () => (await readLog(machine)).changes.length > before);
    const [first] = (await readLog(machine)).changes.slice(before);
    assert.equal(first?.kind, 'bulk', 'the documents go together, and not each by itself');
    await untilEverywhere([leader], '2.0.0');
    assert.equal((await readLog(machine)).changes.length, before + 1);
    assert.equal(await countBulkDocuments(machine), COUNT);
    await until('alice has been told of all', () =>
      Promise.resolve(leader.appliedTogether.reduce((sum, { documents }) => sum + documents.length, 0) === COUNT),
    );
    assert.deepEqual(leader.applied, [], 'no document was told of alone');
    assert.deepEqual(
      leader.appliedTogether.map(({ authorName, reason }) => [authorName.startsWith('bob'), reason])[0],
      [true, 'generator'],
    );

    await generate(frontend, '3.0.0');
    await proposer.end('SIGKILL');
    proposer = machine.serve(frontend, { name: 'bob' });
    await until('something of it is on its way', async () => (await readLog(machine)).changes.length > before + 1);
    await leader.end('SIGKILL');
    leader = machine.serve(backend, { name: 'alice' });
    await untilEverywhere([proposer, leader], '3.0.0');
    await Promise.all([proposer.untilInStep(COUNT), leader.untilInStep(COUNT)]);

    await generate(backend, '4.0.0');
    await until('it is committed', async () => (await countBulkDocuments(machine)) > 2 * COUNT);
    await proposer.end('SIGKILL');
    proposer = machine.serve(frontend, { name: 'bob' });
    await untilEverywhere([proposer, leader], '4.0.0');
    const { changes, hasHoles } = await readLog(machine);
    assert.equal(hasHoles, false);
    assert.ok(changes.length < before + 10, `${String(changes.length - before)} entries for three generations`);
  } finally {
    await machine.dispose();
  }
});

test('[BLK-06] [I1] [I2] the release before this one has what a bulk changed, leaves a log with bulks alone, and goes on when this one is back', async () => {
  const machine = await Machine.create();
  try {
    const previous = await unpackPreviousRelease(join(machine.root, 'previous'));
    const files = Object.fromEntries(Array.from({ length: FEW }, (_, at) => [pathOf(at), specOf(at, '1.0.0')]));
    const [mine, theirs] = [await machine.workspace('mine', files), await machine.workspace('theirs', files)];
    const current = machine.serve(mine, { name: 'current' });
    await current.untilInStep(FEW);
    const old = machine.serve(theirs, { name: 'old', cli: previous });
    await old.untilInStep(FEW);
    await generate(mine, '2.0.0', FEW);
    await untilEverywhere([old], '2.0.0', FEW);
    assert.equal((await readLog(machine)).changes.at(-1)?.kind, 'bulk');

    await current.end('SIGKILL');
    await old.edit(pathOf(7), (text) => text.replace('List the things', 'List all things'));
    await old.until('it says why it cannot lead', (status) => status.connection !== 'connected');
    const again = machine.serve(mine, { name: 'current' });
    await until('the edit has come', async () => (await again.read(pathOf(7))).includes('List all things'));
    await Promise.all([again.untilInStep(FEW), old.untilInStep(FEW)]);
    assert.equal((await readLog(machine)).hasHoles, false);
  } finally {
    await machine.dispose();
  }
});
