import { WorkerMerger } from '../../src/node/documents/workerMerger.ts';
import { diffSplices } from '../../src/core/merge/splices.ts';
import { threeWayMerge } from '../../src/core/merge/threeWayMerge.ts';
import { checkDocument } from '../../src/core/openapi/checkDocument.ts';

/**
 * What merging, checking and comparing cost on the calling thread, and what the way to the worker and back costs; the
 * limits of `WorkerMerger` come from here. `node test/bench/documentWorker.ts`; `first` is the first of its kind in the
 * process, which is what a person meets after a start.
 */
function spec(length: number, title: string): string {
  let text = `openapi: 3.1.0\ninfo:\n  title: ${title}\n  version: 1.0.0\npaths:\n`;
  for (let at = 0; text.length < length; at++) {
    text += `  /things${at}:\n    get:\n      operationId: thing${at}\n      summary: Thing ${at}   # a comment\n      responses:\n        '200': { description: OK }\n`;
  }
  return text;
}

function report(what: string, times: readonly number[]): void {
  const sorted = times.slice(1).sort((a, b) => a - b);
  const ms = (value: number | undefined): string => (value ?? 0).toFixed(1);
  console.log(
    `${what}: first ${ms(times[0])}, median ${ms(sorted[sorted.length >> 1])}, slowest ${ms(sorted.at(-1))} ms`,
  );
}

async function measure(what: string, work: () => unknown): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < 21; round++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  report(what, times);
}

function inputOf(inAll: number): { base: string; ours: string; theirs: string } {
  const base = spec(inAll / 3, 'Base');
  return { base, ours: base.replace('Thing 1 ', 'Mine '), theirs: base.replace('Base', 'Theirs') };
}

const merger = new WorkerMerger(new URL('../../src/node/documents/documentWorker.ts', import.meta.url));
const start = performance.now();
await merger.warmUp();
console.log(`starting and warming the worker: ${(performance.now() - start).toFixed(0)} ms, off the calling thread`);
for (const inAll of [4_000, 24_000]) {
  await measure(`merge of ${inAll} characters in all, calling thread`, () => threeWayMerge(inputOf(inAll), 'yaml'));
  await measure(`check of ${inAll} characters, calling thread`, () => checkDocument(spec(inAll, 'Base'), 'yaml'));
}
await measure('merge of 4800 characters in all, worker and back', () => merger.merge(inputOf(4_800), 'yaml'));
await measure('the way to the worker and back alone', () => merger.operationsOf([]));
for (const inAll of [200_000, 960_000]) {
  const [before, after] = [spec(inAll / 2, 'Base'), spec(inAll / 2, 'Theirs').replaceAll('Thing 7', 'Mine')];
  await measure(`diff of ${inAll} characters in all, calling thread`, () => diffSplices(before, after));
}
merger.dispose();
