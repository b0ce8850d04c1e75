import { parentPort, Worker } from 'node:worker_threads';
import type { Disposable } from '../../core/ports.ts';
import { packTexts, SharedTexts, type TextPlace, unpackTexts } from './sharedTexts.ts';

/** What a worker thread offers: functions by name, whose arguments and results can be structured-cloned. */
export type WorkerFunctions = Readonly<Record<string, (...args: never[]) => unknown>>;

interface Call {
  readonly id: number;
  readonly name: string;
  /** An array of arguments, but for their large texts. */
  readonly args: unknown;
  readonly texts: readonly TextPlace[];
}

/** What the calling side sends. A text comes before the first call that needs it. */
type Request =
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'keep'; readonly id: number; readonly text: string }
  | { readonly kind: 'drop'; readonly ids: readonly number[] };

type Reply =
  | { readonly id: number; readonly value: unknown; readonly texts: readonly TextPlace[] }
  | { readonly id: number; readonly failure: { readonly message: string; readonly code: string | undefined } };

/** The worker did not answer because it is gone. */
export class WorkerGoneError extends Error {
  override readonly name = 'WorkerGoneError';
}

/** The worker took more memory than it may; the call it happened at, and only that, fails with this. */
export class WorkerOutOfMemoryError extends Error {
  override readonly name = 'WorkerOutOfMemoryError';
  readonly code = 'out-of-memory';
}

/** How a worker lives. */
export interface WorkerLife {
  /** Without a call for so long, the thread is ended, and its memory is free; not for one that holds state. */
  readonly idleMs?: number;
  /**
   * So much memory the thread's heap may take. When it runs out, the thread ends, and the calls under way are put to
   * another one, the one that it happened at once more; so only for functions that change nothing.
   */
  readonly maxMemoryMb?: number;
}

/** To be called by a worker's own file: answers calls one after the other, in the order in which they came. */
export function serveWorkerCalls(functions: WorkerFunctions): void {
  const port = parentPort;
  if (port === null) throw new Error('This file runs in a worker thread only.');
  const kept = new Map<number, string>();
  const answer = async (call: Call, args: readonly unknown[]): Promise<Reply> => {
    try {
      const run = Object.hasOwn(functions, call.name) ? functions[call.name] : undefined;
      if (run === undefined) throw new Error(`The worker has no function ${call.name}.`);
      const value = await run(...(args as never[]));
      // What the caller has already is not sent back.
      const own = new Map(call.texts.map(({ id }) => [kept.get(id) ?? '', id]));
      return { id: call.id, ...packTexts(value, (text) => own.get(text)) };
    } catch (error) {
      const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
      return { id: call.id, failure: { message: error instanceof Error ? error.message : String(error), code } };
    }
  };
  let previous: Promise<unknown> = Promise.resolve();
  port.on('message', (request: Request) => {
    if (request.kind === 'keep') {
      kept.set(request.id, request.text);
    } else if (request.kind === 'drop') {
      for (const id of request.ids) kept.delete(id);
    } else {
      const { call } = request;
      const args = unpackTexts({ value: call.args, texts: call.texts }, (id) => kept.get(id)) as readonly unknown[];
      previous = previous.then(() => answer(call, args)).then((reply) => port.postMessage(reply));
    }
  });
}

interface PendingCall {
  readonly name: string;
  readonly args: readonly unknown[];
  /** Whether the memory ran out at it before. */
  readonly isRepeated: boolean;
  /** The large texts that it needs, and their numbers. */
  readonly texts: ReadonlyMap<string, number>;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The calling side of one worker thread: starts it at the first call, and again after it died. */
export class WorkerCalls<Functions extends WorkerFunctions> implements Disposable {
  readonly #file: string | URL;
  readonly #workerData: unknown;
  readonly #pending = new Map<number, PendingCall>();
  #texts = new SharedTexts();
  /** Waits for its turn: a large text takes a turn of its own, so that several of them are no long stretch. */
  #outgoing: Request[] = [];
  #worker: Worker | undefined;
  #nextId = 1;
  #isDisposed = false;
  readonly #life: WorkerLife;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(file: string | URL, workerData?: unknown, life: WorkerLife = {}) {
    this.#file = file;
    this.#workerData = workerData;
    this.#life = life;
  }

  call<Name extends keyof Functions & string>(
    name: Name,
    ...args: Parameters<Functions[Name]>
  ): Promise<Awaited<ReturnType<Functions[Name]>>> {
    if (this.#isDisposed) return Promise.reject(new WorkerGoneError('The worker was let go.'));
    return new Promise((resolve, reject) => {
      this.#send({
        name,
        args,
        isRepeated: false,
        resolve: (value) => resolve(value as Awaited<ReturnType<Functions[Name]>>),
        reject,
      });
    });
  }

  #send(call: Omit<PendingCall, 'texts'>): void {
    clearTimeout(this.#idleTimer);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = this.#nextId++;
    const texts = new Map<string, number>();
    const fresh: Request[] = [];
    const packed = packTexts(call.args, (text) => {
      const known = texts.get(text);
      if (known !== undefined) return known;
      const { id: textId, isNew } = this.#texts.use(text);
      texts.set(text, textId);
      if (isNew) fresh.push({ kind: 'keep', id: textId, text });
      return textId;
    });
    this.#pending.set(id, { ...call, texts });
    worker.ref();
    this.#post(worker, fresh, { kind: 'call', call: { id, name: call.name, args: packed.value, texts: packed.texts } });
  }

  #post(worker: Worker, texts: readonly Request[], call: Request): void {
    const isPosting = this.#outgoing.length > 0;
    this.#outgoing.push(...texts, call);
    if (!isPosting) this.#postNext(worker);
  }

  /** Posts up to the next large text, and goes on in another turn. */
  #postNext(worker: Worker): void {
    if (this.#worker !== worker) return;
    for (let request = this.#outgoing[0]; request !== undefined; request = this.#outgoing[0]) {
      this.#outgoing.shift();
      try {
        worker.postMessage(request);
      } catch (error) {
        // What cannot be sent to a thread is a mistake of the caller's, and of nobody else.
        this.#refuse(worker, request, error);
      }
      if (request.kind !== 'keep') continue;
      setImmediate(() => this.#postNext(worker));
      return;
    }
  }

  #refuse(worker: Worker, request: Request, error: unknown): void {
    const refused = request.kind === 'call' ? this.#pending.get(request.call.id) : undefined;
    if (request.kind !== 'call' || refused === undefined) throw error;
    this.#pending.delete(request.call.id);
    this.#release(worker, refused);
    refused.reject(error instanceof Error ? error : new Error(String(error)));
  }

  #release(worker: Worker, { texts }: PendingCall): void {
    const ids = [...texts.keys()].flatMap((text) => this.#texts.release(text));
    if (ids.length > 0) this.#post(worker, [], { kind: 'drop', ids });
  }

  #waitForIdle(worker: Worker): void {
    if (this.#life.idleMs === undefined) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      if (this.#worker !== worker || this.#pending.size > 0) return;
      this.#worker = undefined;
      this.#forgetTexts();
      // Nothing waits for its end: no call is under way, and the next one starts another.
      void worker.terminate();
    }, this.#life.idleMs);
    // Waiting for this keeps no process alive.
    this.#idleTimer.unref();
  }

  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#idleTimer);
    const worker = this.#worker;
    this.#worker = undefined;
    this.#rejectAll(new WorkerGoneError('The worker was let go.'));
    // Nothing waits for its end: it holds no state that is not on disk.
    if (worker !== undefined) void worker.terminate();
  }

  #start(): Worker {
    const { maxMemoryMb } = this.#life;
    const worker = new Worker(this.#file, {
      workerData: this.#workerData,
      ...(maxMemoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb } }),
    });
    worker.on('message', (reply: Reply) => {
      const waiting = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      // An idle worker does not keep the process alive.
      if (this.#pending.size === 0) worker.unref();
      if (waiting === undefined) return;
      this.#release(worker, waiting);
      if (this.#pending.size === 0) this.#waitForIdle(worker);
      if ('failure' in reply)
        waiting.reject(Object.assign(new Error(reply.failure.message), { code: reply.failure.code }));
      else {
        const texts = new Map([...waiting.texts].map(([text, id]) => [id, text]));
        waiting.resolve(unpackTexts(reply, (id) => texts.get(id)));
      }
    });
    const gone = (reason: string, isOutOfMemory = false): void => {
      // A thread that failed also ends; another one may serve by then.
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      if (isOutOfMemory && this.#life.maxMemoryMb !== undefined) this.#sendAgain();
      else this.#rejectAll(new WorkerGoneError(reason));
    };
    worker.on('error', (error) => {
      const isOutOfMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      gone(`The worker failed: ${error instanceof Error ? error.message : String(error)}`, isOutOfMemory);
    });
    worker.on('exit', () => gone('The worker ended.'));
    worker.unref();
    return worker;
  }

  /** The next thread knows no text. */
  #forgetTexts(): void {
    this.#texts = new SharedTexts();
    this.#outgoing = [];
  }

  /** Calls are answered in their order: the memory ran out at the oldest, and the others only lost their thread. */
  #sendAgain(): void {
    const [first, ...others] = this.#takeAll();
    // What was remembered between the calls may have been too much; a new thread remembers nothing.
    if (first?.isRepeated === false) this.#send({ ...first, isRepeated: true });
    else first?.reject(new WorkerOutOfMemoryError('The worker took more memory than it may.'));
    for (const one of others) this.#send(one);
  }

  #takeAll(): PendingCall[] {
    this.#forgetTexts();
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    return waiting;
  }

  #rejectAll(error: Error): void {
    const waiting = this.#takeAll();
    for (const one of waiting) one.reject(error);
  }
}
