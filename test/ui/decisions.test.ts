import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { git } from '../harness/sampleRepository.ts';
import { untilShown } from '../harness/shown.ts';
import { waitFor } from '../harness/waitFor.ts';
import type { WorkbenchWindow } from '../harness/window.ts';
import { withWorkbench } from '../harness/workbench.ts';
import { shareTwoWindows } from './support/sharedWindows.ts';
import { checkout, REMOTE, SPEC, status, untilEqual } from './support/twoWindows.ts';

const windows = shareTwoWindows();

test('[I8] in Restricted Mode there is no network and nothing is written, and the status bar says so; trusting the folder in the middle of a session ends Restricted Mode; a reload keeps what was answered', async () => {
  await withWorkbench({ workspaceTrust: true }, async (workbench) => {
    const a = await workbench.openWindow(await checkout(workbench, 'backend'));
    await status(a, /restricted/i);
    assert.deepEqual(await readdir(workbench.stateDir), [], 'nothing is written, and nobody is looked for');
    await a.screenshot('restricted');
    await a.trustFolder();
    await waitFor('nothing to say that it is restricted', async () => {
      return !/restricted/i.test((await a.statusBar.find(/API Live Sync/))?.text ?? '');
    });
    await a.runCommand('API Live Sync: Keep in Step');
    await status(a, /in step/i);

    const b = await workbench.openWindow(await checkout(workbench, 'frontend'));
    await b.trustFolder();
    await b.notifications.click('Keep them in step?', 'Never Here');
    await b.reload();
    // Its answer needs the folder's decisions, so whoever would ask again has had them too.
    await b.runCommand('API Live Sync: Show Status');
    await b.quickInput.whenOpen();
    await b.screenshot('never-here');
    await b.quickInput.cancel();
    const shown = await b.notifications.list();
    assert.deepEqual(
      shown.filter(({ message }) => message.includes('Keep them in step?')),
      [],
    );
    await a.editor.open(SPEC);
    await a.editor.replace(SPEC, 'title: Harbor Tours', 'title: Quay Tours');
    await a.editor.save(SPEC);
    await status(a, /in step/i);
    assert.match(await b.editor.onDisk(SPEC), /title: Harbor Tours/);
  });
});

test('[I2] two folders of one window are kept in step with each other, and with a folder that another window has alone', async () => {
  await withWorkbench({ settings: { 'apiLiveSync.autoStart': 'on' } }, async (workbench) => {
    const [backend, frontend, mobile] = [
      await checkout(workbench, 'backend'),
      await checkout(workbench, 'frontend'),
      await checkout(workbench, 'mobile'),
    ];
    const workspaceFile = path.join(workbench.dir, 'both.code-workspace');
    await writeFile(workspaceFile, JSON.stringify({ folders: [{ path: backend }, { path: frontend }] }));
    const both = await workbench.openWindow(backend, { workspaceFile });
    const alone = await workbench.openWindow(mobile);
    await Promise.all([status(both, /in step/i), status(alone, /in step/i)]);
    await alone.editor.open(SPEC);
    await alone.editor.replace(SPEC, 'title: Harbor Tours', 'title: Quay Tours');
    await alone.editor.save(SPEC);
    await waitFor('all three to have it', async () => {
      const texts = await Promise.all(
        [backend, frontend, mobile].map((folder) => readFile(path.join(folder, SPEC), 'utf8')),
      );
      return new Set(texts).size === 1 && texts[0]?.includes('Quay Tours') === true;
    });
    await both.screenshot('two-folders');
  });
});

test(
  '[I1] a git stash in one window takes nothing back in the other: the window asks, and Bring Back brings it back',
  windows.inTurn(async ({ a, b }) => {
    await a.editor.open(SPEC);
    await a.editor.replace(SPEC, 'title: Harbor Tours', 'title: Quay Tours');
    await a.editor.save(SPEC);
    await untilEqual(a, b, (text) => text.includes('Quay Tours'));
    await b.editor.open(SPEC);
    await b.editor.replace(SPEC, 'name: The booking desk', 'name: The front desk');
    await b.editor.save(SPEC);
    const both = await untilEqual(a, b, (text) => text.includes('The front desk'));

    await git(a.folder, 'stash');
    const question = await a.notifications.waitFor('set back to an older version');
    assert.deepEqual(question.buttons, ['Bring Back', 'Keep Mine']);
    await status(a, /1 file behind/);
    await a.screenshot('set-back');
    assert.equal(await b.editor.onDisk(SPEC), both);
    await a.notifications.click('set back to an older version', 'Bring Back');
    assert.equal(await untilEqual(a, b, (text) => text.includes('The front desk')), both);
    assert.equal(await a.editor.waitForText(SPEC, 'The front desk'), both);
    await Promise.all([status(a, /in step/i), status(b, /in step/i)]);
  }),
);

test(
  '[I12] [BLK-08] [BLK-10] what changes many files at once is said once in the other window, and taken back or moved to in one step',
  windows.inTurn(async ({ a, b, workbench }) => {
    const paths = Array.from({ length: 25 }, (_, at) => path.join('apis', `boats-${String(at)}.yaml`));
    const text = (summary: string): string =>
      `openapi: 3.1.0\ninfo: { title: Boats, version: 1.0.0 }\npaths:\n  /boats:\n    get:\n      summary: ${summary}\n`;
    const rewrite = async (summary: string): Promise<void> => {
      await mkdir(path.join(a.folder, 'apis'), { recursive: true });
      await Promise.all(paths.map((file) => writeFile(path.join(a.folder, file), text(summary))));
    };
    const untilAll = (window: WorkbenchWindow, summary: string): Promise<unknown> =>
      waitFor(`all files to say "${summary}"`, async () => {
        // What is not there yet reads as nothing.
        const texts = await Promise.all(paths.map((file) => window.editor.onDisk(file).catch(() => '')));
        return texts.every((one) => one === text(summary));
      });
    await rewrite('List boats');
    await untilAll(b, 'List boats');
    await rewrite('List all boats');
    await untilAll(b, 'List all boats');
    const notice = await b.notifications.waitFor('changed many files at once');
    assert.match(notice.message, /changed many files at once: \d+ documents? changed here/);
    await b.screenshot('many-at-once');
    await b.notifications.click('changed many files at once', 'Take Back for Everybody');
    const count = Number(/(\d+) documents?/.exec(notice.message)?.[1]);
    await waitFor('what the notice spoke of to be taken back in both windows', async () => {
      const all = [a, b].map((window) => Promise.all(paths.map((file) => window.editor.onDisk(file))));
      const back = (await Promise.all(all)).map((texts) => texts.filter((one) => one === text('List boats')).length);
      return back.every((one) => one === count);
    });

    const remote = path.join(workbench.dir, 'remote.git');
    await git(workbench.dir, 'init', '--quiet', '--bare', '--initial-branch=main', remote);
    for (const { folder } of [a, b]) await git(folder, 'config', `url.${remote}.insteadOf`, REMOTE);
    await git(a.folder, 'push', '--quiet', '--set-upstream', 'origin', 'main');
    await git(b.folder, 'fetch', '--quiet');
    await git(b.folder, 'branch', '--quiet', '--set-upstream-to=origin/main');
    await git(a.folder, 'add', 'apis');
    await git(a.folder, 'commit', '--quiet', '--message', 'Boats');
    await git(a.folder, 'push', '--quiet');
    const carol = path.join(workbench.dir, 'carol');
    await git(workbench.dir, 'clone', '--quiet', remote, carol);
    await Promise.all(paths.map((file) => writeFile(path.join(carol, file), text('List fast boats'))));
    await git(carol, '-c', 'user.name=Carol', '-c', 'user.email=carol@localhost', 'commit', '-qam', 'Fast boats');
    await git(carol, 'push', '--quiet');
    const before = await a.editor.onDisk(paths[0] ?? '');
    // By today's date, as a person's git: what git did long ago is not what has changed the files.
    await promisify(execFile)('git', ['pull', '--quiet'], { cwd: a.folder });
    await untilAll(b, 'List fast boats');
    const pulled = await b.notifications.waitFor(/pulled: \d+ documents changed here/);
    assert.deepEqual(pulled.buttons, ['Move to the Same Commit', 'Take Back for Everybody']);
    await b.screenshot('same-commit');
    await b.notifications.click(pulled.message, 'Move to the Same Commit');
    await b.notifications.waitFor('Pulled 2 commits');
    await b.screenshot('same-commit-done');
    assert.equal(await git(b.folder, 'rev-parse', 'HEAD'), await git(a.folder, 'rev-parse', 'HEAD'));
    assert.equal(await git(b.folder, 'status', '--porcelain', 'apis'), '');

    const [shown = ''] = paths;
    await b.editor.open(shown);
    await b.runCommand('API Live Sync: Show History of This File');
    const rows = b.page.locator('.pane', { hasText: 'API History' }).locator('.monaco-list-row');
    const part = rows.filter({ hasText: /pulled: \d+ documents/ });
    await untilShown(part.filter({ hasText: 'GET /boats · summary' }));
    await part.hover();
    await b.screenshot('history-bulk');
    await part.getByRole('button', { name: 'Take All of It Back for Everybody' }).click();
    assert.match(await b.dialog.text(), /Take back \d+ documents for everybody\?[^]*pulled: \d+ documents\./);
    await b.screenshot('history-take-back');
    await b.dialog.click('Take Back');
    await waitFor('it to be taken back in both windows', async () => {
      const both = await Promise.all([a, b].map((window) => window.editor.onDisk(shown)));
      return both.every((one) => one === before);
    });
  }),
);

test(
  '[REN-03] [DEL-01] [DEL-03] [I12] a renamed file takes its open editor along, a deleted one goes and comes back in one step, a folder of files is asked about',
  windows.inTurn(async ({ a, b }) => {
    const [first = '', ...others] = (await readdir(path.join(a.folder, 'shared'))).filter((name) =>
      /\.ya?ml$/.test(name),
    );
    const inShared = (window: WorkbenchWindow, name: string): string => path.join(window.folder, 'shared', name);
    const isThere = (file: string): Promise<boolean> =>
      access(file).then(
        () => true,
        () => false,
      );
    // Who has not taken a document up yet cannot have deleted it: its file would come again.
    await writeFile(inShared(a, first), `# Seen\n${await readFile(inShared(a, first), 'utf8')}`);
    await waitFor('the file to be kept in step', async () =>
      (await readFile(inShared(b, first), 'utf8')).includes('Seen'),
    );
    await b.editor.open(`shared/${first}`);
    const moved = 'moved.yaml';
    await rename(inShared(a, first), inShared(a, moved));
    await waitFor('the new name in B', () => isThere(inShared(b, moved)));
    await waitFor('the editor under its new name', () => b.editor.isOpen(`shared/${moved}`));
    assert.equal(await b.editor.isOpen(`shared/${first}`), false);
    assert.equal(await isThere(inShared(b, first)), false);
    await b.screenshot('renamed');
    await Promise.all([status(a, /in step/i), status(b, /in step/i)]);

    await rm(inShared(a, moved));
    await waitFor('the file to be gone in B', async () => !(await isThere(inShared(b, moved))));
    const notice = await b.notifications.waitFor(`deleted shared/${moved}`);
    assert.deepEqual(notice.buttons, ['Bring Back for Everybody']);
    await b.screenshot('deleted');
    await b.notifications.click(`deleted shared/${moved}`, 'Bring Back for Everybody');
    await waitFor('the file to be back in A', () => isThere(inShared(a, moved)));
    await Promise.all([status(a, /in step/i), status(b, /in step/i)]);

    await rm(path.join(a.folder, 'shared'), { recursive: true });
    await status(a, /2 files gone/);
    await a.screenshot('folder-deleted');
    for (const name of [moved, ...others]) assert.ok(await isThere(inShared(b, name)), name);
  }),
);
