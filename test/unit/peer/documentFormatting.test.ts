import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Replica } from '../../../src/peer/replica/replica.ts';
import type { StoredRevision } from '../../../src/core/replication/replicaStore.ts';
import { PATH, ReplicaBench, revision, spec } from './replicaBench.ts';

const MINE = spec('cats', 'dogs');
/** The same, as another formatter lays it out. */
const THEIRS = MINE.replaceAll(/: (\w+)\n/g, ": '$1'\n").replaceAll('  ', '    ');
const base = revision(MINE, 1);

/** Bob's formatter has changed the file, and then mine has changed it back. */
async function opened(mine = MINE): Promise<{ bench: ReplicaBench; replica: Replica; head: StoredRevision }> {
  const bench = new ReplicaBench(MINE, base);
  bench.answer = () => new Promise(() => undefined);
  const head = bench.addToHistory(base, THEIRS);
  bench.entries.unshift({ ...bench.entries[0], ...{ hash: base.hash, index: base.index, kind: 'create' } } as never);
  const replica = await bench.open();
  await bench.takeFromHistory(replica, head.index);
  assert.equal(bench.folder.text(PATH), THEIRS);
  bench.folder.put(PATH, mine);
  await bench.rest(replica);
  return { bench, replica, head };
}

function stateOf(replica: Replica): unknown {
  const [document] = replica.documents;
  return [document?.state, document?.problem?.code];
}

test('a change that only takes back the formatting of somebody else is not sent, and is said', async () => {
  const { bench, replica } = await opened();
  assert.deepEqual([stateOf(replica), bench.proposed], [['inStep', 'formatters-disagree'], []]);
  assert.match(replica.documents[0]?.problem?.message ?? '', /^Your formatter and bob's disagree about openapi\.yaml;/);
  assert.equal(bench.folder.text(PATH), MINE);
  bench.folder.put(PATH, THEIRS);
  await bench.rest(replica);
  assert.deepEqual([stateOf(replica), bench.proposed], [['inStep', undefined], []]);
});

test('what a person changes beside that is sent in the form that was agreed on, and the file keeps its own', async () => {
  const { bench, replica, head } = await opened();
  const mine = MINE.replace('summary: dogs', 'summary: big dogs');
  bench.folder.put(PATH, mine);
  await bench.rest(replica);
  const sent = bench.proposed[0]?.patch.reduceRight(
    (text, { offset, deleteCount, insert }) => text.slice(0, offset) + insert + text.slice(offset + deleteCount),
    THEIRS,
  );
  assert.equal(sent, THEIRS.replace(/summary: 'dogs'/, 'summary: big dogs'));
  await bench.takeEntry(replica, head, sent, bench.proposed[0]?.proposalId);
  assert.deepEqual([stateOf(replica), bench.proposed.length], [['inStep', 'formatters-disagree'], 1]);
  assert.equal(bench.folder.text(PATH), mine);
});

test('[I2] what somebody else changes comes into the file, and its form is still its own and not sent', async () => {
  const { bench, replica, head } = await opened();
  await bench.takeEntry(replica, head, THEIRS.replace("summary: 'dogs'", "summary: 'big dogs'"));
  assert.match(bench.folder.text(PATH) ?? '', /^ {6}summary: '?big dogs'?$/m);
  assert.match(bench.folder.text(PATH) ?? '', /^ {6}summary: cats$/m);
  assert.deepEqual([stateOf(replica), bench.proposed], [['inStep', 'formatters-disagree'], []]);
});

test('[I1] what takes back more than formatting is asked about as before, and a new formatting is sent', async () => {
  const { bench, replica } = await opened(MINE.replace('title: Pets', 'title: "Pets"'));
  assert.deepEqual([stateOf(replica), bench.proposed.length], [['syncing', undefined], 1]);
  const other = new ReplicaBench(MINE, base);
  const more = other.addToHistory(base, MINE.replace('summary: dogs', 'summary: hounds'));
  other.entries.unshift({ ...other.entries[0], ...{ hash: base.hash, index: base.index, kind: 'create' } } as never);
  const asked = await other.open();
  await other.takeFromHistory(asked, more.index);
  other.folder.put(PATH, MINE);
  await other.rest(asked);
  assert.deepEqual(stateOf(asked), ['behind', 'file-behind']);
});

test('[I12] the formatting of an earlier version that a person brings back is sent, that one time', async () => {
  const { bench, replica, head } = await opened(THEIRS);
  const [document] = replica.documents;
  assert.ok(document !== undefined);
  replica.expectVersion(document.docId, base.hash);
  bench.folder.put(PATH, MINE);
  await bench.rest(replica);
  assert.equal(bench.proposed[0]?.hash, base.hash);
  const mine = await bench.takeEntry(replica, head, MINE, bench.proposed[0].proposalId);
  await bench.takeEntry(replica, mine, THEIRS);
  bench.folder.put(PATH, MINE);
  await bench.rest(replica);
  assert.deepEqual([stateOf(replica), bench.proposed.length], [['inStep', 'formatters-disagree'], 1]);
});
