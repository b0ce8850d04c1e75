import type { PeerId, RevisionHash } from '../../core/ids.ts';

/**
 * What sources know of the library that their folder is in.
 * - `none`: the folder is in none at the moment: what is shared is its own;
 * - `starting`: it is not known yet who leads.
 */
export type SourceLibrary = { readonly kind: 'none' | 'starting' } | JoinedLibrary;

export interface JoinedLibrary {
  readonly kind: 'joined';
  /** The folder of the library's log on this machine. */
  readonly directory: string;
  readonly peerId: PeerId;
  /** Undefined while nobody leads. */
  readonly leaderId: PeerId | undefined;
  /** Name of the folder that the leader serves, where it is known. */
  readonly leaderName: string | undefined;
  /** Where a file of the folder is in the library; undefined where it has no place there. */
  readonly libraryPathOf: (path: string) => string | undefined;
  /** Whether this window's copy of a file has all that the library has. */
  readonly isCaughtUp: (path: string) => boolean;
  /** The revision that the library and the folder's file last agreed on, as far as this window knows. */
  readonly agreedHash: (path: string) => RevisionHash | undefined;
}
