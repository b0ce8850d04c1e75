import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workingText } from '../../../src/core/workingText.ts';
import type { LibraryLink } from '../../../src/core/replication/libraryLink.ts';
import type { DocumentRecord } from '../../../src/peer/replica/documentRecord.ts';
import type { RevisionHistory } from '../../../src/peer/replica/revisionHistory.ts';
import type { Replica } from '../../../src/peer/replica/replica.ts';
import { TakenBack } from '../../../src/peer/replica/takenBack.ts';
import type { DocId, LogIndex } from '../../../src/core/ids.ts';
import { hashOf } from '../replication/fakes.ts';
import { DOC, headOf, PATH, ReplicaBench, revision, spec } from './replicaBench.ts';

type GitSays = NonNullable<ReplicaBench['git']>;

/** Passed on to the history only, which is none here. */
const link = {} as LibraryLink;

/** A document whose agreed text somebody else has changed, in a checkout whose HEAD has `committedText`. */
function documentInGit(committedText: string): {
  readonly takenBack: TakenBack;
  readonly git: { stamp: string };
  readonly found: (text: string) => void;
} {
  const git = { stamp: 'before' };
  const record = {
    working: workingText('agreed'),
    workingHash: 'agreed',
    isFileFromSave: false,
    commit: () => Promise.resolve(),
    stored: { shadow: { hash: 'agreed', text: 'agreed' }, head: { hash: 'agreed', text: 'agreed' } },
    ctx: {
      formerlyAt: () => [],
      carriedHash: () => undefined,
      ambient: { hashText: (text: string) => text },
      committed: {
        stamp: () => Promise.resolve(git.stamp),
        committedText: () => Promise.resolve(committedText),
        versions: () => [],
        lastSeen: () => Promise.resolve(undefined),
      },
    },
  };
  const history = {
    isTakingBack: () => Promise.resolve(false),
    hasForeign: () => Promise.resolve(true),
    isOfEarlier: () => Promise.resolve(false),
    indexOf: () => Promise.resolve(undefined),
    originCommit: () => Promise.resolve(undefined),
  };
  const takenBack = new TakenBack(
    record as unknown as DocumentRecord,
    history as unknown as RevisionHistory, // Both are large, and this rule asks them for what stands above only.
  );
  const found = (text: string): void => {
    record.working = workingText(text);
    record.workingHash = text;
  };
  return { takenBack, git, found };
}

test('[I1] a file that git set back while a reader waited for it to be whole is behind', async () => {
  const { takenBack, git, found } = documentInGit('committed');
  takenBack.hasRead(await takenBack.stampNow(), true);
  const stampBeforeReading = await takenBack.stampNow();
  git.stamp = 'after the stash';
  found('committed');
  takenBack.hasRead(stampBeforeReading, true);
  assert.equal(await takenBack.check('api.yaml', link), true);
});

test('[I1] a person who types what is committed is not asked while git did nothing', async () => {
  const { takenBack, found } = documentInGit('committed');
  takenBack.hasRead(await takenBack.stampNow(), true);
  found('committed');
  takenBack.hasRead(await takenBack.stampNow(), true);
  assert.equal(await takenBack.check('api.yaml', link), false);
});

const COMMITTED = spec('cats');
const AGREED = spec('cats', 'dogs');

/** Others have added /dogs to what is committed; now git has put one text in the place of that, and the file is another. */
async function editedAfterGit(
  written: string,
  edited: string,
  how: { readonly saved?: 'byHand' | undefined; readonly git?: Partial<GitSays> } = {},
): Promise<[ReplicaBench, Replica]> {
  const bench = new ReplicaBench(AGREED, revision(AGREED, 2));
  bench.addToHistory(bench.addToHistory(undefined, COMMITTED), AGREED);
  bench.git = { stamp: 'before', versions: [COMMITTED] };
  const replica = await bench.open();
  await bench.rest(replica);
  bench.folder.put(PATH, written);
  const lastSeen = { text: written, modifiedAt: bench.folder.stampOf(PATH) };
  bench.git = { stamp: 'after', versions: [COMMITTED], lastSeen, ...how.git };
  bench.folder.save(PATH, edited, how.saved);
  await bench.rest(replica);
  return [bench, replica];
}

for (const saved of [undefined, 'byHand'] as const)
  test(`[I1] [BRA-03] what is typed on a file that git set back a moment before takes nothing back (${saved ?? 'another program'})`, async () => {
    const [bench] = await editedAfterGit(COMMITTED, spec('cats', 'eels'), { saved });
    assert.deepEqual(summariesOf(bench), ['cats', 'dogs', 'eels']);
    assert.deepEqual(
      bench.proposed.map(({ baseHash, hash }) => [baseHash, hash]),
      [[hashOf(AGREED), hashOf(bench.folder.text(PATH) ?? '')]],
    );
  });

test('[I1] [BRA-03] what a pull brought and somebody edited at once comes on top of what was agreed on since', async () => {
  const pulled = spec('ants', 'cats');
  const [bench] = await editedAfterGit(pulled, spec('ants', 'bees', 'cats'), {
    git: { versions: [pulled, COMMITTED] },
  });
  assert.deepEqual([...summariesOf(bench)].sort(), ['ants', 'bees', 'cats', 'dogs']);
});

for (const [what, lastSeen] of [
  ['staged', { text: spec('cats', 'eels'), modifiedAt: 9 }],
  ['put into the index by itself', undefined],
] as const)
  test(`[I1] [BRA-03] an edit that was ${what} before it was read, so that nothing tells any more, takes nothing back`, async () => {
    const [bench] = await editedAfterGit(COMMITTED, spec('cats', 'eels'), { git: { lastSeen } });
    assert.deepEqual(summariesOf(bench), ['cats', 'dogs', 'eels']);
  });

test('[BRA-03] who takes out what others did is believed where git wrote the file before that was agreed on', async () => {
  const bench = new ReplicaBench(AGREED, revision(AGREED, 2));
  bench.addToHistory(bench.addToHistory(undefined, COMMITTED), AGREED);
  const lastSeen = { text: COMMITTED, modifiedAt: 0 };
  bench.git = { stamp: 'before', versions: [COMMITTED], lastSeen };
  const replica = await bench.open();
  await bench.rest(replica);
  // Git has done something to another file.
  bench.git = { stamp: 'after', versions: [COMMITTED], lastSeen };
  bench.folder.save(PATH, spec('cats', 'eels'), undefined);
  await bench.rest(replica);
  assert.deepEqual(summariesOf(bench), ['cats', 'eels']);
  assert.equal(bench.proposed.length, 1);
});

test('[I1] [BRA-03] a file that was set back and edited while nobody served it is known for that', async () => {
  const bench = new ReplicaBench(AGREED, revision(AGREED, 2));
  bench.addToHistory(bench.addToHistory(undefined, COMMITTED), AGREED);
  bench.git = { stamp: 'before', versions: [COMMITTED] };
  const replica = await bench.open();
  await bench.rest(replica);
  bench.folder.save(PATH, spec('cats', 'dogs', 'foxes'), undefined);
  await bench.rest(replica);
  const sent = bench.folder.text(PATH) ?? '';
  const agreed = await bench.takeEntry(replica, revision(AGREED, 2), sent, bench.proposed[0]?.proposalId);
  bench.entries.push(...bench.taken);
  replica.dispose();
  bench.folder.put(PATH, COMMITTED);
  bench.git = {
    stamp: 'after',
    versions: [COMMITTED],
    lastSeen: { text: COMMITTED, modifiedAt: bench.folder.stampOf(PATH) },
  };
  bench.folder.put(PATH, spec('cats', 'eels'));
  await bench.rest(await bench.open());
  assert.deepEqual([...summariesOf(bench)].sort(), ['cats', 'dogs', 'eels', 'foxes']);
  assert.equal(bench.proposed.at(-1)?.baseHash, agreed.hash);
});

const summariesOf = (bench: ReplicaBench): readonly string[] =>
  [...(bench.folder.text(PATH) ?? '').matchAll(/summary: (.+)/g)].map((match) => match[1] ?? '');

/** Others have added /dogs to what is committed; now git has put `file` in the place of that. */
async function setByGit(file: string, versions: readonly string[]): Promise<[ReplicaBench, Replica]> {
  const bench = new ReplicaBench(AGREED, revision(AGREED, 2));
  bench.addToHistory(bench.addToHistory(undefined, COMMITTED), AGREED);
  bench.git = { stamp: 'before', versions: [COMMITTED] };
  const replica = await bench.open();
  await bench.rest(replica);
  bench.git = { stamp: 'after', versions };
  bench.folder.save(PATH, file, undefined);
  await bench.rest(replica);
  return [bench, replica];
}

const stateOf = (replica: Replica): string | undefined => replica.documents[0]?.state;

test('[I1] [BRA-02] what a pull brings comes on top of what was agreed on since, and takes nothing back', async () => {
  const pulled = spec('ants', 'cats');
  const [bench, replica] = await setByGit(pulled, [pulled, COMMITTED]);
  const now = bench.folder.text(PATH) ?? '';
  for (const one of ['ants', 'cats', 'dogs']) assert.match(now, new RegExp(`summary: ${one}`));
  assert.deepEqual(
    bench.proposed.map(({ baseHash, hash }) => [baseHash, hash]),
    [[hashOf(AGREED), hashOf(now)]],
  );
  assert.notEqual(stateOf(replica), 'behind');
});

test('[I1] [BRA-02] a commit that takes back what was agreed on and committed before is a change, and asks nothing', async () => {
  const [bench, replica] = await setByGit(COMMITTED, [COMMITTED, AGREED]);
  assert.notEqual(stateOf(replica), 'behind');
  assert.deepEqual(
    bench.proposed.map(({ baseHash, hash }) => [baseHash, hash]),
    [[hashOf(AGREED), hashOf(COMMITTED)]],
  );
});

/** Bob has made a document at the place that another one has left; then the file is set back to what that one was. */
async function setBackToEarlier(
  leave: (bench: ReplicaBench, replica: Replica) => Promise<void>,
): Promise<{ readonly bench: ReplicaBench; readonly replica: Replica }> {
  const earlier = revision(spec('cats'), 5);
  const later = spec('birds', 'dogs');
  const bench = new ReplicaBench(earlier.text, earlier);
  bench.history = [spec('birds'), later];
  let replica = await bench.open();
  await leave(bench, replica);
  await bench.takeCreate(replica, { docId: 'doc-2' as DocId, path: PATH, text: later, index: 7 as LogIndex });
  assert.equal(bench.folder.text(PATH), later);
  bench.revisions.set(earlier.hash, earlier.text);
  replica = await bench.open();
  bench.folder.save(PATH, earlier.text, undefined);
  await bench.rest(replica);
  return { bench, replica };
}

for (const [how, leave] of [
  ['deleted', (bench, replica) => bench.takeDeletion(replica, revision(spec('cats'), 5))],
  ['renamed', (bench, replica) => bench.takeRename(replica, revision(spec('cats'), 5), 'other.yaml')],
] satisfies [string, (bench: ReplicaBench, replica: Replica) => Promise<void>][]) {
  test(`[I1] a file that is set back to what a document had that was ${how} from its place is behind, also after a restart`, async () => {
    const { bench, replica } = await setBackToEarlier(leave);
    assert.equal(replica.documents.find(({ path }) => path === PATH)?.state, 'behind');
    assert.deepEqual(bench.proposed, []);
  });
}

test('[I1] a choice that was taken back is held although the file reads as the library did meanwhile, and what others do since changes nothing about that', async () => {
  const agreed = revision(spec('cats').replace('summary: cats', 'summary: theirs'), 7);
  const chosen = agreed.text.replace('summary: theirs', 'summary: ours');
  const bench = new ReplicaBench(chosen, agreed);
  bench.history = [spec('cats'), chosen, agreed.text];
  const document = bench.store.documents.get(DOC);
  assert.ok(document !== undefined);
  bench.store.documents.set(DOC, { ...document, heldBase: spec('cats') });
  const replica = await bench.open();
  await bench.rest(replica);
  assert.equal(replica.documents[0]?.state, 'held');
  const next = agreed.text.replace('title: Pets', 'title: Animals');
  await bench.takeEntry(replica, agreed, next);
  assert.equal(replica.documents[0].state, 'held');
  assert.equal(bench.folder.text(PATH), next.replace('summary: theirs', 'summary: ours'));
});

test('[COM-01] what is held is not in the file, and so in no commit of it', async () => {
  const committed = revision(spec('cats'), 1);
  const bench = new ReplicaBench(committed.text, committed);
  bench.addToHistory(undefined, committed.text);
  bench.git = { stamp: 'before', versions: [committed.text] };
  const replica = await bench.open();
  await bench.rest(replica);
  const mine = committed.text.replace('summary: cats', 'summary: my cats');
  const theirs = committed.text.replace('summary: cats', 'summary: their cats');
  bench.answer = () => ({ kind: 'stale', head: headOf(revision(theirs, 2)) });
  bench.folder.save(PATH, mine, undefined);
  const next = bench.addToHistory(committed, theirs);
  await bench.takeEntry(replica, committed, theirs);
  await bench.untilTrue(() => replica.conflicts.length === 1);
  const file = replica.documents[0]?.file ?? '';
  const authors = (text: string): Promise<readonly string[] | undefined> =>
    bench.until(replica.foreignAuthors(file, () => Promise.resolve(text), 'HEAD'));
  assert.deepEqual(await authors(mine), []);

  const more = next.text.replace('title: Pets', 'title: All pets');
  bench.addToHistory(next, more);
  await bench.takeEntry(replica, next, more);
  await bench.untilTrue(() => bench.folder.text(PATH)?.includes('All pets') === true);
  assert.deepEqual(await authors(bench.folder.text(PATH) ?? ''), ['bob']);
});
