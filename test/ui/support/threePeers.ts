import { spawn } from 'node:child_process';
import path from 'node:path';
import { HeadlessPeer } from '../../integration/support/headlessPeer.ts';
import { projectRoot } from '../../harness/paths.ts';
import { waitFor } from '../../harness/waitFor.ts';
import type { WorkbenchWindow } from '../../harness/window.ts';
import { withWorkbench, type Workbench, type WorkbenchOptions } from '../../harness/workbench.ts';
import { checkout, status } from './twoWindows.ts';

/** A person with a window, and two others who are there without one. */
export interface ThreePeers {
  readonly bob: WorkbenchWindow;
  readonly alice: HeadlessPeer;
  readonly carol: HeadlessPeer;
  readonly workbench: Workbench;
}

/** The documents of the sample API. */
const DOCUMENT_COUNT = 3;

/** Three clones of one repository, in step: two served without an editor, one in a window where somebody said yes. */
export async function withThreePeers(
  body: (peers: ThreePeers) => Promise<void>,
  options: WorkbenchOptions = {},
): Promise<void> {
  await withWorkbench(options, async (workbench) => {
    const peers: HeadlessPeer[] = [];
    const join = async (name: string, folder: string): Promise<HeadlessPeer> => {
      const peer = serve(await checkout(workbench, folder), name, workbench.stateDir);
      peers.push(peer);
      await peer.untilInStep(DOCUMENT_COUNT);
      return peer;
    };
    try {
      const alice = await join('alice', 'backend');
      const [carol, bob] = await Promise.all([
        join('carol', 'docs'),
        checkout(workbench, 'frontend').then((folder) => workbench.openWindow(folder)),
      ]);
      await bob.notifications.waitFor('Keep them in step?');
      await bob.notifications.click('Keep them in step?', 'Keep in Step');
      await status(bob, /[Ii]n step/);
      await body({ bob, alice, carol, workbench });
    } finally {
      await Promise.all(peers.map((peer) => peer.end()));
    }
  });
}

/** Waits until all three have the same text on the disk, and gives it back. */
export async function untilAllEqual(
  { bob, alice, carol }: ThreePeers,
  file: string,
  condition: (text: string) => boolean,
): Promise<string> {
  return waitFor(`${file} to be the same everywhere, with what is expected in it`, async () => {
    const [one, ...others] = await Promise.all([bob.editor.onDisk(file), alice.read(file), carol.read(file)]);
    return others.every((other) => other === one) && condition(one) ? one : undefined;
  });
}

/** Replaces what stands exactly once in a text. */
export function replaceOnce(text: string, before: string, after: string): string {
  const [head, tail, ...more] = text.split(before);
  if (head === undefined || tail === undefined || more.length > 0)
    throw new Error(`"${before}" is not exactly once in the text.`);
  return head + after + tail;
}

function serve(folder: string, name: string, stateDir: string): HeadlessPeer {
  const cli = path.join(projectRoot, 'dist', 'cli.js');
  const child = spawn(
    process.execPath,
    [cli, 'serve', folder, '--keep-in-step', '--name', name, '--state-dir', stateDir],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_NO_WARNINGS: '1' },
    },
  );
  return new HeadlessPeer(folder, child);
}
