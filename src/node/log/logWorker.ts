import { parentPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { describeError, SyncError } from '../../core/replication/syncError.ts';
import { isDamage, openOrPutAside } from '../damagedDatabase.ts';
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
      const { code, message } = error instanceof SyncError ? error : logError(error);
      return { callId: call.callId, errorCode: code, errorMessage: message };
    }
  }

  function run(call: LogCall): unknown {
    if (call.method === 'open') {
      const [path, isSuspect] = call.values;
      const opened = openOrPutAside(String(path), () => openStore(String(path), isSuspect === true));
      store = opened.database;
      return opened.putAside;
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

function openStore(path: string, isSuspect: boolean): SqliteLogStore {
  const opened = new SqliteLogStore(path);
  try {
    if (isSuspect) opened.check();
    // Where this cannot be read, nothing can be written either.
    opened.state();
    return opened;
  } catch (error) {
    opened.close();
    throw error;
  }
}

function logError(error: unknown): SyncError {
  return isDamage(error)
    ? new SyncError('log-damaged', `The library's log is damaged: ${describeError(error)}`)
    : new SyncError('log-unavailable', `The library's log cannot be used: ${describeError(error)}`);
}

if (parentPort !== null) serveLog(parentPort);
