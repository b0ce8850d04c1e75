import type { SyncErrorCode } from '../../core/replication/syncError.ts';
import type { SqliteLogStore } from './sqliteLogStore.ts';

/** The methods of the store that may be called from the other thread. */
export type LogMethod = Exclude<keyof SqliteLogStore, 'close'> | 'open' | 'close';

/** One call from the program to the log's worker. `open` takes the path, and whether the file has called itself damaged. */
export interface LogCall {
  readonly callId: number;
  readonly method: LogMethod;
  readonly values: readonly unknown[];
}

/** What came of it; errors cross the border as code and words, because an error's class does not. */
export type LogAnswer =
  | { readonly callId: number; readonly value: unknown }
  | { readonly callId: number; readonly errorCode: SyncErrorCode; readonly errorMessage: string };
