import type { LinkStatus } from '../core/replication/libraryLink.ts';
import { SyncError } from '../core/replication/syncError.ts';

type LinkProblem = NonNullable<LinkStatus['problem']>;

const PROTOCOL_PROBLEMS: ReadonlyMap<string, LinkProblem> = new Map([
  [
    'protocolTooOld',
    { code: 'protocol-too-old', message: 'Another window runs a newer release of API Live Sync. Update this one.' },
  ],
  [
    'protocolTooNew',
    { code: 'protocol-too-new', message: 'Another window runs an older release of API Live Sync. Reload it.' },
  ],
]);

/** What a person can do about a leader that does not speak with us; undefined where a connection ended for another reason. */
export function protocolProblem(reason: string): LinkProblem | undefined {
  return PROTOCOL_PROBLEMS.get(reason);
}

/** Errors that trying again cannot mend. */
export function isHopeless(error: unknown): boolean {
  return (
    error instanceof SyncError &&
    ['sqlite-missing', 'log-schema-newer', 'library-missing', 'library-damaged'].includes(error.code)
  );
}

/** Why the library cannot be reached, for a person. */
export function linkProblem(error: unknown): LinkProblem {
  if (error instanceof SyncError) return { code: error.code, message: error.message };
  return { code: 'log-unavailable', message: 'The library cannot be used on this machine at the moment.' };
}
