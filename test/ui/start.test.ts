import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { launchBrowser } from '../harness/browser.ts';
import { projectRoot } from '../harness/paths.ts';
import { processesWith } from '../harness/processTree.ts';
import { untilShown } from '../harness/shown.ts';
import { waitFor } from '../harness/waitFor.ts';

const markVariable = 'API_LIVE_SYNC_START_TEST';

for (const ending of ['Ctrl-C', 'kill -9'] as const) {
  test(`npm start opens two checkouts of the sample API, and after ${ending} no process is left`, async () => {
    const mark = randomUUID();
    // A group of its own, as a terminal gives a command: Ctrl-C goes to all of it.
    const child = spawn(process.execPath, [path.join(projectRoot, 'test', 'harness', 'start.ts')], {
      env: { ...process.env, [markVariable]: mark, API_LIVE_SYNC_VSCODE: 'npm' },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    try {
      const [first, second] = await addresses(child);
      const browser = await launchBrowser();
      try {
        const pages = await Promise.all([browser.newPage(), browser.newPage()]);
        for (const [index, address] of [first, second].entries()) await pages[index]?.goto(address);
        await Promise.all(pages.map((page) => untilShown(page.getByRole('treeitem', { name: 'openapi.yaml' }))));
        const [backend, frontend] = await Promise.all(pages.map(async (page) => page.title()));
        assert.match(backend ?? '', /^backend\b/);
        assert.match(frontend ?? '', /^frontend\b/);
      } finally {
        await browser.close();
      }
      assert.ok(processesWith(markVariable, mark).length > 1);

      const { pid } = child;
      assert.ok(pid);
      const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
      if (ending === 'Ctrl-C') process.kill(-pid, 'SIGINT');
      else process.kill(pid, 'SIGKILL');
      const code = await exited;
      await waitFor('every process to be gone', () => processesWith(markVariable, mark).length === 0);
      if (ending === 'Ctrl-C') assert.equal(code, 0);
      assert.ok(!existsSync(folderOf(first)), 'the copies are deleted');
    } finally {
      for (const pid of processesWith(markVariable, mark)) process.kill(pid, 'SIGKILL');
    }
  });
}

/** The two addresses that it prints. */
async function addresses(child: ChildProcess): Promise<[string, string]> {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return waitFor('two addresses', () => {
    assert.equal(child.exitCode, null, output);
    const [first, second] = output.match(/http:\/\/127\.0\.0\.1:\S+/g) ?? [];
    // The last line comes when both have answered.
    return first !== undefined && second !== undefined && output.includes('Ctrl-C') ? [first, second] : undefined;
  });
}

function folderOf(address: string): string {
  const folder = new URL(address).searchParams.get('folder');
  assert.ok(folder);
  return folder;
}
