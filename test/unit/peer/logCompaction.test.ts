import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryReplicatedLog } from '../../../src/core/replication/memoryReplicatedLog.ts';
import { TransactionManager } from '../../../src/core/replication/transactionManager.ts';
import { LogCompaction } from '../../../src/peer/logCompaction.ts';
import { authorOf, createFakeAmbient, createOf, editOf, FakeTime } from '../replication/fakes.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const alice = authorOf('alice');

/** A log with an entry of now, one of ten days later and one of the day after that. */
async function begin(retention: { readonly ageMs: number; readonly units: number }) {
  const time = new FakeTime();
  const ambient = createFakeAmbient(time);
  const log = new MemoryReplicatedLog();
  const transactions = await TransactionManager.open({ log, leaderId: alice.peerId, ambient });
  const { term } = transactions;
  const edit = (before: string, after: string) => transactions.append(editOf('a', 'doc-1', before, after), alice, term);
  await transactions.append(createOf('a', 'doc-1', 'a.yaml', 'one\n'), alice, term);
  await time.advance(10 * DAY_MS);
  await edit('one\n', 'two\n');
  await time.advance(DAY_MS);
  await edit('two\n', 'three\n');
  const compaction = new LogCompaction(transactions, retention, ambient);
  const horizon = async (): Promise<number> => (await log.state()).horizon;
  return { time, edit, compaction, horizon };
}

test('[REC-05] a minute after the beginning what is older than the setting says is forgotten, and every hour after that', async () => {
  const { time, edit, compaction, horizon } = await begin({ ageMs: 5 * DAY_MS, units: Infinity });
  await time.advance(MINUTE_MS - 1);
  assert.equal(await horizon(), 0);
  await time.advance(1);
  assert.equal(await horizon(), 1);
  time.wallOffset += 10 * DAY_MS;
  await edit('three\n', 'four\n');
  await time.advance(HOUR_MS);
  assert.equal(await horizon(), 3);
  compaction.dispose();
  assert.equal(time.pendingTimers, 0);
});

test('[REC-05] so is what is more than the setting says', async () => {
  const { time, compaction, horizon } = await begin({ ageMs: Infinity, units: 1 });
  await time.advance(MINUTE_MS);
  assert.equal(await horizon(), 2);
  compaction.dispose();
});

test('[REC-05] a clock that was wrong for one entry, years ahead or behind, forgets nothing', async () => {
  const { time, edit, compaction, horizon } = await begin({ ageMs: 30 * DAY_MS, units: Infinity });
  time.wallOffset += 1_000 * DAY_MS;
  await edit('three\n', 'four\n');
  time.wallOffset -= 1_000 * DAY_MS;
  await time.advance(MINUTE_MS);
  assert.equal(await horizon(), 0);
  time.wallOffset -= 1_000 * DAY_MS;
  await edit('four\n', 'five\n');
  time.wallOffset += 1_000 * DAY_MS;
  await edit('five\n', 'six\n');
  await time.advance(HOUR_MS);
  assert.equal(await horizon(), 0);
  compaction.dispose();
});
