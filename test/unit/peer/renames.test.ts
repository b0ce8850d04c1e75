import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, ProposalId } from '../../../src/core/ids.ts';
import type { Replica } from '../../../src/peer/replica/replica.ts';
import { DOC, entryOf, headOf, PATH, ReplicaBench, revision, spec } from './replicaBench.ts';

const base = revision(spec('cats', 'dogs'), 5);
const edited = spec('cats', 'big-dogs');

async function opened(file = base.text): Promise<{ readonly bench: ReplicaBench; readonly replica: Replica }> {
  const bench = new ReplicaBench(file, base);
  // Nobody answers until the test says what.
  bench.answer = () => new Promise(() => undefined);
  const replica = await bench.open();
  return { bench, replica };
}

function renames(bench: ReplicaBench): readonly object[] {
  return bench.proposed.map(({ kind, path, basePath, docId }) => ({ kind, path, basePath, docId }));
}

const toPets = { kind: 'rename', path: 'pets.yaml', basePath: PATH, docId: DOC } as const;

for (const isChanged of [false, true])
  test(`[REN-01] [REN-02] a file that a person renames${isChanged ? ' and changes' : ''} keeps its document: the library hears of the name, and of no deletion`, async () => {
    const { bench, replica } = await opened();
    if (isChanged) bench.folder.put(PATH, edited);
    bench.folder.rename(PATH, 'pets.yaml');
    await bench.untilTrue(() => bench.proposed.length === 1);
    assert.deepEqual(renames(bench), [toPets]);
    await bench.takeRename(replica, base, 'pets.yaml', bench.proposed[0]?.proposalId);
    await bench.untilTrue(() => bench.proposed.length === (isChanged ? 2 : 1));
    if (isChanged) assert.equal(bench.proposed[1]?.kind, 'edit');
    else assert.equal(replica.documents[0]?.state, 'inStep');
    assert.deepEqual(bench.paths(), ['pets.yaml']);
  });

test('[REN-01] a file that gets its old name back within the quiet of an auto-save is followed there', async () => {
  const { bench, replica } = await opened();
  bench.folder.save(PATH, edited, 'auto');
  bench.folder.rename(PATH, 'pets.yaml');
  await bench.untilTrue(() => replica.documents[0]?.path === 'pets.yaml');
  bench.folder.rename('pets.yaml', PATH);
  await bench.untilTrue(() => replica.documents[0]?.path === PATH);
});

test('[REN-01] a new name that could not be recorded is looked for again: the disk was full for a moment', async () => {
  const { bench } = await opened();
  bench.folder.rename(PATH, 'pets.yaml');
  const { searches } = bench;
  await bench.untilTrue(() => bench.searches > searches);
  bench.store.failing = 1;
  const { now } = bench.time;
  await bench.untilTrue(() => bench.time.now > now + 1_000);
  bench.store.failing = 0;
  await bench.untilTrue(() => bench.proposed.length === 1);
  assert.deepEqual(renames(bench), [toPets]);
});

test('[REN-02] a rename that finds the document changed is proposed again on top of that', async () => {
  const { bench, replica } = await opened();
  const head = revision(edited, 6);
  bench.answer = () => Promise.resolve({ kind: 'stale', head: headOf(head) });
  bench.folder.rename(PATH, 'pets.yaml');
  await bench.untilTrue(() => bench.proposed.length === 1);
  bench.answer = () => new Promise(() => undefined);
  await bench.takeEntry(replica, base, edited);
  await bench.untilTrue(() => bench.proposed.length === 2);
  assert.equal(bench.folder.text('pets.yaml'), edited);
  assert.deepEqual(renames(bench), [toPets, toPets]);
  assert.equal(bench.proposed[1]?.baseHash, head.hash);
});

test('[REN-03] others rename: the file goes there, with what was changed in it here', async () => {
  const { bench, replica } = await opened(spec('birds', 'cats', 'dogs'));
  const applied: unknown[] = [];
  replica.onDidApplyChange(({ path, renamedFrom }) => applied.push({ path, renamedFrom }));
  await bench.takeRename(replica, base, 'pets/all.yaml');
  assert.deepEqual(bench.paths(), ['pets/all.yaml']);
  assert.equal(bench.folder.text('pets/all.yaml'), spec('birds', 'cats', 'dogs'));
  assert.deepEqual(applied, [{ path: 'pets/all.yaml', renamedFrom: PATH }]);
  assert.deepEqual(new Set(bench.proposed.map(({ kind }) => kind)), new Set(['edit']));
});

test('[scale] where a copy lies is worked out when it moves, not each time that somebody looks', async () => {
  const { bench, replica } = await opened();
  const files = (): readonly string[] => replica.documents.map(({ file }) => file);
  assert.deepEqual(files(), [bench.folder.fileOf(PATH)]);
  const { placesAsked } = bench;
  assert.deepEqual([files(), replica.conflicts], [[bench.folder.fileOf(PATH)], []]);
  assert.equal(bench.placesAsked, placesAsked);
  await bench.takeRename(replica, base, 'pets.yaml');
  assert.deepEqual(files(), [bench.folder.fileOf('pets.yaml')]);
});

test('[REN-03] a case-only rename is one like any other', async () => {
  const { bench, replica } = await opened();
  await bench.takeRename(replica, base, 'OpenAPI.yaml');
  assert.deepEqual(bench.paths(), ['OpenAPI.yaml']);
  assert.deepEqual(bench.proposed, []);
});

test('[REN-03] [I8] a file with unsaved typing keeps its name until it is saved', async () => {
  const { bench, replica } = await opened();
  bench.folder.setBuffer(PATH, edited);
  await bench.takeRename(replica, base, 'pets.yaml');
  assert.deepEqual(bench.paths(), [PATH]);
  assert.equal(replica.documents[0]?.state, 'waiting');
  bench.folder.setBuffer(PATH, undefined);
  await bench.untilTrue(() => bench.paths()[0] === 'pets.yaml');
});

test('[REN-03] [I9] a crash after the file was moved and before that was recorded: it is found there', async () => {
  const bench = new ReplicaBench(base.text, base);
  const document = bench.store.documents.get(DOC);
  assert.ok(document !== undefined);
  bench.store.documents.set(DOC, { ...document, libraryPath: 'pets.yaml', agreedPath: PATH });
  bench.folder.rename(PATH, 'pets.yaml');
  const replica = await bench.open();
  await bench.rest(replica);
  assert.deepEqual(bench.proposed, []);
  assert.deepEqual(
    replica.documents.map(({ path, state }) => ({ path, state })),
    [{ path: 'pets.yaml', state: 'inStep' }],
  );
});

/** To `mine.yaml` and `theirs.yaml`, and it is asked about. */
async function renamedHereAndThere(): Promise<{ readonly bench: ReplicaBench; readonly again: Replica }> {
  const { bench, replica } = await opened();
  bench.folder.rename(PATH, 'mine.yaml');
  await bench.untilTrue(() => bench.proposed.length === 1);
  const head = { ...headOf(base), index: 6 as LogIndex, path: 'theirs.yaml' };
  bench.answer = () => ({ kind: 'stale', head });
  replica.dispose();
  const again = await bench.open();
  bench.answer = () => new Promise(() => undefined);
  await bench.takeRename(again, base, 'theirs.yaml');
  await bench.untilTrue(() => again.documents[0]?.state === 'misnamed');
  return { bench, again };
}

for (const choice of ['bringBack', 'keepMine'] as const)
  test(`[REN-04] renamed here and there to other names is asked about: ${choice}`, async () => {
    const { bench, again } = await renamedHereAndThere();
    const sent = bench.proposed.length;
    assert.deepEqual(await bench.until(again.choices.leaveBehind(bench.folder.fileOf('mine.yaml'), choice)), {
      isDone: true,
    });
    if (choice === 'bringBack') await bench.untilTrue(() => bench.paths()[0] === 'theirs.yaml');
    else await bench.untilTrue(() => bench.proposed.length > sent);
    const asked = { ...toPets, path: 'mine.yaml', basePath: 'theirs.yaml' };
    assert.deepEqual(renames(bench).slice(sent), choice === 'bringBack' ? [] : [asked]);
  });

test('[REN-05] a name that another document has in the library is asked about, and can be given up', async () => {
  const { bench, replica } = await opened();
  const other = { ...headOf(revision(spec('rats'), 6), 'doc-2' as DocId), path: 'pets.yaml' };
  bench.answer = () => Promise.resolve({ kind: 'stale', head: other });
  bench.folder.rename(PATH, 'pets.yaml');
  await bench.untilTrue(() => replica.documents[0]?.state === 'misnamed');
  const file = bench.folder.fileOf('pets.yaml');
  const refused = await bench.until(replica.choices.leaveBehind(file, 'keepMine'));
  assert.equal(!refused.isDone && refused.problem.code, 'path-taken');
  assert.equal((await bench.until(replica.choices.leaveBehind(file, 'bringBack'))).isDone, true);
  await bench.untilTrue(() => bench.paths()[0] === PATH);
});

test('[REN-05] [REN-04] a name that was chosen over the library’s, and that another document has got there, is asked about again', async () => {
  const { bench, again } = await renamedHereAndThere();
  const other = { ...headOf(revision(spec('rats'), 7), 'doc-2' as DocId), path: 'mine.yaml' };
  bench.answer = () => Promise.resolve({ kind: 'stale', head: other });
  const file = bench.folder.fileOf('mine.yaml');
  const sent = bench.proposed.length;
  await bench.until(again.choices.leaveBehind(file, 'keepMine'));
  await bench.untilTrue(() => bench.proposed.length > sent && again.documents[0]?.state === 'misnamed');
  assert.equal(bench.proposed.length, sent + 1);
  assert.equal((await bench.until(again.choices.leaveBehind(file, 'bringBack'))).isDone, true);
  await bench.untilTrue(() => bench.paths()[0] === 'theirs.yaml');
});

test('[REN-05] a document whose place another one still has here waits for it, and then has its copy', async () => {
  const { bench, replica } = await opened();
  bench.folder.setBuffer(PATH, edited);
  await bench.takeRename(replica, base, 'pets.yaml');
  await bench.takeCreate(replica, { docId: 'doc-2' as DocId, path: PATH, text: spec('rats'), index: 7 as LogIndex });
  assert.deepEqual(bench.paths(), [PATH]);
  bench.folder.setBuffer(PATH, undefined);
  await bench.untilTrue(() => bench.folder.text(PATH) === spec('rats'));
  assert.equal(bench.folder.text('pets.yaml'), base.text);
});

test('[REN-05] [REP-28] [I2] who was away while a new document was renamed and another took its first name has both', async () => {
  const { bench, replica } = await opened();
  const [rats, mice] = [revision(spec('rats'), 6), revision(spec('mice'), 8)];
  const [docId, path] = ['doc-2' as DocId, 'pets.yaml'];
  await bench.takeTogether(replica, [
    { ...entryOf(undefined, rats), docId, kind: 'create', path },
    { ...entryOf(rats, { ...rats, index: 7 as LogIndex }), docId, kind: 'rename', patch: [], path: 'animals.yaml' },
    { ...entryOf(undefined, mice), docId: 'doc-3' as DocId, kind: 'create', path },
  ]);
  await bench.untilTrue(() => bench.folder.text('animals.yaml') === rats.text && bench.folder.text(path) === mice.text);
});

test('[REN-06] [I1] renamed here and deleted there is a conflict over the whole file', async () => {
  const { bench, replica } = await opened();
  bench.folder.rename(PATH, 'pets.yaml');
  await bench.untilTrue(() => bench.proposed.length === 1);
  bench.answer = () =>
    Promise.resolve({ kind: 'stale', head: { ...headOf(base), hash: undefined, index: 6 as LogIndex } });
  replica.dispose();
  const again = await bench.open();
  bench.answer = () => new Promise(() => undefined);
  await bench.takeDeletion(again, base);
  await bench.untilTrue(() => again.documents[0]?.state === 'held');
  assert.deepEqual(bench.paths(), ['pets.yaml']);
});

test('[REN-06] [I1] deleted here and renamed there is a conflict over the whole file', async () => {
  const { bench, replica } = await opened();
  replica.pause();
  bench.folder.remove(PATH);
  await bench.takeRename(replica, base, 'pets.yaml');
  replica.resume();
  await bench.untilTrue(() => replica.documents[0]?.state === 'held');
  assert.deepEqual(bench.proposed, []);
});

test('[REN-07] a name that an older release has left out is learned from the heads', async () => {
  const bench = new ReplicaBench(base.text, base);
  const document = bench.store.documents.get(DOC);
  assert.ok(document !== undefined);
  bench.store.documents.set(DOC, { ...document, pathAt: 4 as LogIndex });
  bench.heads = [{ ...headOf(base), path: 'pets.yaml' }];
  const replica = await bench.open();
  await bench.untilTrue(() => bench.paths()[0] === 'pets.yaml');
  await bench.rest(replica);
  assert.deepEqual(bench.proposed, []);
});

test('[REN-03] two files that are gone here and renamed there keep nobody busy: neither is moved, and neither wakes the other', async () => {
  const { bench, replica } = await opened();
  const other = { docId: 'doc-2' as DocId, path: 'other.yaml', text: spec('birds'), index: 6 as LogIndex };
  await bench.takeCreate(replica, other);
  bench.folder.remove(PATH);
  bench.folder.remove(other.path);
  const bob = 'replica-bob:2' as ProposalId;
  await bench.takeRename(replica, revision(base.text, 6), 'pets.yaml', bob);
  await bench.takeRename(replica, revision(other.text, 7), 'others.yaml', bob, other.docId);
  const { events } = bench.time;
  await bench.rest(replica);
  assert.deepEqual(bench.paths(), []);
  assert.ok(bench.time.events - events < 100, `it is at rest after ${String(bench.time.events - events)} events`);
});
