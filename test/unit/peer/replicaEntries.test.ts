import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogIndex } from '../../../src/core/ids.ts';
import type { Proposal } from '../../../src/core/replication/entry.ts';
import type { StoredRevision } from '../../../src/core/replication/replicaStore.ts';
import type { AppliedChange } from '../../../src/peer/folderSession.ts';
import type { Replica } from '../../../src/peer/replica/replica.ts';
import { hashOf } from '../replication/fakes.ts';
import { DOC, headOf, PATH, ReplicaBench, revision, spec } from './replicaBench.ts';

const cats = (summary: string): string => spec('cats', 'dogs').replace('summary: cats', `summary: ${summary}`);

/** A write of `next` over `before` was made durable as an intent, and then the process died. */
function crashedWriting(before: StoredRevision, next: StoredRevision, file: string): ReplicaBench {
  const bench = new ReplicaBench(file, before);
  const document = bench.store.documents.get(DOC);
  assert.ok(document !== undefined);
  const withHead = { ...document, head: next };
  bench.store.documents.set(DOC, withHead);
  bench.store.synced = { index: next.index, runningHash: undefined };
  bench.store.intents.set(DOC, {
    docId: DOC,
    beforeHash: before.hash,
    afterHash: next.hash,
    document: { ...withHead, shadow: next },
  });
  return bench;
}

test('[I1] [I9] a crash after the file was written and before the shadow was recorded: what was written is no change of ours', async () => {
  const [before, next] = [revision(spec('cats'), 5), revision(spec('cats', 'dogs'), 6)];
  const bench = crashedWriting(before, next, next.text);
  // Meanwhile somebody has taken /dogs out again.
  const document = bench.store.documents.get(DOC);
  assert.ok(document !== undefined);
  bench.store.documents.set(DOC, { ...document, head: revision(spec('cats'), 7) });
  const replica = await bench.open();
  await bench.rest(replica);
  assert.equal(bench.folder.text(PATH), spec('cats'));
  assert.deepEqual(bench.proposed, []);
  assert.equal(bench.store.intents.size, 0);
});

test('[I1] [I9] a crash before the file was written: it is merged and written again', async () => {
  const [before, next] = [revision(spec('cats'), 5), revision(spec('cats', 'dogs'), 6)];
  const bench = crashedWriting(before, next, before.text);
  const replica = await bench.open();
  await bench.rest(replica);
  assert.equal(bench.folder.text(PATH), next.text);
  assert.deepEqual(bench.proposed, []);
  assert.equal(bench.store.documents.get(DOC)?.shadow?.hash, next.hash);
});

const animals = (text: string): string => text.replace('title: Pets', 'title: Animals');
const withParameters = (...names: readonly string[]): string => {
  const items = names.map((name) => `        - name: ${name}\n          in: query\n`).join('');
  return items === '' ? spec('cats') : spec('cats').replace('    get:\n', `    get:\n      parameters:\n${items}`);
};
const described = (...lines: readonly string[]): string =>
  spec('cats').replace(
    'title: Pets\n',
    `title: Pets\n  description: |\n${lines.map((line) => `    ${line}\n`).join('')}`,
  );

for (const { what, before, next, file } of [
  {
    what: 'in an element that the write had changed',
    before: cats('one'),
    next: animals(cats('two')),
    file: animals(cats('three')),
  },
  {
    what: 'that puts another element where the write had taken the only one out',
    before: withParameters('old'),
    next: animals(withParameters()),
    file: animals(withParameters('new')),
  },
  {
    what: 'with more in a text that the write had added to',
    before: described('One.'),
    next: described('One.', 'Two.'),
    file: described('One.', 'Two.', 'Three.'),
  },
])
  test(`[I1] a crash before the shadow was recorded, and an edit ${what}: it is a change of what was written, and nobody is asked`, async () => {
    const shadow = revision(next, 6);
    const bench = crashedWriting(revision(before, 5), shadow, file);
    const replica = await bench.open();
    await bench.rest(replica);
    assert.deepEqual(replica.conflicts, []);
    assert.equal(bench.folder.text(PATH), file);
    const [sent, ...again] = bench.proposed;
    assert.deepEqual([sent?.baseHash, sent?.hash], [shadow.hash, hashOf(file)]);
    for (const one of again) assert.equal(one.proposalId, sent?.proposalId);
  });

for (const { what, before, next, file } of [
  {
    what: 'a file without the rest of the write',
    before: cats('one'),
    next: animals(cats('two')),
    file: cats('three'),
  },
  {
    what: 'a file that has an element which the write had taken out, beside another one',
    before: withParameters('old'),
    next: animals(withParameters()),
    file: animals(withParameters('old', 'new')),
  },
  {
    what: 'a file that has what the write had taken out',
    before: spec('cats', 'dogs'),
    next: animals(spec('cats')),
    file: animals(spec('cats', 'dogs')).replace('summary: dogs', 'summary: hounds'),
  },
])
  test(`[I1] a crash before the shadow was recorded, and ${what}: what clashes with the write is asked about`, async () => {
    const bench = crashedWriting(revision(before, 5), revision(next, 6), file);
    const replica = await bench.open();
    await bench.rest(replica);
    assert.equal(replica.conflicts.length, 1);
  });

/** Our branch comes back as git keeps it, and the person goes on before anybody has looked. */
async function comeBack(bench: ReplicaBench, replica: Replica, file: string): Promise<void> {
  bench.folder.put(PATH, file);
  bench.folder.hinder(undefined, bench.time.now);
  await bench.untilTrue(() => replica.hindrance === undefined);
  await bench.rest(replica);
}

function assertDogsStay(bench: ReplicaBench): void {
  assert.equal(bench.folder.text(PATH), spec('birds', 'cats', 'dogs'));
  const sent = bench.proposed.at(-1);
  assert.equal(sent?.hash, hashOf(spec('birds', 'cats', 'dogs')));
  assert.equal(sent.baseHash, hashOf(spec('cats', 'dogs')));
}

test('[I1] what was written while git went to another branch may be in that one only: it is merged again on coming back', async () => {
  const before = revision(spec('cats'), 5);
  const bench = new ReplicaBench(before.text, before);
  const replica = await bench.open();
  bench.onWritten = () => {
    bench.onWritten = () => undefined;
    bench.folder.hinder({ reason: 'git is on another branch', settlesInMs: undefined }, bench.time.now);
  };
  await bench.takeEntry(replica, before, spec('cats', 'dogs'));
  assert.equal(bench.folder.text(PATH), spec('cats', 'dogs'));
  await comeBack(bench, replica, spec('birds', 'cats'));
  assertDogsStay(bench);
});

test('[I1] a crash while git was on another branch: that branch’s file does not tell what was written into ours', async () => {
  const [before, next] = [revision(spec('cats'), 5), revision(spec('cats', 'dogs'), 6)];
  const bench = crashedWriting(before, next, next.text);
  bench.folder.hinder({ reason: 'git is on another branch', settlesInMs: undefined }, bench.time.now);
  const replica = await bench.open();
  assert.equal(bench.store.intents.size, 0);
  await comeBack(bench, replica, spec('birds', 'cats'));
  assertDogsStay(bench);
});

test('[I9] a change of ours that comes back as an entry is written nowhere, told to nobody, and sent no second time', async () => {
  const base = revision(spec('cats'), 5);
  const bench = new ReplicaBench(spec('cats', 'dogs'), base);
  bench.answer = () => ({ kind: 'committed', index: 6 as LogIndex });
  const replica = await bench.open();
  let applied = 0;
  replica.onDidApplyChange(() => (applied += 1));
  const [sent] = bench.proposed;
  assert.ok(sent !== undefined);
  const { version } = bench.folder;
  await bench.takeEntry(replica, base, spec('cats', 'dogs'), sent.proposalId);
  assert.equal(bench.folder.version, version);
  assert.equal(applied, 0);
  assert.deepEqual(new Set(bench.proposed.map(({ proposalId }) => proposalId)), new Set([sent.proposalId]));
  assert.equal(bench.store.outbox.size, 0);
  assert.equal(bench.store.documents.get(DOC)?.shadow?.hash, hashOf(spec('cats', 'dogs')));
});

test('[I1] who edits a file that git had set back, before answering for it, takes nothing of others back, also after a restart', async () => {
  const before = revision(spec('cats'), 5);
  const bench = new ReplicaBench(before.text, before);
  const first = await bench.open();
  await bench.takeEntry(first, before, spec('cats', 'dogs'));
  bench.history = [before.text, spec('cats', 'dogs')];
  bench.folder.put(PATH, before.text);
  await bench.rest(first);
  assert.equal(first.documents[0]?.state, 'behind');
  first.dispose();
  bench.folder.put(PATH, spec('birds', 'cats'));
  await bench.rest(await bench.open());
  assertDogsStay(bench);
});

test('[I1] [I8] a change that could not be recorded is sent once it can', async () => {
  const base = revision(spec('cats'), 5);
  const bench = new ReplicaBench(base.text, base);
  const replica = await bench.open();
  await bench.rest(replica);
  bench.store.failing = 1;
  bench.folder.save(PATH, spec('cats', 'dogs'), undefined);
  await bench.untilTrue(() => replica.documents[0]?.state === 'unwritable');
  assert.deepEqual(bench.proposed, []);
  bench.store.failing = 0;
  await bench.untilTrue(() => bench.proposed.length === 1);
});

/** The summary of /cats says `mine` in the file and `theirs` in the library. */
async function held(): Promise<{
  readonly bench: ReplicaBench;
  readonly replica: Replica;
  readonly head: StoredRevision;
}> {
  const base = revision(cats('cats'), 5);
  const theirs = revision(cats('theirs'), 6);
  const bench = new ReplicaBench(cats('mine'), base);
  bench.answer = () => ({ kind: 'stale', head: headOf(theirs) });
  const replica = await bench.open();
  const head = await bench.takeEntry(replica, base, theirs.text);
  assert.equal(replica.conflicts.length, 1);
  return { bench, replica, head };
}

test('[I1] a choice is not taken back for a file that was deleted a moment ago: ours would be nowhere', async () => {
  const before = revision(cats('one'), 5);
  const bench = new ReplicaBench(cats('mine'), before);
  const replica = await bench.open();
  const theirs = await bench.takeEntry(replica, before, cats('theirs'));
  const [held] = replica.conflicts;
  assert.ok(held !== undefined);
  await bench.until(replica.choices.resolveConflicts(DOC, new Map([[held.conflict.id, { choice: 'ours' }]])));
  await bench.untilTrue(() => bench.proposed.some(({ hash }) => hash === hashOf(cats('mine'))));
  const mine = await bench.takeEntry(replica, theirs, cats('mine'), bench.proposed.at(-1)?.proposalId);
  const undone = replica.choices.undoResolution();
  bench.folder.put(PATH, undefined);
  const resolves = (): readonly Proposal[] => bench.proposed.filter(({ kind }) => kind === 'resolve');
  // Sooner than it counts as deleted.
  await bench.until(replica.syncNow(500));
  assert.deepEqual(resolves(), []);
  bench.folder.put(PATH, cats('mine'));
  await bench.until(replica.syncNow(500));
  await bench.untilTrue(() => resolves().length > 0);
  await bench.takeEntry(replica, mine, cats('theirs'), resolves()[0]?.proposalId);
  assert.deepEqual(await bench.until(undone), { isDone: true });
  assert.equal(replica.conflicts.length, 1);
});

test('[I1] a choice that finds the file changed lets that change go its way', async () => {
  const { bench, replica } = await held();
  const [conflict] = replica.conflicts;
  assert.ok(conflict !== undefined);
  // Nobody has told of it yet: the window waits until the person stops typing.
  bench.folder.put(PATH, cats('mine').replace('summary: dogs', 'summary: big dogs'));
  const sentBefore = bench.proposed.length;
  const outcome = await bench.until(
    replica.choices.resolveConflicts(DOC, new Map([[conflict.conflict.id, { choice: 'theirs' }]])),
  );
  assert.equal(!outcome.isDone && outcome.problem.code, 'file-changed');
  await bench.untilTrue(() => bench.proposed.length > sentBefore);
  assert.equal(bench.proposed.at(-1)?.hash, hashOf(cats('theirs').replace('summary: dogs', 'summary: big dogs')));
});

test('[I1] an entry for a neighbour of a held element goes through, and the element stays held', async () => {
  const { bench, replica, head } = await held();
  await bench.takeEntry(replica, head, head.text.replace('summary: dogs', 'summary: big dogs'));
  assert.equal(bench.folder.text(PATH), cats('mine').replace('summary: dogs', 'summary: big dogs'));
  assert.equal(replica.conflicts.length, 1);
});

test('[I1] an entry for a held element merges from the base of the first clash, and releases it where both are equal', async () => {
  const { bench, replica, head } = await held();
  const next = await bench.takeEntry(replica, head, cats('theirs again'));
  assert.equal(bench.folder.text(PATH), cats('mine'));
  const [conflict] = replica.conflicts;
  assert.match(conflict?.conflict.base?.text ?? '', /cats/);
  assert.match(conflict?.conflict.theirs?.text ?? '', /theirs again/);
  await bench.takeEntry(replica, next, cats('mine'));
  assert.equal(bench.folder.text(PATH), cats('mine'));
  assert.deepEqual(replica.conflicts, []);
});

test('[I1] an entry that deletes the parent of a held element takes nothing out of the file: it is held there', async () => {
  const { bench, replica, head } = await held();
  await bench.takeEntry(replica, head, spec('dogs'));
  assert.match(bench.folder.text(PATH) ?? '', /summary: mine/);
  assert.equal(replica.conflicts.length, 1);
  assert.deepEqual(
    bench.proposed.filter(({ hash }) => hash !== hashOf(cats('mine'))),
    [],
    'nobody is sent what is held',
  );
});

test('[REP-28] entries that others follow come into the file together, said as one, when the last one is there', async () => {
  const first = revision(cats('cats'), 5);
  const bench = new ReplicaBench(first.text, first);
  const replica = await bench.open();
  const told: AppliedChange[] = [];
  replica.onDidApplyChange((change) => told.push(change));
  const second = await bench.takeFollowedEntry(replica, first, cats('big cats'));
  const third = await bench.takeFollowedEntry(replica, second, cats('bigger cats'));
  assert.deepEqual([bench.folder.text(PATH), replica.documents.map(({ state }) => state)], [first.text, ['syncing']]);
  await bench.takeEntry(replica, third, cats('the biggest cats'));
  await bench.rest(replica);
  assert.equal(bench.folder.text(PATH), cats('the biggest cats'));
  assert.equal(told.length, 1);
});

test('[REP-28] [I8] looking at the file does not bring in what is put off, unless a person has changed it: then nothing waits', async () => {
  const first = revision(cats('cats'), 5);
  const bench = new ReplicaBench(first.text, first);
  const replica = await bench.open();
  const second = await bench.takeFollowedEntry(replica, first, cats('big cats'));
  await bench.until(replica.syncNow(1_000));
  assert.equal(bench.folder.text(PATH), first.text);
  bench.folder.save(PATH, cats('cats').replace('summary: dogs', 'summary: big dogs'), undefined);
  const both = cats('big cats').replace('summary: dogs', 'summary: big dogs');
  await bench.untilTrue(() => bench.folder.text(PATH) === both && bench.proposed.length === 1);
  assert.equal(bench.proposed[0]?.baseHash, second.hash);
});

test('[REP-28] [I8] what follows and does not come is not waited for once the connection is gone', async () => {
  const first = revision(cats('cats'), 5);
  const bench = new ReplicaBench(first.text, first);
  const replica = await bench.open();
  await bench.takeFollowedEntry(replica, first, cats('big cats'));
  assert.equal(bench.folder.text(PATH), first.text);
  bench.disconnect();
  await bench.untilTrue(() => bench.folder.text(PATH) === cats('big cats'));
});

test('[REP-15] [REP-28] what is not durable yet is not said to be', async () => {
  const first = revision(cats('cats'), 5);
  const bench = new ReplicaBench(first.text, first);
  const replica = await bench.open();
  bench.store.failing = 1;
  await bench.takeFollowedEntry(replica, first, cats('big cats'));
  assert.deepEqual([replica.lastSyncedIndex(), replica.lastDurableIndex()], [6, 5]);
});

test('[I9] [REP-04] what others took out again before our change was committed does not come back with it', async () => {
  const base = revision(spec('cats'), 5);
  const bench = new ReplicaBench(spec('cats', 'dogs'), base);
  bench.putInFlight(base);
  bench.answer = () => new Promise(() => undefined);
  const replica = await bench.open();
  const more = await bench.takeEntry(replica, base, spec('birds', 'cats'));
  assert.equal(bench.folder.text(PATH), spec('birds', 'cats', 'dogs'));
  replica.pause();
  // The library reads as it did when our change was made, so that it fits.
  const again = await bench.takeEntry(replica, more, base.text);
  await bench.takeEntry(replica, again, spec('cats', 'dogs'), 'replica-alice:1');
  replica.resume();
  await bench.rest(replica);
  assert.equal(bench.folder.text(PATH), spec('cats', 'dogs'));
  assert.equal(bench.store.outbox.size, 0);
});

test('[REP-17] a leader that has lost the text of a document is sent the whole one, once', async () => {
  const base = revision(spec('cats'), 5);
  const bench = new ReplicaBench(base.text, base);
  bench.answer = () => ({ kind: 'rejected', code: 'document-damaged', message: 'The text is lost.' });
  const replica = await bench.open();
  bench.folder.put(PATH, spec('cats', 'dogs'));
  await bench.rest(replica);
  const whole = [{ offset: 0, deleteCount: base.text.length, insert: spec('cats', 'dogs') }];
  assert.deepEqual(
    bench.proposed.map(({ baseHash, patch }) => [baseHash, JSON.stringify(patch) === JSON.stringify(whole)]),
    [
      [base.hash, false],
      [base.hash, true],
    ],
  );
  assert.deepEqual([replica.documents[0]?.state, bench.store.outbox.size], ['invalid', 0]);
  bench.answer = () => ({ kind: 'committed', index: 6 as LogIndex });
  bench.folder.put(PATH, spec('cats', 'dogs', 'birds'));
  await bench.rest(replica);
  assert.equal(bench.proposed.length, 3);
});

test('[REP-05] [I1] a replica whose own state was put back from a backup takes no id again that the log may know of another change', async () => {
  const base = revision(spec('cats'), 5);
  const bench = new ReplicaBench(base.text, base);
  bench.answer = () => new Promise(() => undefined);
  const before = await bench.open();
  bench.folder.put(PATH, spec('cats', 'dogs'));
  await bench.rest(before);
  before.dispose();
  bench.store.outbox.clear();
  bench.store.nextProposalNumber = 1;
  bench.folder.put(PATH, spec('cats', 'birds'));
  const replica = await bench.open();
  await bench.rest(replica);
  const ids = bench.proposed.map(({ proposalId }) => proposalId);
  assert.ok(ids.length >= 2);
  assert.notEqual(ids[0], ids.at(-1));
  replica.dispose();
});
