import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex } from '../../../src/core/ids.ts';
import { BETWEEN_LOGS } from '../../../src/core/replication/runningHash.ts';
import { hashOf } from '../replication/fakes.ts';
import { DOC, headOf, PATH, ReplicaBench, revision, spec } from './replicaBench.ts';

test('[REC-02] the running hash is durable together with the index, and said by the next run', async () => {
  const first = revision(spec('cats'), 5);
  const bench = new ReplicaBench(first.text, first);
  assert.equal((await bench.open()).lastSyncedHash(), hashOf('somewhere'));
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(first)], 9, 'compacted');
  assert.deepEqual(bench.store.synced, { index: 9, runningHash: hashOf('another log') });
  const next = await bench.open();
  assert.equal(next.lastSyncedHash(), hashOf('another log'));
  await bench.takeEntry(next, revision(first.text, 9), spec('dogs'));
  const last = await bench.open();
  assert.deepEqual([last.lastSyncedIndex(), last.lastSyncedHash()], [10, hashOf('log at 10')]);
});

test('[REC-04] what others took out of a committed proposal does not come back, although its answer was lost', async () => {
  const base = revision(spec('cats'), 5);
  const bench = new ReplicaBench(spec('cats', 'dogs'), base);
  bench.putInFlight(base);
  // Committed at 6; at 7 somebody took /dogs out and put /birds in.
  bench.answer = (proposal) =>
    proposal.proposalId === 'replica-alice:1'
      ? { kind: 'committed', index: 6 as LogIndex }
      : assert.fail('nothing else is to be sent');
  const head = revision(spec('birds', 'cats'), 7);
  bench.revisions.set(head.hash, head.text);
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(head)], 7, 'compacted');
  assert.equal(bench.folder.text(PATH), head.text);
  assert.equal(bench.store.outbox.size, 0);
});

test('[REC-04] [I9] nor does what was taken out between what the file took in and a proposal that was committed on the text before both', async () => {
  const base = revision(spec('cats'), 5);
  const bench = new ReplicaBench(spec('cats', 'dogs'), base);
  bench.putInFlight(base);
  // /birds came at 6 and went at 7, so that what was made on 5 was committed at 8; at 9 somebody changed the title.
  bench.answer = (proposal) =>
    proposal.proposalId === 'replica-alice:1'
      ? { kind: 'committed', index: 8 as LogIndex }
      : assert.fail('nothing else is to be sent');
  const replica = await bench.open();
  await bench.takeEntry(replica, base, spec('birds', 'cats'));
  assert.equal(bench.folder.text(PATH), spec('birds', 'cats', 'dogs'));
  const head = revision(spec('cats', 'dogs').replace('title: Pets', 'title: Animals'), 9);
  bench.revisions.set(head.hash, head.text);
  await bench.takeHeads(replica, [headOf(head)], 9, 'compacted');
  assert.equal(bench.folder.text(PATH), head.text);
  assert.equal(bench.store.outbox.size, 0);
});

test('[REC-04] a committed proposal that was taken back as a whole since is asked about, too', async () => {
  const base = revision(spec('cats'), 5);
  const bench = new ReplicaBench(spec('cats', 'dogs'), base);
  bench.putInFlight(base);
  bench.answer = (proposal) =>
    proposal.proposalId === 'replica-alice:1'
      ? { kind: 'committed', index: 6 as LogIndex }
      : assert.fail('nothing else is to be sent');
  bench.revisions.set(base.hash, base.text);
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf({ ...base, index: 7 as LogIndex })], 7, 'compacted');
  assert.equal(bench.folder.text(PATH), base.text);
  assert.equal(bench.store.outbox.size, 0);
});

test('[REC-04] [I1] a shadow that the log does not know is no base: what is only here stays', async () => {
  // The log was put back to before /dogs came in.
  const shadow = revision(spec('cats', 'dogs'), 9);
  const bench = new ReplicaBench(shadow.text, shadow);
  const head = revision(spec('cats'), 4);
  bench.revisions.set(head.hash, head.text);
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(head)], 4, 'unknown');
  assert.equal(bench.folder.text(PATH), shadow.text);
  assert.deepEqual(
    bench.proposed.map(({ kind, baseHash, hash }) => [kind, baseHash, hash]),
    [['edit', head.hash, shadow.hash]],
  );
});

test('[REC-04] a shadow that the log knows is the base, also where the log is another one', async () => {
  const shadow = revision(spec('cats', 'dogs'), 9);
  const bench = new ReplicaBench(shadow.text, shadow);
  const head = revision(spec('cats'), 4);
  bench.revisions.set(shadow.hash, shadow.text).set(head.hash, head.text);
  bench.history = ['1', '2', shadow.text, head.text];
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(head)], 4, 'unknown');
  assert.equal(bench.folder.text(PATH), head.text);
  assert.deepEqual(bench.proposed, []);
});

test('[REC-04] [I1] the newest former shadow that the log knows is the base: nobody is asked about what only one side changed', async () => {
  const shared = revision(spec('cats', 'dogs'), 4);
  const lost = revision(shared.text.replace('summary: cats', 'summary: big cats'), 5);
  const shadow = revision(lost.text.replace('summary: dogs', 'summary: old dogs'), 6);
  const bench = new ReplicaBench(shadow.text, shadow);
  bench.store.shadows.set(DOC, [hashOf('older'), shared.hash, lost.hash, shadow.hash]);
  // The log was put back to 4; since then somebody has changed the title there.
  const head = revision(shared.text.replace('title: Pets', 'title: Animals'), 5);
  bench.revisions.set(shared.hash, shared.text).set(head.hash, head.text);
  bench.history = ['1', '2', '3', shared.text, head.text];
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(head)], 5, 'unknown');
  const both = shadow.text.replace('title: Pets', 'title: Animals');
  assert.equal(bench.folder.text(PATH), both);
  assert.deepEqual(replica.conflicts, []);
  assert.deepEqual(
    bench.proposed.map(({ kind, baseHash, hash }) => [kind, baseHash, hash]),
    [['edit', head.hash, hashOf(both)]],
  );
});

test('[REC-04] [I1] a revision that the log got after the head that is taken in is no base for it', async () => {
  // Put back to 4, the log has got our revision again by the time that its head of then is taken in.
  const shadow = revision(spec('cats', 'dogs'), 9);
  const bench = new ReplicaBench(shadow.text, shadow);
  const head = revision(spec('cats'), 4);
  bench.revisions.set(shadow.hash, shadow.text).set(head.hash, head.text);
  bench.history = ['1', '2', '3', head.text, shadow.text];
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(head)], 4, 'unknown');
  assert.equal(bench.folder.text(PATH), shadow.text);
});

test('[REC-04] [I1] nor is one that the log gets while it is being asked', async () => {
  const shadow = revision(spec('cats', 'dogs'), 9);
  const bench = new ReplicaBench(shadow.text, shadow);
  const head = revision(spec('cats'), 4);
  bench.revisions.set(head.hash, head.text);
  bench.history = ['1', '2', '3', head.text];
  bench.beforeRevision = () => {
    bench.revisions.set(shadow.hash, shadow.text);
    bench.history = ['1', '2', '3', head.text, shadow.text];
  };
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(head)], 4, 'unknown');
  assert.equal(bench.folder.text(PATH), shadow.text);
});

test('[REC-04] [I1] nor is one of which a compacted log does not say any more when it got it', async () => {
  const shadow = revision(spec('cats', 'dogs'), 9);
  const bench = new ReplicaBench(shadow.text, shadow);
  const head = revision(spec('cats'), 4);
  bench.revisions.set(shadow.hash, shadow.text).set(head.hash, head.text);
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(head)], 4, 'unknown');
  assert.equal(bench.folder.text(PATH), shadow.text);
});

test('[REC-04] [I1] what is held stays held on another log, also where that has the other side of the clash', async () => {
  const theirs = revision(spec('cats').replace('summary: cats', 'summary: theirs'), 5);
  const shadow = revision(theirs.text.replace('title: Pets', 'title: Animals'), 6);
  const bench = new ReplicaBench(shadow.text.replace('summary: theirs', 'summary: mine'), shadow);
  const document = bench.store.documents.get(DOC);
  assert.ok(document !== undefined);
  const heldBase = shadow.text.replace('summary: theirs', 'summary: cats');
  bench.store.documents.set(DOC, { ...document, heldBase });
  bench.store.shadows.set(DOC, [theirs.hash, shadow.hash]);
  // The log was put back to before the title came in.
  bench.revisions.set(theirs.hash, theirs.text);
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(theirs)], 5, 'unknown');
  assert.equal(replica.conflicts.length, 1);
  assert.equal(bench.folder.text(PATH), shadow.text.replace('summary: theirs', 'summary: mine'));
  assert.equal(bench.proposed.at(-1)?.hash, shadow.hash, 'the title is sent, and the held element with their side');
});

test('[REC-04] [I1] an element that only the lost part of the log had is no base as a whole because something in it is held', async () => {
  const shared = revision(spec('cats'), 4);
  const dogs = (summary: string, description: string): string =>
    `${shared.text}  /dogs:\n    get:\n      summary: ${summary}\n      description: ${description}\n`;
  // The description was ours before the log was put back to 4; the summary is held.
  const shadow = revision(dogs('theirs', 'ours'), 6);
  const bench = new ReplicaBench(dogs('mine', 'ours'), shadow);
  const document = bench.store.documents.get(DOC);
  assert.ok(document !== undefined);
  bench.store.documents.set(DOC, { ...document, heldBase: dogs('dogs', 'ours') });
  bench.store.shadows.set(DOC, [shared.hash]);
  // Somebody else has brought the element back, with a description that had lost against ours.
  const head = revision(dogs('theirs', 'another'), 5);
  bench.revisions.set(shared.hash, shared.text).set(head.hash, head.text);
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(head)], 5, 'unknown');
  assert.equal(bench.folder.text(PATH), dogs('mine', 'ours'));
  assert.deepEqual(
    replica.conflicts.map(({ conflict }) => conflict.pointer),
    ['/paths/~1dogs/get/summary', '/paths/~1dogs/get/description'],
  );
});

test('[REC-04] [I1] what is held stays held where the proposal in flight is committed in a log that began anew', async () => {
  const shadow = revision(spec('cats').replace('summary: cats', 'summary: theirs'), 9);
  const withDogs = (summary: string): string => spec('cats', 'dogs').replace('summary: cats', `summary: ${summary}`);
  const bench = new ReplicaBench(withDogs('mine'), shadow);
  const document = bench.store.documents.get(DOC);
  assert.ok(document !== undefined);
  bench.store.documents.set(DOC, { ...document, heldBase: spec('cats') });
  bench.putInFlight(shadow, withDogs('theirs'), withDogs('cats'));
  // Somebody else has created the document anew, with what was agreed on: so what is in flight fits.
  bench.answer = ({ proposalId }) =>
    proposalId === 'replica-alice:1'
      ? { kind: 'committed', index: 2 as LogIndex }
      : assert.fail('nothing else is to be sent');
  const replica = await bench.open();
  replica.pause();
  await bench.takeHeads(replica, [], 0, 'unknown');
  await bench.takeCreate(replica, { docId: DOC, path: PATH, text: shadow.text, index: 1 as LogIndex });
  await bench.takeEntry(replica, revision(shadow.text, 1), withDogs('theirs'), 'replica-alice:1');
  replica.resume();
  await bench.rest(replica);
  assert.equal(bench.folder.text(PATH), withDogs('mine'));
  assert.equal(replica.conflicts.length, 1);
});

test('[REC-04] [I1] a stale answer of another log is not merged: its heads say first what is a base', async () => {
  const shadow = revision(spec('cats', 'dogs'), 9);
  const bench = new ReplicaBench(spec('birds', 'cats', 'dogs'), shadow);
  const head = revision(spec('cats'), 4);
  bench.revisions.set(head.hash, head.text);
  bench.answer = () => ({ kind: 'stale', head: headOf(head) });
  const replica = await bench.open();
  await bench.rest(replica);
  assert.equal(bench.folder.text(PATH), spec('birds', 'cats', 'dogs'));
  bench.answer = () => ({ kind: 'committed', index: 5 as LogIndex });
  await bench.takeHeads(replica, [headOf(head)], 4, 'unknown');
  assert.equal(bench.folder.text(PATH), spec('birds', 'cats', 'dogs'));
  const sent = bench.proposed.at(-1);
  assert.deepEqual([sent?.baseHash, sent?.hash], [head.hash, hashOf(spec('birds', 'cats', 'dogs'))]);
});

test('[REC-04] [I1] a document that the log never had is created in it anew, first as it was agreed on', async () => {
  const shadow = revision(spec('cats'), 9);
  const bench = new ReplicaBench(spec('cats', 'dogs'), shadow);
  bench.answer = ({ kind }) =>
    kind === 'create' ? { kind: 'committed', index: 1 as LogIndex } : { kind: 'stale', head: undefined };
  const replica = await bench.open();
  await bench.takeHeads(replica, [], 0, 'unknown');
  const created = bench.proposed.at(-1) ?? assert.fail('nothing was sent');
  const { kind, docId, path, hash, baseHash, proposalId } = created;
  assert.deepEqual([kind, docId, path, baseHash, hash], ['create', DOC, PATH, undefined, shadow.hash]);
  bench.answer = () => ({ kind: 'committed', index: 2 as LogIndex });
  bench.revisions.set(shadow.hash, shadow.text);
  await bench.takeEntry(replica, revision('', 0), shadow.text, proposalId);
  const { kind: next, baseHash: base, hash: edited } = bench.proposed.at(-1) ?? assert.fail('nothing was sent');
  assert.deepEqual([next, base, edited], ['edit', shadow.hash, hashOf(spec('cats', 'dogs'))]);
});

test('[REC-04] one that the log refuses as it was agreed on is sent as it is, and not for ever', async () => {
  const bench = new ReplicaBench(spec('cats', 'dogs'), revision(spec('cats'), 9));
  bench.answer = ({ kind }) =>
    kind === 'create' ? { kind: 'rejected', code: 'no', message: 'No.' } : { kind: 'stale', head: undefined };
  const replica = await bench.open();
  await bench.takeHeads(replica, [], 0, 'unknown');
  assert.deepEqual(
    bench.proposed.filter(({ kind }) => kind === 'create').map(({ hash }) => hash),
    [hashOf(spec('cats')), hashOf(spec('cats', 'dogs'))],
  );
});

test('[REC-04] [I1] where somebody else is first to create a document in a log that began anew, only what both have changed is asked about', async () => {
  const shared = revision(spec('cats', 'dogs'), 8);
  const shadow = revision(shared.text.replace('summary: dogs', 'summary: old dogs'), 9);
  const bench = new ReplicaBench(shadow.text.replace('summary: cats', 'summary: big cats'), shadow);
  bench.store.shadows.set(DOC, [shared.hash, shadow.hash]);
  bench.answer = () => ({ kind: 'stale', head: headOf(revision(shared.text, 1)) });
  const replica = await bench.open();
  await bench.takeHeads(replica, [], 0, 'unknown');
  // They had not heard of /dogs, and have changed the title since.
  bench.revisions.set(shared.hash, shared.text);
  bench.history = [shared.text];
  const created = await bench.takeEntry(replica, revision('', 0), shared.text);
  const title = shared.text.replace('title: Pets', 'title: Animals');
  bench.history = [shared.text, title];
  await bench.takeEntry(replica, created, title);
  assert.deepEqual(replica.conflicts, []);
  const expected = shadow.text.replace('summary: cats', 'summary: big cats').replace('title: Pets', 'title: Animals');
  assert.equal(bench.folder.text(PATH), expected);
});

test('[REC-04] a document that the log never had gives its place to the one that the log has there', async () => {
  const shadow = revision(spec('cats'), 9);
  const bench = new ReplicaBench(spec('cats', 'dogs'), shadow);
  const other = 'doc-2' as DocId;
  const head = revision(spec('birds', 'cats'), 3);
  bench.revisions.set(head.hash, head.text);
  const replica = await bench.open();
  bench.proposed.length = 0;
  await bench.takeHeads(replica, [headOf(head, other)], 3, 'unknown');
  assert.deepEqual(
    replica.documents.map(({ docId }) => docId),
    [other],
  );
  const text = bench.folder.text(PATH) ?? '';
  for (const path of ['birds', 'cats', 'dogs']) assert.match(text, new RegExp(`/${path}:`));
  assert.equal(bench.proposed.at(-1)?.docId, other);
});

test('[REC-04] a replica that is interrupted while it takes the heads of another log stands on no log, and is given them again', async () => {
  const shadow = revision(spec('cats', 'dogs'), 9);
  const bench = new ReplicaBench(shadow.text, shadow);
  const head = revision(spec('cats'), 4);
  bench.revisions.set(shadow.hash, shadow.text);
  bench.history = ['1', '2', shadow.text, head.text];
  const replica = await bench.open();
  bench.beforeRevision = () => {
    if (bench.fetched.at(-1) === head.hash) throw new Error('The leader that gave the heads is gone.');
  };
  await assert.rejects(bench.takeHeads(replica, [headOf(head)], 4, 'unknown'));
  assert.equal(replica.lastSyncedHash(), BETWEEN_LOGS);
  bench.beforeRevision = () => undefined;
  bench.revisions.set(head.hash, head.text);
  await bench.takeHeads(replica, [headOf(head)], 4, 'unknown');
  assert.equal(replica.lastSyncedHash(), hashOf('another log'));
  assert.equal(bench.folder.text(PATH), head.text);
});

test('[REP-17] [I8] a head whose text the library has lost keeps no other document waiting, and is asked for again', async () => {
  const base = revision(spec('cats'), 5);
  const bench = new ReplicaBench(base.text, base);
  const lost = revision(spec('birds', 'cats'), 7);
  const other = revision(spec('dogs'), 8);
  bench.revisions.set(other.hash, other.text);
  const replica = await bench.open();
  const otherHead = { ...headOf(other, 'doc-2' as DocId), path: 'dogs.yaml' };
  await bench.takeHeads(replica, [headOf(lost), otherHead], 8, 'compacted');
  assert.equal(replica.lastSyncedIndex(), 8);
  assert.equal(bench.folder.text('dogs.yaml'), other.text);
  const [status] = replica.documents;
  assert.deepEqual([status?.state, status?.problem?.code], ['invalid', 'library-revision-missing']);
  bench.folder.put(PATH, spec('cats', 'mine'));
  await bench.rest(replica);
  assert.deepEqual(bench.proposed, [], 'merged first');
  replica.dispose();
  const next = await bench.open();
  bench.revisions.set(lost.hash, lost.text);
  await bench.untilTrue(() => bench.proposed.some(({ baseHash }) => baseHash === lost.hash));
  assert.equal(bench.folder.text(PATH), spec('birds', 'cats', 'mine'));
  next.dispose();
});
