import { checkLog } from '../../integration/replication/checkLog.ts';
import type { PeerGroup } from '../../integration/replication/peerProcesses.ts';
import { until } from '../../unit/replication/fakes.ts';

/** Ends all peers, checks the log against what each was told, and waits until all of them, started anew, stand at its end. */
export async function untilAllStand(
  group: PeerGroup,
  names: readonly string[],
): Promise<{ readonly entries: number; readonly acknowledged: number }> {
  await Promise.all(group.peers.map((peer) => peer.kill()));
  const { entries, acknowledged, runningHash } = checkLog(group.directory, group.peers);
  const last = await Promise.all(names.map((name) => group.start(name)));
  await until(() => last.every(({ connection }) => connection === 'connected'), 'all are connected again');
  await until(() => last.every((peer) => peer.stands(entries, runningHash)), 'all stand at the end of the log', 60_000);
  return { entries, acknowledged };
}
