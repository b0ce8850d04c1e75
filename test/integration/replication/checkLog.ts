import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { LogIndex } from '../../../src/core/ids.ts';
import { SqliteLogStore } from '../../../src/node/log/sqliteLogStore.ts';
import type { PeerProcess } from './peerProcesses.ts';

/** Opens the log as the next leader would, with nobody left alive, and checks it against what the peers were told. */
export function checkLog(
  directory: string,
  peers: readonly PeerProcess[],
): { readonly entries: number; readonly acknowledged: number; readonly runningHash: string } {
  const store = new SqliteLogStore(join(directory, 'log.sqlite'));
  try {
    const { last } = store.state();
    const { entries } = store.entries(0 as LogIndex, { count: 1_000_000, units: Infinity });
    assert.deepEqual(
      entries.map(({ index }) => index),
      entries.map((_, position) => position + 1),
      'no hole',
    );
    const indexes = new Map<string, number[]>();
    for (const { entry, index } of entries) {
      assert.ok(entry !== undefined);
      indexes.set(entry.proposalId, [...(indexes.get(entry.proposalId) ?? []), index]);
    }
    let acknowledged = 0;
    for (const peer of peers) {
      for (const [proposalId, { result, index }] of peer.answered) {
        assert.equal(result, 'committed', `${proposalId} of a document that nobody else touches`);
        assert.deepEqual(
          indexes.get(proposalId),
          [index],
          `${proposalId} is in the log once, where its author was told`,
        );
        acknowledged += 1;
      }
    }
    for (const [proposalId, found] of indexes) assert.equal(found.length, 1, `${proposalId} is in the log once`);
    return { entries: entries.length, acknowledged, runningHash: last.runningHash };
  } finally {
    store.close();
  }
}
