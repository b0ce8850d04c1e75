import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workingText } from '../../../src/core/workingText.ts';
import type { DocumentRecord } from '../../../src/peer/replica/documentRecord.ts';
import type { RevisionHistory } from '../../../src/peer/replica/revisionHistory.ts';
import { TakenBack } from '../../../src/peer/replica/takenBack.ts';
import type { DocId, LogIndex } from '../../../src/core/ids.ts';
import type { Replica } from '../../../src/peer/replica/replica.ts';
import { PATH, ReplicaBench, revision, spec } from './replicaBench.ts';

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
      committed: {
        stamp: () => Promise.resolve(git.stamp),
        isCommitted: (_file: string, text: string) => Promise.resolve(text === committedText),
      },
    },
  };
  const history = {
    isTakingBack: () => Promise.resolve(false),
    hasForeign: () => Promise.resolve(true),
    isOfEarlier: () => Promise.resolve(false),
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
  assert.equal(await takenBack.check('api.yaml', undefined), true);
});

test('[I1] a person who types what is committed is not asked while git did nothing', async () => {
  const { takenBack, found } = documentInGit('committed');
  takenBack.hasRead(await takenBack.stampNow(), true);
  found('committed');
  takenBack.hasRead(await takenBack.stampNow(), true);
  assert.equal(await takenBack.check('api.yaml', undefined), false);
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
