import { formatOfPath } from '../core/openapi/documentFormat.ts';
import type { FolderDiagnostics, FolderStatus } from './folderSession.ts';
import type { ServingReplica } from './servingReplica.ts';

/** What of a folder's status may leave the machine; see `FolderDiagnostics`. @param serving undefined where this window does not serve it. */
export function folderDiagnostics(
  status: Omit<FolderStatus, 'hasConsent'>,
  serving: ServingReplica | undefined,
): FolderDiagnostics {
  const { phase, role, connection, peers, documents, conflictCount, problem } = status;
  const link = serving?.link.status;
  const problemCode = problem?.code ?? link?.problem?.code;
  return {
    phase,
    connection,
    ...(role === undefined ? {} : { role }),
    ...(link?.term === undefined ? {} : { term: link.term.number }),
    ...(link === undefined ? {} : { lastIndex: link.lastIndex }),
    ...(problemCode === undefined ? {} : { problemCode }),
    isHindered: serving?.replica.hindrance !== undefined,
    peerCount: peers.length,
    conflictCount,
    documents: documents.map(({ path, state, conflictCount: conflicts, problem: itsProblem }) => ({
      format: formatOfPath(path),
      state,
      conflictCount: conflicts,
      ...(itsProblem === undefined ? {} : { problemCode: itsProblem.code }),
    })),
    ...(serving === undefined ? {} : { metrics: serving.metrics() }),
  };
}
