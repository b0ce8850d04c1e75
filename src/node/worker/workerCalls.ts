import { parentPort, Worker } from 'node:worker_threads';
import type { Disposable } from '../../core/ports.ts';

/** What a worker thread offers: functions by name, whose arguments and results can be structured-cloned. */
export type WorkerFunctions = Readonly<Record<string, (...args: never[]) => unknown>>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: { readonly message: string; readonly code: string | undefined } };

/** The worker did not answer because it is gone. */
export class WorkerGoneError extends Error {
  override readonly name = 'WorkerGoneError';
}

/** To be called by a worker's own file: answers calls one after the other, in the order in which they came. */
export function serveWorkerCalls(functions: WorkerFunctions): void {
  const port = parentPort;
  if (port === null) throw new Error('This file runs in a worker thread only.');
  const answer = async (call: Call): Promise<Reply> => {
    try {
      const run = Object.hasOwn(functions, call.name) ? functions[call.name] : undefined;
      if (run === undefined) throw new Error(`The worker has no function ${call.name}.`);
      return { id: call.id, value: await run(...(call.args as never[])) };
    } catch (error) {
      const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
      return { id: call.id, failure: { message: error instanceof Error ? error.message : String(error), code } };
    }
  };
  let previous: Promise<unknown> = Promise.resolve();
  port.on('message', (call: Call) => {
    previous = previous.then(() => answer(call)).then((reply) => port.postMessage(reply));
  });
}

/** The calling side of one worker thread: starts it at the first call, and again after it died. */
export class WorkerCalls<Functions extends WorkerFunctions> implements Disposable {
  readonly #file: string | URL;
  readonly #workerData: unknown;
  readonly #pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #worker: Worker | undefined;
  #nextId = 1;
  #isDisposed = false;

  constructor(file: string | URL, workerData?: unknown) {
    this.#file = file;
    this.#workerData = workerData;
  }

  call<Name extends keyof Functions & string>(
    name: Name,
    ...args: Parameters<Functions[Name]>
  ): Promise<Awaited<ReturnType<Functions[Name]>>> {
    if (this.#isDisposed) return Promise.reject(new WorkerGoneError('The worker was let go.'));
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: (value) => resolve(value as Awaited<ReturnType<Functions[Name]>>), reject });
      worker.ref();
      worker.postMessage({ id, name, args } satisfies Call);
    });
  }

  dispose(): void {
    this.#isDisposed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#rejectAll(new WorkerGoneError('The worker was let go.'));
    // Nothing waits for its end: it holds no state that is not on disk.
    if (worker !== undefined) void worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#file, { workerData: this.#workerData });
    worker.on('message', (reply: Reply) => {
      const waiting = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      // An idle worker does not keep the process alive.
      if (this.#pending.size === 0) worker.unref();
      if (waiting === undefined) return;
      if ('failure' in reply)
        waiting.reject(Object.assign(new Error(reply.failure.message), { code: reply.failure.code }));
      else waiting.resolve(reply.value);
    });
    const gone = (reason: string): void => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#rejectAll(new WorkerGoneError(reason));
    };
    worker.on('error', (error) => gone(`The worker failed: ${error instanceof Error ? error.message : String(error)}`));
    worker.on('exit', () => gone('The worker ended.'));
    worker.unref();
    return worker;
  }

  #rejectAll(error: Error): void {
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const one of waiting) one.reject(error);
  }
}
