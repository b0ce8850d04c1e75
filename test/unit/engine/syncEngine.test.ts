import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SyncJobAttempt, SyncJobPriority } from '../../../src/core/engine/syncJob.ts';
import { SeededRandom } from '../../simulation/seededRandom.ts';
import { done, EngineWorld, serverDown } from './engineWorld.ts';

test('[ENG] jobs that came together begin in the order of their priorities', async () => {
  const world = new EngineWorld({ maxConcurrency: 1 });
  await world.engine.startSync();
  for (const [sourceId, priority] of [
    ['low', 'low'],
    ['medium', 'medium'],
    ['high', 'high'],
    ['high2', 'high'],
  ] as const)
    await world.engine.addSyncJob(world.job(sourceId, priority));
  await world.time.advance(1_000);
  assert.deepEqual(world.order, ['high', 'high2', 'medium', 'low']);
});

test('[ENG] a low job is not starved by high ones that keep coming', async () => {
  const world = new EngineWorld({ maxConcurrency: 1 });
  world.durationOf = () => 100;
  await world.engine.startSync();
  await world.engine.addSyncJob(world.job('low', 'low'));
  for (let second = 0; second < 60; second += 1) {
    // More than can be done: the queue only grows.
    for (let one = 0; one < 12; one += 1) await world.engine.addSyncJob(world.job(`high-${second}-${one}`, 'high'));
    await world.time.advance(1_000);
  }
  const low = world.runs.find(({ job }) => job.sourceId === 'low');
  assert.ok(low !== undefined && low.begunAt < 45_000, `the low job began at ${low?.begunAt ?? 'no time'}`);
});

test('[ENG] never two jobs on one document, others beside them', async () => {
  const world = new EngineWorld({ maxConcurrency: 8 });
  world.needsOf = (sourceId) => ({ documents: [sourceId.charAt(0)], server: undefined, after: [] });
  await world.engine.startSync();
  for (const sourceId of ['a1', 'a2', 'a3', 'b1', 'c1']) await world.engine.addSyncJob(world.job(sourceId));
  await world.time.advance(1_000);
  assert.equal(world.runs.length, 5);
  assert.equal(world.mostAtOnce, 3);
  const ofA = world.runs.filter(({ job }) => job.sourceId.startsWith('a'));
  for (const [index, run] of ofA.entries()) {
    const before = ofA[index - 1];
    assert.ok(before === undefined || (before.endedAt ?? Infinity) <= run.begunAt, 'two jobs on one document overlap');
  }
});

test('[ENG] a removed job holds its document until its attempt has really ended', async () => {
  const world = new EngineWorld();
  world.needsOf = () => ({ documents: ['one'], server: undefined, after: [] });
  world.abortMs = 200;
  await world.engine.startSync();
  const job = world.job('first');
  await world.engine.addSyncJob(job);
  await world.time.advance(5);
  await world.engine.addSyncJob(world.job('second'));
  await world.engine.removeSyncJob(job.id);
  await world.time.advance(1_000);
  assert.deepEqual(world.order, ['first', 'second']);
  assert.equal(world.mostAtOnce, 1);
  assert.equal(world.engine.getSyncStatus().metrics.totalSyncs, 1);
});

test('[ENG] a source waits for the due ones that it comes after, but not for one that only waits for a retry, nor in a circle', async () => {
  const world = new EngineWorld({ maxConcurrency: 8 });
  const after: Record<string, readonly string[]> = { root: ['part'], x: ['y'], y: ['x'], other: ['broken'] };
  world.needsOf = (sourceId) => ({ documents: [sourceId], server: undefined, after: after[sourceId] ?? [] });
  world.outcomeOf = ({ sourceId }) => (sourceId === 'broken' ? { ...serverDown, isServerDown: false } : done);
  await world.engine.startSync();
  for (const sourceId of ['root', 'other']) await world.engine.addSyncJob(world.job(sourceId, 'high'));
  for (const sourceId of ['part', 'broken', 'x', 'y']) await world.engine.addSyncJob(world.job(sourceId, 'low'));
  await world.time.advance(100);
  const begunAt = (sourceId: string): number => world.runs.find(({ job }) => job.sourceId === sourceId)?.begunAt ?? -1;
  const endedAt = (sourceId: string): number => world.runs.find(({ job }) => job.sourceId === sourceId)?.endedAt ?? -1;
  assert.ok(begunAt('root') >= endedAt('part') && endedAt('part') > 0);
  assert.ok(begunAt('other') > 0, 'a job waits for one that is not due');
  assert.ok(begunAt('x') > 0 && begunAt('y') > 0, 'a circle waits for ever');
});

test('[ENG] retries back off with a cap, and end', async () => {
  const world = new EngineWorld({ retryFirstDelayMs: 100, retryMaxDelayMs: 400 });
  world.outcomeOf = () => ({ kind: 'failed', canRetry: true, isServerDown: false });
  const attempts: SyncJobAttempt[] = [];
  world.engine.onDidAttempt((attempt) => attempts.push(attempt));
  await world.engine.startSync();
  await world.engine.addSyncJob(world.job('one', 'high', 4));
  await world.time.advance(10_000);
  const waits = world.runs.slice(1).map(({ begunAt }, index) => begunAt - (world.runs[index]?.endedAt ?? 0));
  assert.deepEqual(waits, [75, 150, 300, 300]);
  assert.deepEqual(
    attempts.map(({ job }) => `${job.status} ${job.retryCount}`),
    ['pending 1', 'pending 2', 'pending 3', 'pending 4', 'failed 4'],
  );
  const { metrics, jobs } = world.engine.getSyncStatus();
  assert.deepEqual(jobs, []);
  assert.deepEqual([metrics.totalSyncs, metrics.successfulSyncs, metrics.failedSyncs], [1, 0, 1]);
});

test('[ENG] what cannot succeed is not tried again', async () => {
  const world = new EngineWorld();
  world.outcomeOf = () => ({ kind: 'failed', canRetry: false, isServerDown: false });
  await world.engine.startSync();
  await world.engine.addSyncJob(world.job('one'));
  await world.time.advance(60_000);
  assert.equal(world.runs.length, 1);
});

test('[ENG] a dead server is asked by one job at a time, and all of its jobs go on when it is back', async () => {
  const world = new EngineWorld({ maxConcurrency: 4, retryFirstDelayMs: 500, retryMaxDelayMs: 30_000 });
  let isUp = false;
  world.needsOf = (sourceId) => ({ documents: [sourceId], server: 'http://localhost:1', after: [] });
  world.outcomeOf = () => (isUp ? done : serverDown);
  await world.engine.startSync();
  for (let one = 0; one < 50; one += 1) await world.engine.addSyncJob(world.job(`s${one}`, 'medium', 100));
  await world.time.advance(60_000);
  const inFirstMinute = world.runs.length;
  assert.ok(inFirstMinute < 20, `a dead server was asked ${inFirstMinute} times in a minute`);
  isUp = true;
  await world.time.advance(31_000);
  assert.equal(world.engine.getSyncStatus().metrics.successfulSyncs, 50);
});

test('[ENG] nobody waits out a delay that was meant for a dead server when it is back', async () => {
  const delays = { retryFirstDelayMs: 300_000, retryMaxDelayMs: 600_000, circuitOpenMs: 1_000 };
  const world = new EngineWorld(delays);
  let isUp = false;
  world.needsOf = (sourceId) => ({ documents: [sourceId], server: 'http://localhost:1', after: [] });
  world.outcomeOf = () => (isUp ? done : serverDown);
  await world.engine.startSync();
  for (let one = 0; one < 10; one += 1) await world.engine.addSyncJob(world.job(`s${one}`));
  await world.time.advance(500);
  assert.ok(world.engine.getSyncStatus().jobs.some(({ retryCount }) => retryCount > 0));
  isUp = true;
  await world.time.advance(10_000);
  assert.equal(world.engine.getSyncStatus().metrics.successfulSyncs, 10);
});

test('[ENG] who has seen that a server is back need not wait for the end of any delay', async () => {
  const delays = { retryFirstDelayMs: 300_000, retryMaxDelayMs: 600_000, circuitFailures: 1, circuitOpenMs: 300_000 };
  const world = new EngineWorld(delays);
  let isUp = false;
  world.needsOf = (sourceId) => ({ documents: [sourceId], server: 'http://localhost:1', after: [] });
  world.outcomeOf = () => (isUp ? done : serverDown);
  await world.engine.startSync();
  for (const sourceId of ['tried', 'waiting', 'waiting2', 'waiting3', 'waiting4', 'waiting5'])
    await world.engine.addSyncJob(world.job(sourceId));
  await world.time.advance(1_000);
  isUp = true;
  world.engine.serverIsBack('http://localhost:1');
  await world.time.advance(1_000);
  assert.equal(world.engine.getSyncStatus().metrics.successfulSyncs, 6);
});

test('[ENG] pause begins nothing and ends nothing; resume goes on', async () => {
  const world = new EngineWorld({ maxConcurrency: 2 });
  await world.engine.startSync();
  for (let one = 0; one < 6; one += 1) await world.engine.addSyncJob(world.job(`s${one}`));
  await world.time.advance(5);
  await world.engine.pauseSync();
  await world.time.advance(10_000);
  assert.equal(world.runs.length, 2);
  assert.equal(world.engine.getSyncStatus().metrics.successfulSyncs, 2);
  assert.equal(world.engine.getSyncStatus().state, 'paused');
  await world.engine.resumeSync();
  await world.time.advance(10_000);
  assert.equal(world.engine.getSyncStatus().metrics.successfulSyncs, 6);
});

test('[ENG] one sync serves everybody who asks for the same source before it begins', async () => {
  const world = new EngineWorld();
  await world.engine.startSync();
  await world.engine.addSyncJob(world.job('one', 'low'));
  await world.engine.addSyncJob(world.job('one', 'high'));
  assert.equal(world.engine.getSyncStatus().jobs[0]?.priority, 'high');
  await world.time.advance(5);
  // The first runs; what it reads may be old already.
  await world.engine.addSyncJob(world.job('one', 'low'));
  await world.time.advance(1_000);
  assert.equal(world.runs.length, 2);
});

test('[ENG] jobs that have not ended go on after a restart, with the retries that they had', async () => {
  const world = new EngineWorld({ maxConcurrency: 1, retryFirstDelayMs: 20_000 });
  world.outcomeOf = ({ sourceId }) => (sourceId === 'failing' ? serverDown : done);
  world.durationOf = ({ sourceId }) => (sourceId === 'slow' ? 60_000 : 10);
  await world.engine.startSync();
  for (const sourceId of ['failing', 'slow', 'waiting']) await world.engine.addSyncJob(world.job(sourceId));
  await world.time.advance(5_000);
  await world.engine.stopSync();
  assert.equal(world.engine.getSyncStatus().metrics.uptime, 0);
  const next = new EngineWorld({}, structuredClone(world.stored));
  next.time.now = world.time.now;
  await next.engine.startSync();
  assert.deepEqual(
    next.engine.getSyncStatus().jobs.map(({ sourceId, retryCount, status }) => `${sourceId} ${retryCount} ${status}`),
    ['slow 0 pending', 'waiting 0 pending', 'failing 1 pending'],
  );
  await next.time.advance(60_000);
  assert.equal(next.engine.getSyncStatus().metrics.successfulSyncs, 3);
});

test('[ENG] a job that throws counts as failed and keeps nobody else from running', async () => {
  const world = new EngineWorld();
  world.outcomeOf = ({ sourceId }) => {
    if (sourceId === 'bad') throw new Error('unexpected');
    return done;
  };
  await world.engine.startSync();
  for (const sourceId of ['bad', 'good']) await world.engine.addSyncJob(world.job(sourceId, 'high', 0));
  await world.time.advance(1_000);
  const { metrics } = world.engine.getSyncStatus();
  assert.deepEqual([metrics.successfulSyncs, metrics.failedSyncs], [1, 1]);
  assert.equal(world.logger.lines.length, 1);
});

test('[ENG] a wrong configuration is refused and changes nothing', async () => {
  const world = new EngineWorld();
  const before = world.engine.getConfig();
  await assert.rejects(world.engine.updateConfig({ ...before, maxConcurrency: 0 }));
  assert.deepEqual(world.engine.getConfig(), before);
  await world.engine.updateConfig({ ...before, maxConcurrency: 9 });
  assert.equal(world.engine.getConfig().maxConcurrency, 9);
});

test('[ENG] 1,000 jobs of mixed priority: order, parallelism, retries, pause, removal, and metrics that equal what happened', async () => {
  const random = new SeededRandom(1);
  const world = new EngineWorld({ maxConcurrency: 6, retryFirstDelayMs: 200, retryMaxDelayMs: 2_000 });
  const priorities: readonly SyncJobPriority[] = ['high', 'medium', 'low'];
  world.durationOf = () => 1 + Math.floor(random.fraction() * 80);
  world.outcomeOf = ({ sourceId }, attempt) =>
    Number(sourceId.slice(1)) % 7 === 0 && attempt < 3
      ? { kind: 'failed', canRetry: true, isServerDown: false }
      : Number(sourceId.slice(1)) % 50 === 1
        ? { kind: 'failed', canRetry: false, isServerDown: false }
        : done;
  world.needsOf = (sourceId) => ({
    documents: [`document-${Number(sourceId.slice(1)) % 100}`],
    server: undefined,
    after: [],
  });
  const attempts: SyncJobAttempt[] = [];
  world.engine.onDidAttempt((attempt) => attempts.push(attempt));
  await world.engine.startSync();
  const ids: string[] = [];
  for (let one = 0; one < 1_000; one += 1) {
    const job = world.job(`s${one}`, priorities[Math.floor(random.fraction() * 3)] ?? 'low');
    ids.push(job.id);
    await world.engine.addSyncJob(job);
    if (one === 500) await world.time.advance(500);
  }
  // Twenty that have not begun are taken back.
  const waiting = world.engine.getSyncStatus().jobs.filter(({ status }) => status === 'pending');
  const removed = new Set(waiting.slice(-20).map(({ id }) => id));
  for (const id of removed) await world.engine.removeSyncJob(id);
  await world.time.advance(1_000);
  await world.engine.pauseSync();
  await world.time.advance(200);
  const paused = world.runs.length;
  await world.time.advance(5_000);
  assert.equal(world.runs.length, paused);
  await world.engine.resumeSync();
  await world.time.advance(600_000);

  const ended = attempts.filter(({ job }) => job.status !== 'pending');
  const { metrics, jobs } = world.engine.getSyncStatus();
  assert.deepEqual(jobs, []);
  assert.equal(ended.length, 1_000 - removed.size);
  assert.equal(metrics.totalSyncs, ended.length);
  assert.equal(metrics.successfulSyncs, ended.filter(({ outcome }) => outcome.kind === 'done').length);
  assert.equal(metrics.failedSyncs, ended.filter(({ outcome }) => outcome.kind === 'failed').length);
  const mean = ended.reduce((sum, { durationMs }) => sum + durationMs, 0) / ended.length;
  assert.ok(Math.abs(metrics.averageSyncTime - mean) < 0.001);
  assert.equal(attempts.length, world.runs.length);
  assert.ok(!world.runs.some(({ job }) => removed.has(job.id)));
  assert.equal(world.mostAtOnce, 6);
  assert.deepEqual([metrics.activeJobs, metrics.queueLength], [0, 0]);
  assert.equal(world.time.pendingTimers, 0);
  // No two on one document overlap.
  const byDocument = Map.groupBy(world.runs, ({ job }) => Number(job.sourceId.slice(1)) % 100);
  for (const runs of byDocument.values())
    for (const [index, run] of runs.entries())
      assert.ok(index === 0 || (runs[index - 1]?.endedAt ?? Infinity) <= run.begunAt);
  // Whoever is more urgent has waited less.
  const meanBegin = (priority: SyncJobPriority): number => {
    const firsts = ids
      .slice(501)
      .flatMap((id) => world.runs.find(({ job }) => job.id === id && job.priority === priority) ?? []);
    return firsts.reduce((sum, { begunAt }) => sum + begunAt, 0) / firsts.length;
  };
  assert.ok(meanBegin('high') < meanBegin('medium') && meanBegin('medium') < meanBegin('low'));
});
