import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogIndex, PeerId } from '../../../src/core/ids.ts';
import type { LogEntry } from '../../../src/core/replication/entry.ts';
import { EntryPump, type EntryPage, type EntrySource } from '../../../src/core/replication/entryPump.ts';
import type { HeadsReason } from '../../../src/core/replication/libraryLink.ts';
import { authorOf, createFakeAmbient, createOf, editOf, FakeTime, RecordingSink, settle } from './fakes.ts';

const PAGE = 100;
const term = { number: 1, leaderId: 'peer-leader' as PeerId };

/** The entries of a log in which one document grows; two logs differ by their words. */
function makeEntries(count: number, word = 'step'): LogEntry[] {
  return Array.from({ length: count }, (_, position) => {
    const text = (at: number): string => `${word} ${String(at)}\n`;
    const proposal =
      position === 0
        ? createOf('w', 'doc-1', 'a.yaml', text(1))
        : editOf('w', 'doc-1', text(position), text(position + 1));
    return { ...proposal, index: (position + 1) as LogIndex, term, author: authorOf('writer'), at: position };
  });
}

/** A leader whose answers are given by hand. */
class HandSource implements EntrySource {
  readonly asked: LogIndex[] = [];
  readonly #answers: ((page: EntryPage | HeadsReason | undefined) => void)[] = [];
  readonly #entries: readonly LogEntry[];

  constructor(entries: readonly LogEntry[]) {
    this.#entries = entries;
  }

  requestEntries(since: LogIndex): Promise<EntryPage | HeadsReason | undefined> {
    this.asked.push(since);
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  /** Answers what was asked as the one with this number; undefined: it never gets an answer. */
  async answer(number: number, isLost = false): Promise<void> {
    const since = this.asked[number];
    assert.ok(since !== undefined, `nothing was asked as number ${String(number)}`);
    const rest = this.#entries.slice(since);
    this.#answers[number]?.(isLost ? undefined : { entries: rest.slice(0, PAGE), hasMore: rest.length > PAGE });
    await settle();
  }

  readonly fetchHeads = (): Promise<undefined> => Promise.resolve(undefined);
  readonly fetchHashes = (): Promise<undefined> => Promise.resolve(undefined);
  readonly fetchSkeleton = (): Promise<undefined> => Promise.resolve(undefined);
  readonly fetchRevision = (): Promise<undefined> => Promise.resolve(undefined);
  readonly acknowledge = (): void => undefined;
}

function start(): {
  pump: EntryPump;
  sink: RecordingSink;
  time: FakeTime;
  connect: (source: EntrySource, last: number) => Promise<void>;
} {
  const sink = new RecordingSink();
  const time = new FakeTime();
  const nobody = (): void => assert.fail('nothing is wrong');
  const pump = new EntryPump({
    sink,
    ambient: createFakeAmbient(time),
    onQuarantined: nobody,
    onMoved: nobody,
    onSinkFailed: nobody,
  });
  const connect = async (source: EntrySource, last: number): Promise<void> => {
    pump.connect(source, { index: last as LogIndex, runningHash: '' }, 'onLog', pump.position);
    await settle();
  };
  return { pump, sink, time, connect };
}

const indexes = (sink: RecordingSink): number[] => sink.applied.map(({ index }) => index);
const counted = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

test('[REP-12] while a page is taken in the next one is on its way, and no more than that', async () => {
  const { sink, connect } = start();
  const gate = Promise.withResolvers<undefined>();
  sink.beforeApply = () => gate.promise.then(() => undefined);
  const source = new HandSource(makeEntries(350));
  await connect(source, 350);
  await source.answer(0);
  assert.deepEqual([source.asked, indexes(sink)], [[0, 100], []]);
  await source.answer(1);
  assert.deepEqual(source.asked, [0, 100]);
  gate.resolve(undefined);
  await settle();
  assert.deepEqual([source.asked, sink.index], [[0, 100, 200], 200]);
  await source.answer(2);
  await source.answer(3);
  assert.deepEqual([source.asked, indexes(sink)], [[0, 100, 200, 300], counted(350)]);
});

test('[REP-19] a page that was asked for before its turn and never came is asked for again', async () => {
  const { sink, connect } = start();
  const source = new HandSource(makeEntries(150));
  await connect(source, 150);
  await source.answer(0);
  await source.answer(1, true);
  assert.deepEqual([source.asked, sink.index], [[0, 100, 100], 100]);
  await source.answer(2);
  assert.deepEqual(indexes(sink), counted(150));
});

test('[REP-21] a page that was asked of the last leader is nothing to go by under the next', async () => {
  const { pump, sink, connect } = start();
  const gate = Promise.withResolvers<undefined>();
  sink.beforeApply = ({ index }) => (index < 100 ? undefined : gate.promise.then(() => undefined));
  const entries = makeEntries(150);
  const first = new HandSource([...entries.slice(0, 100), ...makeEntries(150, 'lost').slice(100)]);
  await connect(first, 150);
  await first.answer(0);
  await first.answer(1);
  pump.disconnect();
  const second = new HandSource(entries);
  await connect(second, 150);
  gate.resolve(undefined);
  await settle();
  for (let number = 0; number < second.asked.length; number++) await second.answer(number);
  assert.deepEqual([indexes(sink), [...sink.texts.values()]], [counted(150), ['step 150\n']]);
});

test('[I8] however much there is to take in, whoever shares the thread gets a turn in between', async () => {
  const { pump, sink, time, connect } = start();
  sink.beforeApply = () => {
    time.now += 8;
  };
  const source = new HandSource(makeEntries(5));
  await connect(source, 5);
  await source.answer(0);
  assert.deepEqual(indexes(sink), [1, 2]);
  await time.advance(0);
  assert.deepEqual(indexes(sink), [1, 2, 3, 4]);
  pump.dispose();
  await time.advance(1_000);
  assert.deepEqual([indexes(sink), time.pendingTimers], [[1, 2, 3, 4], 0]);
});
