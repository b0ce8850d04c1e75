/**
 * What can go wrong outside of a program's control while a library is kept in step. Each has a code that a test or a
 * log can be searched for, and one plain sentence as message.
 */
export type SyncErrorCode =
  /** The Node that runs us has no `node:sqlite`. */
  | 'sqlite-missing'
  /** The log was written by a newer release; opening it could lose what that release knows. */
  | 'log-schema-newer'
  /** The log's file could not be opened, read or written (full disk, no permission). */
  | 'log-unavailable'
  /** The log's file is damaged: it is put aside when it is opened next ([REC-11]). */
  | 'log-damaged'
  /** What was asked for lies before the compaction horizon. */
  | 'log-compacted'
  /** Somebody with a newer term writes this log now. */
  | 'stale-term'
  /** The log moved on under a writer that believed to be the only one, or is not at its place any more. */
  | 'log-moved'
  | 'library-missing'
  | 'library-damaged'
  | 'not-authorized'
  | 'connection-failed'
  | 'closed';

/** An expected failure of the outside world, with a code. */
export class SyncError extends Error {
  override readonly name = 'SyncError';
  readonly code: SyncErrorCode;

  constructor(code: SyncErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The words of whatever was thrown, for a log line. */
export function describeError(error: unknown): string {
  if (error instanceof Error) {
    const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
    return `${code}${error.message}`;
  }
  return String(error);
}
