import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { git } from '../harness/sampleRepository.ts';
import { untilGone, untilShown } from '../harness/shown.ts';
import { waitFor } from '../harness/waitFor.ts';
import { withWorkbench } from '../harness/workbench.ts';
import { shareTwoWindows } from './support/sharedWindows.ts';
import { checkout, SPEC, status, untilEqual } from './support/twoWindows.ts';

const windows = shareTwoWindows();

test('[I2] two repositories with other remotes, branches and paths are joined in two clicks', async () => {
  await withWorkbench({}, async (workbench) => {
    const backend = await checkout(workbench, 'backend', {
      remoteUrl: 'https://example.test/backend.git',
      branch: 'main',
    });
    const frontend = await checkout(workbench, 'frontend', {
      remoteUrl: 'https://example.test/frontend.git',
      branch: 'develop',
    });
    const { rename, mkdir } = await import('node:fs/promises');
    await mkdir(`${frontend}/contracts`);
    await rename(`${frontend}/openapi.yaml`, `${frontend}/contracts/tours.yaml`);
    await rename(`${frontend}/shared`, `${frontend}/contracts/shared`);
    const a = await workbench.openWindow(backend);
    await a.runCommand('API Live Sync: Keep in Step');
    await status(a, /in step/i);
    const b = await workbench.openWindow(frontend);
    await b.runCommand('API Live Sync: Join…');
    await b.quickInput.pick(/Harbor Tours/);
    await b.screenshot('join');
    await b.quickInput.pick(/Join/);
    await Promise.all([status(a, /in step/i), status(b, /in step/i)]);
    await a.editor.open('openapi.yaml');
    await a.editor.replace('openapi.yaml', 'title: Harbor Tours', 'title: Quay Tours');
    await a.editor.save('openapi.yaml');
    await b.editor.waitForDisk('contracts/tours.yaml', 'Quay Tours');
    await b.editor.open('contracts/tours.yaml');
    await b.editor.replace('contracts/tours.yaml', 'name: The booking desk', 'name: The front desk');
    await b.editor.save('contracts/tours.yaml');
    await a.editor.waitForDisk('openapi.yaml', 'The front desk');
  });
});

test(
  '[I2][I3][PUL-01][COM-01] after one yes, a save in one window is on the disk and in the open editor of the other, and nothing else has changed; who pulls it is not refused, and who commits it is told',
  windows.inTurn(async ({ a, b, workbench }) => {
    assert.notEqual(a.host.pid, b.host.pid);
    const before = await a.editor.onDisk(SPEC);
    await b.editor.open(SPEC);
    await a.editor.open(SPEC);
    await a.editor.replace(SPEC, 'title: Harbor Tours', 'title: Quay Tours');
    await a.editor.save(SPEC);
    const expected = before.replace('title: Harbor Tours', 'title: Quay Tours');
    assert.equal(await untilEqual(a, b, (text) => text.includes('Quay Tours')), expected);
    assert.equal(await b.editor.waitForText(SPEC, 'Quay Tours'), expected);
    await waitFor('the editor in B to be saved', async () => !(await b.editor.isDirty(SPEC)));
    await Promise.all([status(a, /in step/i), status(b, /in step/i)]);
    await a.screenshot('window-a');
    await b.screenshot('window-b');

    // A commits it. For git that is in the way in B, whose file has it already.
    const remote = join(workbench.dir, 'remote.git');
    await git(workbench.dir, 'init', '--quiet', '--bare', remote);
    await git(a.folder, 'push', '--quiet', remote, 'main');
    for (const { folder } of [a, b]) {
      await git(folder, 'remote', 'set-url', 'origin', remote);
      await git(folder, 'fetch', '--quiet');
      await git(folder, 'branch', '--quiet', '--set-upstream-to=origin/main');
    }
    await git(a.folder, 'commit', '--quiet', '--all', '--message', 'Quay Tours');
    await git(a.folder, 'push', '--quiet');
    await assert.rejects(git(b.folder, 'pull', '--quiet'), /overwritten by merge/);
    await b.runCommand('API Live Sync: Pull with Synced Changes');
    const pulled = `Pulled 1 commit. ${SPEC} held it already.`;
    await b.notifications.waitFor(pulled);
    await b.screenshot('pulled');
    assert.equal(await git(b.folder, 'status', '--porcelain'), '');
    assert.equal(await b.editor.onDisk(SPEC), expected);

    await a.editor.replace(SPEC, 'name: The booking desk', 'name: The front desk');
    await a.editor.save(SPEC);
    await untilEqual(a, b, (text) => text.includes('The front desk'));
    await git(b.folder, 'add', SPEC);
    const { message } = await b.notifications.waitFor('What you are about to commit includes uncommitted changes from');
    assert.match(message, /\(backend\), in openapi\.yaml\.$/);
    await b.screenshot('commit-notice');
  }),
);

test(
  '[I12][I3] a caret between two distant changes stays where it is, and what the person did before can still be undone',
  windows.withOwnDocument('caret.yaml', async ({ a, b, file }) => {
    await b.editor.open(file);
    await b.editor.replace(file, 'summary: Book a seat on a boat', 'summary: Book a seat on a ship');
    await b.editor.save(file);
    await untilEqual(a, b, (text) => text.includes('on a ship'), file);

    const lines = (await b.editor.text(file)).split('\n');
    const middle = Math.floor(lines.length / 2);
    await b.editor.placeCaret(file, { line: middle, character: 2 });
    const scroll = await b.editor.visibleLines(file);

    await a.editor.open(file);
    const last = lines.findLastIndex((line) => /^ +description: [A-Za-z]/.test(line));
    const [lastLine = ''] = lines.slice(last, last + 1);
    // One save with a new line near the top and a changed line near the end.
    await a.editor.placeCaret(file, { line: 4, character: (lines[4] ?? '').length });
    await a.editor.type(file, '\nx-team: tours');
    await a.editor.placeCaret(file, { line: last + 1, character: lastLine.length });
    await a.editor.type(file, ', really');
    await a.editor.save(file);

    await untilEqual(a, b, (text) => text.includes('x-team: tours') && text.includes(', really'), file);
    await b.editor.waitForText(file, ', really');
    await waitFor('the caret on the same text', async () => {
      const caret = await b.editor.caret(file);
      return caret.line === middle + 1 && caret.character === 2 && caret.selected === 0;
    });
    const after = await b.editor.visibleLines(file);
    assert.ok(Math.abs(after.first - scroll.first) <= 1, `the view did not jump: ${scroll.first} → ${after.first}`);
    await waitFor('the editor in B to be saved', async () => !(await b.editor.isDirty(file)));

    await b.editor.undo(file);
    await b.editor.waitForText(
      file,
      (text) => !text.includes('x-team') && !text.includes(', really') && text.includes('on a ship'),
    );
    await b.editor.undo(file);
    await b.editor.waitForText(file, (text) => !text.includes('on a ship'));
  }),
);

test(
  '[I1][I2][I5] edits of two operations at the same moment end in both files, and no question is asked; who refers to what the other took out of another file is told',
  windows.withOwnDocument('same-moment.yaml', async ({ a, b, file }) => {
    await a.editor.open(file);
    await b.editor.open(file);
    await a.editor.replace(file, 'name: The booking desk', 'name: The front desk');
    await b.editor.replace(file, 'description: On your own machine', 'description: On this machine');
    await Promise.all([a.editor.press('ControlOrMeta+S'), b.editor.press('ControlOrMeta+S')]);
    await untilEqual(a, b, (text) => text.includes('The front desk') && text.includes('On this machine'), file);
    for (const window of [a, b]) {
      await status(window, /in step/i);
      assert.deepEqual(
        (await window.notifications.list())
          .map(({ message }) => message)
          .filter((message) => /conflict/i.test(message)),
        [],
      );
    }

    const shared = 'shared/problem.yaml';
    await b.editor.replace(file, 'shared/geo.yaml#/Position', `${shared}#/FieldProblem`);
    await a.editor.open(shared);
    await a.editor.replace(shared, '#/FieldProblem', '#/FieldFault');
    await a.editor.replace(shared, 'FieldProblem:', 'FieldFault:');
    await a.editor.save(shared);
    await b.editor.waitForDisk(shared, (text) => text.includes('\nFieldFault:'));
    await b.editor.save(file);
    const told = `took FieldProblem out of ${shared} while you referred to it in ${file}.`;
    await b.notifications.waitFor(told);
    await b.screenshot('broken-reference-notice');
    await b.notifications.click(told, 'Show');
    await waitFor('the caret at the reference', async () => (await b.editor.caret(file)).selected > 0);
    await b.runCommand('Problems: Focus on Problems View');
    const problem = b.page.locator('.markers-panel .monaco-list-row').filter({ hasText: told });
    await untilShown(problem);
    await b.screenshot('broken-reference');
    assert.deepEqual(await a.notifications.list(), []);
    await a.editor.replace(shared, 'FieldFault:', 'FieldProblem:');
    await a.editor.save(shared);
    await untilGone(problem);
  }),
);

test(
  '[I8][I1] unsaved typing is never touched: a change merges when it is saved, and what is thrown away is not proposed',
  windows.withOwnDocument('unsaved.yaml', async ({ a, b, file }) => {
    await a.editor.open(file);
    await b.editor.open(file);
    await b.editor.replace(file, 'name: The booking desk', 'name: The back desk');
    const typed = await b.editor.text(file);
    const disk = await b.editor.onDisk(file);
    await a.editor.replace(file, 'title: Harbor Tours', 'title: Quay Tours');
    await a.editor.save(file);
    await status(b, /waiting|save/i);
    assert.equal(await b.editor.text(file), typed);
    assert.equal(await b.editor.onDisk(file), disk, 'nothing is written beneath an unsaved buffer');
    await b.screenshot('window-b-waiting');
    await b.editor.save(file);
    await untilEqual(a, b, (text) => text.includes('The back desk') && text.includes('Quay Tours'), file);
    await status(b, /in step/i);

    await b.editor.replace(file, 'name: The back desk', 'name: Nobody');
    await a.editor.replace(file, 'title: Quay Tours', 'title: Pier Tours');
    await a.editor.save(file);
    await status(b, /waiting|save/i);
    await b.editor.revert(file);
    await untilEqual(a, b, (text) => text.includes('Pier Tours') && text.includes('The back desk'), file);
    await status(b, /in step/i);
    assert.doesNotMatch(await a.editor.onDisk(file), /Nobody/);
  }),
);

test(
  '[I12] each change is in the history of its file, and the version before it can be had again, everywhere',
  windows.withOwnDocument('history.yaml', async ({ a, b, file }) => {
    await a.editor.open(file);
    await a.editor.replace(file, 'title: Harbor Tours', 'title: Quay Tours');
    await a.editor.save(file);
    const changed = await untilEqual(a, b, (text) => text.includes('title: Quay Tours'), file);

    await b.editor.open(file);
    await b.runCommand('API Live Sync: Show History of This File');
    const rows = b.page.locator('.pane', { hasText: 'API History' }).locator('.monaco-list-row');
    const first = rows.filter({ hasText: 'The file came in' });
    await untilShown(first);
    await b.screenshot('history');
    await first.click();
    await untilShown(b.page.locator('.tab.active', { hasText: 'The file came in' }));
    await b.page.keyboard.press('ControlOrMeta+W');
    assert.equal(await b.editor.onDisk(file), changed);

    await b.editor.open(file);
    await first.hover();
    await first.getByRole('button', { name: 'Restore This Version' }).click();
    await b.dialog.click('Restore');
    await untilEqual(a, b, (text) => text.includes('title: Harbor Tours'), file);
  }),
);

test(
  '[I1] the same field changed on both sides is shown in the panel of the later one, and a choice makes both files equal; Undo brings the clash back',
  windows.withOwnDocument('same-field.yaml', async ({ a, b, file }) => {
    await a.editor.open(file);
    await b.editor.open(file);
    await b.editor.replace(file, 'title: Harbor Tours', 'title: Lake Tours');
    await a.editor.replace(file, 'title: Harbor Tours', 'title: Quay Tours');
    await a.editor.save(file);
    await status(b, /waiting|save/i);
    await b.editor.save(file);
    await status(b, /1 conflict/);
    await b.notifications.waitFor(/1 conflict/);
    await b.notifications.click(/1 conflict/, 'Show');
    const panel = await b.webviews.waitFor('.row');
    const text = (await panel.locator('body').innerText()).replaceAll(/\s+/g, ' ');
    assert.match(text, /Lake Tours/);
    assert.match(text, /Quay Tours/);
    for (const theme of ['light', 'dark', 'highContrast', 'highContrastLight'] as const) {
      await b.setTheme(theme);
      await b.screenshot(`panel-real-${theme}`);
    }
    await b.setTheme('light');

    await panel
      .getByRole('button', { name: /Take Theirs/ })
      .first()
      .click();
    await panel
      .getByRole('button', { name: /^Apply/ })
      .first()
      .click();
    await untilEqual(a, b, (text) => text.includes('Quay Tours'), file);
    await status(b, /in step/i);

    await panel.getByRole('button', { name: /Undo/ }).first().click();
    await status(b, /1 conflict/);
    assert.match(await b.editor.onDisk(file), /Lake Tours/);

    await panel
      .getByRole('button', { name: /Keep Yours/ })
      .first()
      .click();
    await panel
      .getByRole('button', { name: /^Apply/ })
      .first()
      .click();
    await untilEqual(a, b, (text) => text.includes('Lake Tours'), file);
    await status(b, /in step/i);

    await panel.getByRole('button', { name: /Undo/ }).first().click();
    await status(b, /1 conflict/);
    await a.editor.waitForDisk(file, 'Quay Tours');
    assert.match(await b.editor.onDisk(file), /Lake Tours/);
  }),
);
