import { serveWorkerCalls } from '../../../src/node/worker/workerCalls.ts';

const remembered: unknown[] = [];

const functions = {
  /** In small pieces: a thread that asks for much at once beyond its limit takes its whole process along. */
  remember: (thousands: number) => {
    const thousand = (): readonly object[] => Array.from({ length: 1_000 }, (_, index) => ({ index }));
    remembered.push(Array.from({ length: thousands }, thousand));
    return remembered.length;
  },
  swap: (pair: { readonly first: string; readonly second: string }) => ({ first: pair.second, second: pair.first }),
  join: (texts: readonly string[]) => texts.join(''),
  lengths: (texts: readonly string[]) => texts.map((text) => text.length),
  end: () => process.exit(0),
};
export type EchoFunctions = typeof functions;

serveWorkerCalls(functions);
