import { serveWorkerCalls } from '../../../src/node/worker/workerCalls.ts';

const remembered: unknown[] = [];

const functions = {
  remember: (count: number) => {
    remembered.push(Array.from({ length: count }, (_, index) => ({ index })));
    return remembered.length;
  },
  swap: (pair: { readonly first: string; readonly second: string }) => ({ first: pair.second, second: pair.first }),
  join: (texts: readonly string[]) => texts.join(''),
  lengths: (texts: readonly string[]) => texts.map((text) => text.length),
  end: () => process.exit(0),
};
export type EchoFunctions = typeof functions;

serveWorkerCalls(functions);
