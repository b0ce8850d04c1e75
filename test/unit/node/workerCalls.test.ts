import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  MAX_KEPT_LENGTH,
  MIN_SHARED_LENGTH,
  packTexts,
  SharedTexts,
  unpackTexts,
} from '../../../src/node/worker/sharedTexts.ts';
import type { Worker } from 'node:worker_threads';
import { WorkerCalls, WorkerGoneError, WorkerOutOfMemoryError } from '../../../src/node/worker/workerCalls.ts';
import type { EchoFunctions } from './echoWorker.ts';

const calls = new WorkerCalls<EchoFunctions>(new URL('./echoWorker.ts', import.meta.url));
after(() => calls.dispose());

const large = (letter: string): string => letter.repeat(MIN_SHARED_LENGTH);

test('[I8] large texts arrive where they belong, and come back, however often they are sent', async () => {
  const [a, b] = [large('a'), large('b')];
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(await calls.call('swap', { first: a, second: b }), { first: b, second: a });
    assert.deepEqual(await calls.call('swap', { first: a, second: 'small' }), { first: 'small', second: a });
    assert.equal(await calls.call('join', [a, 'x', a, b]), `${a}x${a}${b}`);
  }
});

test('[I8] calls are answered with their own texts though large ones take turns of their own', async () => {
  const texts = ['c', 'd', 'e', 'f'].map(large);
  const answers = await Promise.all([
    calls.call('join', texts.slice(0, 2)),
    calls.call('join', ['small']),
    calls.call('join', texts.slice(1)),
  ]);
  assert.deepEqual(answers, [texts.slice(0, 2).join(''), 'small', texts.slice(1).join('')]);
});

test('[I8] between two large texts the calling thread does other things', async () => {
  const turns: string[] = [];
  const answer = calls.call('lengths', [large('g'), large('h'), large('i')]).then(() => turns.push('answer'));
  for (let turn = 0; turn < 3; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    turns.push('turn');
  }
  await answer;
  assert.deepEqual(turns.slice(0, 2), ['turn', 'turn']);
});

test('[I8] a thread that ended is started again and gets the texts again', async () => {
  const text = large('j');
  assert.equal(await calls.call('join', [text]), text);
  await assert.rejects(calls.call('end'), WorkerGoneError);
  assert.equal(await calls.call('join', [text]), text);
});

test('[I8] what cannot be sent fails by itself', async () => {
  const unsendable = { first: large('k'), second: (() => 0) as unknown as string };
  await assert.rejects(calls.call('swap', unsendable), { name: 'DataCloneError' });
  assert.equal(await calls.call('join', ['still', ' there']), 'still there');
});

test('[I10] each text is handed over once; the oldest that nobody needs are dropped beyond the bound', () => {
  const shared = new SharedTexts();
  const third = (letter: string): string => letter.repeat(Math.floor(MAX_KEPT_LENGTH / 3));
  const [a, b, c, d] = [third('a'), third('b'), third('c'), third('d')];
  const first = shared.use(a);
  assert.equal(first.isNew, true);
  assert.deepEqual(shared.use(a), { id: first.id, isNew: false });
  shared.use(b);
  const { id } = shared.use(c);
  shared.use(d);
  assert.deepEqual(shared.release(c), [id]);
  assert.deepEqual(shared.release(b), []);
  assert.equal(shared.use(b).isNew, false);
  assert.equal(shared.use(c).isNew, true);
  // Two calls need it, and one of them is done.
  shared.release(a);
  assert.equal(shared.use(a).isNew, false);
});

test('[merge] packing copies only what holds a large text, and leaves data that looks like a place alone', () => {
  const text = large('x');
  const value = { a: [1, { text, small: 'y' }], texts: [{ path: ['a'], id: 1 }], map: new Map([['k', text]]) };
  const packed = packTexts(value, () => 7);
  assert.deepEqual(packed.texts, [{ path: ['a', '1', 'text'], id: 7 }]);
  assert.equal(value.a[1], value.a[1]);
  assert.deepEqual(
    unpackTexts(structuredClone(packed), () => text),
    value,
  );
  assert.equal(packTexts({ a: 'small' }, () => 7).texts.length, 0);
  assert.equal(
    unpackTexts(
      packTexts(text, () => 7),
      () => text,
    ),
    text,
  );
});

test('[I10] a thread that nobody calls for a while is ended with all that it remembers, and the next call starts another', async (t) => {
  const idleMs = 60_000;
  const idle = new WorkerCalls<EchoFunctions>(new URL('./echoWorker.ts', import.meta.url), undefined, { idleMs });
  t.after(() => idle.dispose());
  const started: Worker[] = [];
  const count = (worker: Worker): number => started.push(worker);
  process.on('worker', count);
  t.after(() => process.off('worker', count));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const text = large('a');
  assert.deepEqual(await idle.call('lengths', [text]), [text.length]);
  t.mock.timers.tick(idleMs - 1);
  assert.deepEqual(await idle.call('lengths', [text]), [text.length]);
  t.mock.timers.tick(idleMs - 1);
  assert.equal(started.length, 1);
  const [first] = started;
  const ended = new Promise((resolve) => first?.once('exit', resolve));
  t.mock.timers.tick(1);
  await ended;
  // The new thread gets the text again.
  assert.deepEqual(await idle.call('lengths', [text]), [text.length]);
  assert.equal(started.length, 2);
});

test('[I10] where the memory runs out by what a thread remembers, the call is done by another one; by itself, it fails', async (t) => {
  const bounded = new WorkerCalls<EchoFunctions>(new URL('./echoWorker.ts', import.meta.url), undefined, {
    maxMemoryMb: 32,
  });
  t.after(() => bounded.dispose());
  const [some, tooMany] = [80, 3_000];
  const counts: number[] = [];
  // The thread forgets when it ends, and then only.
  while (counts.at(-1) !== 1 || counts.length === 1) counts.push(await bounded.call('remember', some));
  assert.ok(counts.length > 2);
  await assert.rejects(bounded.call('remember', tooMany), WorkerOutOfMemoryError);
  assert.equal(await bounded.call('remember', some), 1);
});
