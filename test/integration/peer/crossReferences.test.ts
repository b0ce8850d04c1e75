import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocalPeer } from '../support/localPeer.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const API = `openapi: 3.1.0
info: { title: Pets, version: 1.0.0 }
paths: {}
components:
  schemas:
    Dog: { $ref: 'common.yaml#/components/schemas/Dog' }
`;
const COMMON = `components:
  schemas:
    Dog: { type: object }
    Pet: { type: object }
`;
const REFERENCE = 'common.yaml#/components/schemas/Pet';

const here = machineForEachTest();

function untilBroken(peer: LocalPeer, count: number): Promise<void> {
  return peer.until(`${String(count)} broken references`, () => peer.session.brokenReferences.length === count);
}

test('[I5] a reference that is added while somebody else takes out what it means is told to who comes later, until it is mended', async () => {
  const files = { 'api.yaml': API, 'common.yaml': COMMON };
  const alice = await here.keepNew('alice', files);
  const bob = await here.keepNew('bob', files);
  const known = alice.status.lastIndex ?? 0;
  await bob.session.pause();
  await alice.edit('common.yaml', (text) => text.replace('    Pet: { type: object }\n', ''));
  await alice.until('the removal is in the library', ({ lastIndex }) => (lastIndex ?? 0) > known);
  await alice.untilInStep(2);
  await bob.edit('api.yaml', (text) => `${text}    Pet: { $ref: '${REFERENCE}' }\n`);
  await bob.session.resume();
  await untilBroken(bob, 1);
  const [broken] = bob.session.brokenReferences;
  assert.deepEqual(
    [broken?.path, broken?.reference, broken?.problem.code],
    ['api.yaml', REFERENCE, 'dangling-reference'],
  );
  assert.match(
    broken?.problem.message ?? '',
    /^test \(alice\) took schema Pet out of common\.yaml while you referred to it/,
  );
  await Promise.all([alice.untilInStep(2), bob.untilInStep(2)]);
  assert.equal(await bob.read('api.yaml'), await alice.read('api.yaml'));
  assert.deepEqual(alice.session.brokenReferences, []);

  await bob.close();
  const again = await here.open(bob.session.folder);
  await again.session.start();
  await untilBroken(again, 1);
  await again.edit('api.yaml', (text) => text.replace(REFERENCE, 'common.yaml#/components/schemas/Dog'));
  await untilBroken(again, 0);
});
