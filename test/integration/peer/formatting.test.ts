import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../support/headlessPeer.ts';
import type { LocalPeer } from '../support/localPeer.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const API = 'api.yaml';
/** More than is looked at on the calling thread. */
const PATHS = Array.from({ length: 100 }, (_, at) => `  /pets${String(at)}:\n    get: { summary: "Pets" }\n`).join('');
const MINE = `openapi: 3.1.0\ninfo: { title: "Pets", version: "1.0.0" }\npaths:\n${PATHS}`;
const THEIRS = MINE.replaceAll('"', "'");

const here = machineForEachTest();

function write(peer: LocalPeer, text: string): Promise<void> {
  return writeFile(join(peer.session.folder, API), text);
}

test('[I1][I2] two formatters do not take each other back for ever, and what people change goes through beside that', async () => {
  const alice = await here.keepNew('alice', { [API]: MINE });
  const bob = await here.keepNew('bob', { [API]: MINE });
  await write(bob, THEIRS);
  await until('bob has formatted the file of alice', async () => (await alice.read(API)) === THEIRS);
  await alice.untilInStep(1);
  await write(alice, MINE);
  await alice.until('it stays with alice', ({ documents: [one] }) => one?.problem?.code === 'formatters-disagree');
  assert.equal(alice.status.documents[0]?.state, 'inStep');

  await write(alice, MINE.replace('title: "Pets"', 'title: "Cats"'));
  const titled = THEIRS.replace("title: 'Pets'", 'title: "Cats"');
  await until('bob has the title and his form', async () => (await bob.read(API)) === titled);
  await bob.edit(API, (text) => text.replace("version: '1.0.0'", "version: '2.0.0'"));
  await until('alice has the version', async () => (await alice.read(API)).includes('2.0.0'));
  await alice.untilInStep(1);
  assert.equal((await alice.read(API)).split('"Pets"').length, MINE.split('"Pets"').length - 1);
  assert.equal(await bob.read(API), titled.replace('1.0.0', '2.0.0'));
});
