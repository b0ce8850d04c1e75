import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId } from '../../../src/core/ids.ts';
import type { LibraryLink } from '../../../src/core/replication/libraryLink.ts';
import { BulkProposals } from '../../../src/peer/replica/bulkProposals.ts';
import { createFakeAmbient, editOf, FakeTime, settle } from '../replication/fakes.ts';

const MAX_HOLD_MS = 5_000;

for (const { changedCount, sent } of [
  { changedCount: 6, sent: ['bulk of 2'] },
  { changedCount: 2, sent: ['edit', 'edit'] },
])
  test(`[BLK-01] two edits that are ready when a burst has been held for long, of ${String(changedCount)} changed files: ${sent.join(', ')}`, async () => {
    const time = new FakeTime();
    const heard: string[] = [];
    const link = {
      propose: () => {
        heard.push('edit');
        return new Promise(() => undefined);
      },
      proposeBulk: ({ documents }: { readonly documents: readonly unknown[] }) => {
        heard.push(`bulk of ${String(documents.length)}`);
        return new Promise(() => undefined);
      },
    } as unknown as LibraryLink;
    const bulks = new BulkProposals({
      ambient: createFakeAmbient(time),
      bulkDocuments: 4,
      link: () => link,
      mayWork: () => Promise.resolve(true),
      changedCount: () => changedCount,
      origin: () => Promise.resolve({ reason: 'generator' }),
    });
    const never = new Promise(() => undefined);
    for (let at = 0; at < 6; at++) bulks.look(`doc-${String(at)}` as DocId, never);
    for (let at = 0; at < 2; at++)
      void bulks.propose(editOf('a', `doc-${String(at)}`, 'one\n', 'two\n'), undefined, () => true);
    await time.advance(MAX_HOLD_MS - 1);
    assert.deepEqual(heard, []);
    await time.advance(MAX_HOLD_MS);
    await settle();
    bulks.dispose();
    assert.deepEqual(heard, sent);
  });
