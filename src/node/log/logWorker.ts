import { parentPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { describeError, SyncError } from '../../core/replication/syncError.ts';
import type { LogAnswer, LogCall } from './logCalls.ts';
import { SqliteLogStore } from './sqliteLogStore.ts';

/** Serves one log to the program that started this worker, one call at a time and in order. */
function serveLog(port: MessagePort): void {
  let store: SqliteLogStore | undefined;
  port.on('message', (call: LogCall) => {
    port.postMessage(answerCall(call));
    if (call.method === 'close') port.close();
  });

  function answerCall(call: LogCall): LogAnswer {
    try {
      return { callId: call.callId, value: run(call) };
    } catch (error) {
      const errorCode = error instanceof SyncError ? error.code : 'log-unavailable';
      const errorMessage =
        error instanceof SyncError ? error.message : `The library's log cannot be used: ${describeError(error)}`;
      return { callId: call.callId, errorCode, errorMessage };
    }
  }

  function run(call: LogCall): unknown {
    if (call.method === 'open') {
      store = new SqliteLogStore(String(call.values[0]));
      return store.state();
    }
    if (store === undefined) throw new SyncError('closed', 'The log is not open.');
    if (call.method === 'close') {
      store.close();
      store = undefined;
      return undefined;
    }
    // The program's side of this border is typed by the same interface, so the values fit the method.
    const methods = store as unknown as Record<string, (...values: readonly unknown[]) => unknown>;
    return methods[call.method]?.(...call.values);
  }
}

if (parentPort !== null) serveLog(parentPort);
