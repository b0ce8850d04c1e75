import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLog, until, type HeadlessPeer } from '../support/headlessPeer.ts';
import { machineForAllTests } from '../support/testMachine.ts';

const SPEC = `# The API of a small shop.
openapi: 3.1.0
info:
  title: Shop
  version: 1.0.0
paths:
  /orders:
    get:
      summary: List orders   # newest first
      responses:
        '200':
          description: "OK"
  /items:
    get:
      summary: List items
      responses:
        '200': { description: OK }
components: {}
`;

let alice: HeadlessPeer;
let bob: HeadlessPeer;
const here = machineForAllTests(async ({ machine }) => {
  alice = await machine.serveNew('alice', { 'api/openapi.yaml': SPEC });
  bob = await machine.serveNew('bob', { 'api/openapi.yaml': SPEC });
});

test('[I2][I3] a save on one side is on the other side, byte for byte', async () => {
  await alice.edit('api/openapi.yaml', (text) => text.replace('List orders ', 'List all orders '));
  const expected = SPEC.replace('List orders ', 'List all orders ');
  await until('the change is with bob', async () => (await bob.read('api/openapi.yaml')) === expected);
  assert.equal(await alice.read('api/openapi.yaml'), expected);
});

test('[I1][I2] edits of two operations at the same moment are both in both files, and nobody is asked', async () => {
  await Promise.all([
    alice.edit('api/openapi.yaml', (text) => text.replace('description: "OK"', 'description: "The orders"')),
    bob.edit('api/openapi.yaml', (text) => text.replace('{ description: OK }', '{ description: The items }')),
  ]);
  await until('both files are equal with both edits', async () => {
    const [a, b] = await Promise.all([alice.read('api/openapi.yaml'), bob.read('api/openapi.yaml')]);
    return a === b && a.includes('The orders') && a.includes('The items');
  });
  await Promise.all([alice.untilInStep(1), bob.untilInStep(1)]);
  assert.equal(alice.status?.conflictCount, 0);
  assert.equal(bob.status?.conflictCount, 0);
});

test('[I1] the same field changed on both sides is held in the later one, and everything else goes through', async () => {
  const known = (await readLog(here.machine)).changes.length;
  bob.process.kill('SIGSTOP');
  await alice.edit('api/openapi.yaml', (text) => text.replace('summary: List items', 'summary: Items of alice'));
  await until(
    'the change of alice is in the log',
    async () => (await readLog(here.machine)).changes.length === known + 1,
  );
  await bob.edit('api/openapi.yaml', (text) =>
    text.replace('summary: List items', 'summary: Items of bob').replace('title: Shop', 'title: Web shop'),
  );
  bob.process.kill('SIGCONT');
  const status = await bob.until('a conflict is held', (one) => one.conflictCount === 1);
  assert.match(status.conflicts[0]?.label ?? '', /GET \/items/);
  assert.match(await bob.read('api/openapi.yaml'), /Items of bob/);
  await until('the title went through', async () => (await alice.read('api/openapi.yaml')).includes('title: Web shop'));
  assert.match(await alice.read('api/openapi.yaml'), /Items of alice/);
});

test('[I1] a held conflict survives a restart', async () => {
  await bob.end('SIGKILL');
  bob = here.machine.serve(bob.folder, { name: 'bob' });
  const status = await bob.until(
    'the conflict is held again',
    (one) => one.phase === 'running' && one.conflictCount === 1,
  );
  assert.match(status.conflicts[0]?.label ?? '', /GET \/items/);
  assert.match(await bob.read('api/openapi.yaml'), /Items of bob/);
});

test('[I2] a held conflict is released when the file is made equal by hand', async () => {
  await bob.edit('api/openapi.yaml', (text) => text.replace('Items of bob', 'Items of alice'));
  await bob.untilInStep(1);
  assert.equal(await bob.read('api/openapi.yaml'), await alice.read('api/openapi.yaml'));
});

test('a broken file is not sent and says so; it goes on when it is mended', async () => {
  const good = await alice.read('api/openapi.yaml');
  await alice.write('api/openapi.yaml', good.replace('paths:', 'paths: [\n'));
  await alice.until('the file is invalid', (status) => status.documents[0]?.state === 'invalid');
  await bob.edit('api/openapi.yaml', (text) => text.replace('version: 1.0.0', 'version: 1.1.0'));
  await bob.untilInStep(1);
  assert.match(await bob.read('api/openapi.yaml'), /^paths:$/m);
  await alice.write('api/openapi.yaml', good);
  await until(
    'the mended file has what bob changed meanwhile',
    async () => (await alice.read('api/openapi.yaml')) === good.replace('1.0.0', '1.1.0'),
  );
  await alice.untilInStep(1);
  assert.equal(await alice.read('api/openapi.yaml'), await bob.read('api/openapi.yaml'));
});
