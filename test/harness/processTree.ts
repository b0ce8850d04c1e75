import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Names a folder that the supervisor deletes when all is ended, so that it does not stay when the one who made it was killed. */
export const temporaryDirVariable = 'API_LIVE_SYNC_HARNESS_TEMPORARY';

/** Whether any process of the group is left. */
function groupIsAlive(groupId: number): boolean {
  try {
    process.kill(-groupId, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** What a server's processes carry in their environment, with a value of their own for each server. */
export const runVariable = 'API_LIVE_SYNC_HARNESS_RUN';

/**
 * The processes that have a variable in their environment: everything that was started with it, however deep and whoever is its parent
 * now. Linux only; elsewhere the list is empty.
 */
export function processesWith(variable: string, value: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        // A process that has ended but was not yet collected by its parent has an empty environment.
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${variable}=${value}`);
      } catch {
        return false; // ended in between, or not ours to look at
      }
    });
}

/** Ends a process group and what left the group but belongs to the same run: first politely, then by force. */
export async function endProcessTree(
  groupId: number,
  run: string | undefined,
  graceMilliseconds: number,
): Promise<void> {
  const stragglers = (): number[] =>
    run === undefined
      ? []
      : processesWith(runVariable, run).filter((pid) => pid !== process.pid && pid !== process.ppid);
  const signalAll = (signal: NodeJS.Signals): void => {
    sendSignal(-groupId, signal);
    for (const pid of stragglers()) sendSignal(pid, signal);
  };
  signalAll('SIGTERM');
  const deadline = Date.now() + graceMilliseconds;
  while (Date.now() < deadline) {
    if (!groupIsAlive(groupId) && stragglers().length === 0) return;
    await delay(20);
  }
  signalAll('SIGKILL');
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone, which is what was wanted.
  }
}
