import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, test } from 'node:test';
import type { LogIndex } from '../../../src/core/ids.ts';
import type { Proposal } from '../../../src/core/replication/entry.ts';
import { TransactionManager } from '../../../src/core/replication/transactionManager.ts';
import { LogFile } from '../../../src/node/log/logFile.ts';
import { LOG_SCHEMA_VERSION } from '../../../src/node/log/sqliteLogSchema.ts';
import { SqliteReplicatedLog } from '../../../src/node/log/sqliteReplicatedLog.ts';
import { authorOf, createFakeAmbient, createOf, editOf, FakeTime, hashOf } from './fakes.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'als-log-'));
  cleanups.push(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return join(directory, 'log.sqlite');
}

async function openLog(path: string): Promise<SqliteReplicatedLog> {
  const log = await SqliteReplicatedLog.open({ path });
  cleanups.push(() => log.close());
  return log;
}

async function openManager(path: string): Promise<TransactionManager> {
  const log = await openLog(path);
  return await TransactionManager.open({
    log,
    leaderId: authorOf('alice').peerId,
    ambient: createFakeAmbient(new FakeTime()),
  });
}

const WHOLE = { count: 100, units: Infinity };

test('[ELE-07] a log that a newer release wrote is never opened, and stays as it is', async () => {
  const path = newPath();
  await (await openLog(path)).close();
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA user_version = ${String(LOG_SCHEMA_VERSION + 1)}`);
  database.close();
  await assert.rejects(SqliteReplicatedLog.open({ path }), { code: 'log-schema-newer' });
  const after = new DatabaseSync(path);
  assert.equal(after.prepare('PRAGMA user_version').get()?.['user_version'], LOG_SCHEMA_VERSION + 1);
  after.close();
});

test('[BLK-06] only a log that holds bulks is one that the release before leaves alone', async () => {
  const path = newPath();
  const log = await openLog(path);
  const version = (): unknown => {
    const database = new DatabaseSync(path, { readOnly: true });
    const row = database.prepare('PRAGMA user_version').get();
    database.close();
    return row?.['user_version'];
  };
  const manager = await TransactionManager.open({
    log,
    leaderId: authorOf('alice').peerId,
    ambient: createFakeAmbient(new FakeTime()),
  });
  await manager.append(createOf('a', 'doc-1', 'a.yaml', 'one\n'), authorOf('alice'), manager.term);
  assert.equal(version(), 1);
  const { proposalId, docId, baseHash, hash, patch } = editOf('a', 'doc-1', 'one\n', 'two\n');
  assert.ok(baseHash !== undefined && hash !== undefined);
  const documents = [{ proposalId, docId, baseHash, hash, patch }];
  await manager.appendBulk({ reason: 'generator', documents }, authorOf('alice'), manager.term);
  assert.equal(version(), 2);
  await manager.compact({ olderThan: Infinity, keepUnits: Infinity });
  assert.equal(version(), 1);
  assert.equal((await log.headText(docId))?.text, 'two\n');
  await manager.close();
});

test('[I6] every commit is on disk before it is answered: the writer uses WAL with a full sync', async () => {
  const path = newPath();
  const manager = await openManager(path);
  await manager.append(createOf('a', 'doc-1', 'a.yaml', 'one\n'), authorOf('alice'), manager.term);
  // Another connection sees what is in the file, not what the worker holds in memory.
  const reader = new DatabaseSync(path, { readOnly: true });
  assert.equal(reader.prepare('SELECT count(*) AS count FROM entries').get()?.['count'], 1);
  assert.equal(reader.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal');
  reader.close();
});

test(
  '[I6] nothing is acknowledged in a log that was deleted, or put back from a backup, while it is open',
  { skip: process.platform === 'win32' },
  async () => {
    for (const isPutBack of [false, true]) {
      const path = newPath();
      const manager = await openManager(path);
      await manager.append(createOf('a', 'doc-1', 'a.yaml', 'one\n'), authorOf('alice'), manager.term);
      const lost: string[] = [];
      manager.onDidLoseLog(({ code }) => lost.push(code));
      copyFileSync(path, `${path}.backup`);
      for (const end of ['', '-wal', '-shm']) rmSync(path + end);
      if (isPutBack) copyFileSync(`${path}.backup`, path);
      const edit = editOf('a', 'doc-1', 'one\n', 'two\n');
      await assert.rejects(manager.append(edit, authorOf('alice'), manager.term), { code: 'log-moved' });
      assert.deepEqual(lost, ['log-moved']);
    }
  },
);

test('[REP-07] entry and head are one transaction: where the head cannot be written, there is no entry either', async () => {
  const path = newPath();
  const manager = await openManager(path);
  const append = (proposal: Proposal) => manager.append(proposal, authorOf('alice'), manager.term);
  await append(createOf('a', 'doc-1', 'a.yaml', 'one\n'));
  const database = new DatabaseSync(path);
  for (const [name, event] of [
    ['refuse_new', 'INSERT'],
    ['refuse_next', 'UPDATE'],
  ])
    database.exec(`CREATE TRIGGER ${name} BEFORE ${event} ON documents BEGIN SELECT RAISE(ABORT, 'no head'); END`);
  await assert.rejects(append(editOf('a', 'doc-1', 'one\n', 'two\n')));
  database.exec('DROP TRIGGER refuse_new; DROP TRIGGER refuse_next');
  database.close();
  await manager.close();
  // As the next process finds it.
  const next = await openManager(path);
  assert.equal(next.position.index, 1);
  assert.deepEqual(
    next.heads().map(({ index, hash }) => [index, hash]),
    [[1, hashOf('one\n')]],
  );
  await next.close();
});

test('[REP-16] what was committed is there after the log is opened again', async () => {
  const path = newPath();
  const before = await openManager(path);
  await before.append(createOf('a', 'doc-1', 'a.yaml', 'one\n'), authorOf('alice'), before.term);
  const { position } = before;
  await before.close();
  const after = await openManager(path);
  assert.deepEqual(after.position, position);
  assert.ok(after.term.number > before.term.number);
  assert.deepEqual(await after.append(editOf('a', 'doc-1', 'one\n', 'two\n'), authorOf('alice'), after.term), {
    kind: 'committed',
    index: 2,
  });
});

test('[REP-17] one damaged entry does not keep the others from being read', async () => {
  const path = newPath();
  const manager = await openManager(path);
  await manager.append(createOf('a', 'doc-1', 'a.yaml', 'one\n'), authorOf('alice'), manager.term);
  await manager.append(editOf('a', 'doc-1', 'one\n', 'two\n'), authorOf('alice'), manager.term);
  await manager.append(createOf('a', 'doc-2', 'b.yaml', 'other\n'), authorOf('alice'), manager.term);
  await manager.close();
  const database = new DatabaseSync(path);
  database.exec(`UPDATE entries SET body = substr(body, 1, 40) WHERE idx = 2`);
  database.close();
  const log = await openLog(path);
  const { entries } = await log.entries(0 as LogIndex, WHOLE);
  assert.deepEqual(
    entries.map(({ index, entry }) => [index, entry?.kind === 'bulk' ? 'bulk' : entry?.docId]),
    [
      [1, 'doc-1'],
      [2, undefined],
      [3, 'doc-2'],
    ],
  );
});

test('[I10] only the user can read the log', { skip: process.platform === 'win32' }, async () => {
  const path = newPath();
  const manager = await openManager(path);
  await manager.append(createOf('a', 'doc-1', 'a.yaml', 'one\n'), authorOf('alice'), manager.term);
  for (const file of [path, `${path}-wal`, `${path}-shm`]) assert.equal(statSync(file).mode & 0o077, 0, file);
});

test('[REP-09] after the log is closed, everything that is asked of it is refused', async () => {
  const log = await openLog(newPath());
  await log.close();
  await log.close();
  await assert.rejects(log.state(), { code: 'closed' });
});

/** A log of some pages, closed, so that all of it is in its file. */
async function writeLog(): Promise<string> {
  const path = newPath();
  const manager = await openManager(path);
  const text = 'x'.repeat(50_000);
  await manager.append(createOf('replica-1', 'doc-1', 'a.yaml', text), authorOf('alice'), manager.term);
  await manager.close();
  return path;
}

/** All but the first page reads as a disk leaves it that has lost it. */
function loseAllButTheFirstPage(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0, PAGE_BYTES);
  writeFileSync(path, bytes);
}

const PAGE_BYTES = 4096;

test('[REC-11] [I10] a log whose file is no database is put aside, and a new one begins', async () => {
  const path = await writeLog();
  const rubbish = 'rubbish '.repeat(2_000);
  writeFileSync(path, rubbish);
  const log = await openLog(path);
  assert.equal((await log.state()).last.index, 0);
  assert.match(log.putAside ?? '', /log\.sqlite\.damaged-\d{4}-\d\d-\d\dT/);
  assert.equal(readFileSync(log.putAside ?? '', 'utf8'), rubbish);
});

test('[REC-11] damage that is found while a log is open ends it, and a new one begins when it is opened again', async () => {
  const path = await writeLog();
  const putAside: string[] = [];
  const file = new LogFile({ path }, (aside) => putAside.push(aside));
  const log = await file.open();
  cleanups.push(() => log.close());
  loseAllButTheFirstPage(path);
  await assert.rejects(log.entries(0 as LogIndex, WHOLE), { code: 'log-damaged' });
  await log.whenStopped();
  const next = await file.open();
  cleanups.push(() => next.close());
  assert.equal((await next.state()).last.index, 0);
  assert.equal(putAside.length, 1);
});

test('[REC-11] a log that has called itself damaged, and is sound when it is read as a whole, stays', async () => {
  const path = await writeLog();
  const file = new LogFile({ path }, () => assert.fail('nothing is put aside'));
  const log = await file.open();
  cleanups.push(() => log.close());
  const sound = readFileSync(path);
  loseAllButTheFirstPage(path);
  await assert.rejects(log.entries(0 as LogIndex, WHOLE), { code: 'log-damaged' });
  await log.whenStopped();
  writeFileSync(path, sound);
  const next = await file.open();
  cleanups.push(() => next.close());
  assert.equal((await next.state()).last.index, 1);
});

test('[REC-11] a log that somebody else has locked is not damaged', async () => {
  const path = await writeLog();
  const other = new DatabaseSync(path);
  cleanups.push(() => other.close());
  other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  await assert.rejects(SqliteReplicatedLog.open({ path }), { code: 'log-unavailable' });
  other.exec('ROLLBACK');
  assert.deepEqual(
    readdirSync(dirname(path)).filter((name) => name.includes('damaged')),
    [],
  );
});
