import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, RevisionHash } from '../../../src/core/ids.ts';
import { isGood } from '../../../src/core/advice/resolutionCheck.ts';
import type { Resolution } from '../../../src/core/merge/types.ts';
import { until } from '../support/headlessPeer.ts';
import type { LocalPeer } from '../support/localPeer.ts';
import { SHOP } from '../support/shop.ts';
import { machineForAllTests } from '../support/testMachine.ts';

const SPEC = SHOP.replace('List orders', 'List orders\n      description: All of them');

let alice: LocalPeer;
let bob: LocalPeer;
machineForAllTests(async (here) => {
  alice = await here.keepNew('backend', { 'openapi.yaml': SPEC });
  bob = await here.keepNew('frontend', { 'openapi.yaml': SPEC });
});

async function untilBoth(what: string, condition: (text: string) => boolean): Promise<void> {
  await until(what, async () => {
    const [a, b] = await Promise.all([alice.read('openapi.yaml'), bob.read('openapi.yaml')]);
    return a === b && condition(a);
  });
  await Promise.all([alice.untilInStep(1), bob.untilInStep(1)]);
}

function docIdOf(peer: LocalPeer): DocId {
  const [document] = peer.status.documents;
  assert.ok(document !== undefined);
  return document.docId;
}

/** Both change the same lines at the same time: who comes second holds the conflicts. */
async function clash(): Promise<LocalPeer> {
  await bob.session.pause();
  const known = alice.status.lastIndex ?? 0;
  await alice.edit('openapi.yaml', (text) =>
    text.replace('List every order', 'Orders, by alice').replace('All of them', 'A'),
  );
  await alice.until('the change in the log', ({ lastIndex }) => (lastIndex ?? 0) > known);
  await bob.edit('openapi.yaml', (text) =>
    text.replace('List every order', 'Orders, by bob').replace('All of them', 'B'),
  );
  await bob.session.resume();
  await bob.until('two conflicts', ({ conflictCount }) => conflictCount === 2);
  return bob;
}

test('the history says who changed what, and an earlier version that is brought back is a change, not an accident', async () => {
  await bob.edit('openapi.yaml', (text) => text.replace('List orders', 'List all orders'));
  await untilBoth('the change', (text) => text.includes('List all orders'));
  const docId = docIdOf(alice);
  const [newest, oldest] = await alice.session.history.entries(docId, 10);
  assert.deepEqual([newest?.kind, newest?.changes], ['edit', ['GET /orders · summary']]);
  assert.ok(oldest?.kind === 'create' && oldest.hash !== undefined);
  assert.equal(await alice.session.history.textOf(docId, oldest.hash), SPEC);

  assert.ok(newest?.hash !== undefined);
  const changed = await alice.session.history.changedPlaces(docId, oldest.hash, newest.hash);
  assert.deepEqual(
    changed?.places.map(({ kind, label }) => `${kind} ${label}`),
    ['changed GET /orders · summary'],
  );
  const now = await alice.read('openapi.yaml');
  const path = changed.places[0]?.path ?? [];
  const restored = await alice.session.history.restoreElement(docId, now.replace('Shop', 'Store'), oldest.hash, path);
  assert.deepEqual(restored, {
    kind: 'restored',
    text: SPEC.replace('Shop', 'Store'),
    element: 'summary: List orders\n',
  });
  assert.equal(await alice.read('openapi.yaml'), now, 'nothing is written by asking');
  const unknown = 'f'.repeat(64) as RevisionHash;
  assert.equal(await alice.session.history.restoreElement(docId, now, unknown, path), undefined);
  assert.equal(await alice.session.history.changedPlaces(docId, unknown, newest.hash), undefined);

  alice.session.history.expect(docId, SPEC);
  await alice.edit('openapi.yaml', () => SPEC);
  await untilBoth('the earlier version', (text) => text === SPEC);
  assert.ok(alice.statuses.every(({ documents }) => documents.every(({ state }) => state !== 'behind')));
  assert.equal((await alice.session.history.entries(docId, 10)).length, 3);

  // Asked for once: the next time it is an accident again.
  await bob.edit('openapi.yaml', (text) => text.replace('List orders', 'List every order'));
  await untilBoth('another change', (text) => text.includes('List every order'));
  await alice.edit('openapi.yaml', () => SPEC);
  await alice.until('the question', ({ documents }) => documents.some(({ state }) => state === 'behind'));
  await alice.session.leaveBehind(`${alice.session.folder}/openapi.yaml`, 'bringBack');
  await untilBoth('the newer version', (text) => text.includes('List every order'));
});

test('[I11][I12] several choices are looked at without writing, made in one step, and taken back in one step', async () => {
  const peer = await clash();
  const docId = docIdOf(peer);
  const before = await peer.read('openapi.yaml');
  const [description, summary] = [...peer.session.conflicts].sort((a, b) =>
    a.conflict.label < b.conflict.label ? -1 : 1,
  );
  assert.ok(summary !== undefined && description !== undefined);
  const choices = new Map<string, Resolution>([
    [summary.conflict.id, { choice: 'custom', text: 'summary: Orders, by both\n' }],
    [description.conflict.id, { choice: 'theirs' }],
  ]);
  const preview = await peer.session.checkResolutions(docId, choices);
  assert.ok(preview !== undefined && isGood(preview.checks));
  assert.equal(preview.before, before);
  assert.match(preview.text, /Orders, by both/);
  assert.equal(await peer.read('openapi.yaml'), before);
  assert.equal(peer.session.canUndoResolution, false);
  assert.equal(await peer.session.checkResolutions(docId, new Map([['unknown', { choice: 'ours' }]])), undefined);

  const context = await peer.session.adviceContext(docId, [summary.conflict.id]);
  assert.deepEqual(Object.keys(context?.neighbours ?? {}), [summary.conflict.id]);

  assert.equal(
    (await peer.session.resolveConflicts(docId, new Map([...choices, ['unknown', { choice: 'ours' }]]))).isDone,
    false,
  );
  assert.equal(await peer.read('openapi.yaml'), before, 'all of them or none');
  assert.equal((await peer.session.resolveConflicts(docId, choices)).isDone, true);
  await untilBoth('both choices', (text) => text === preview.text);
  assert.deepEqual(await peer.session.undoResolution(), { isDone: true });
  await peer.until('both conflicts again', ({ conflictCount }) => conflictCount === 2);
  assert.equal(await peer.read('openapi.yaml'), before);
});
