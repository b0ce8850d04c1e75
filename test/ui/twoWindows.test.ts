import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { git } from '../harness/sampleRepository.ts';
import { waitFor } from '../harness/waitFor.ts';
import { withWorkbench } from '../harness/workbench.ts';
import { checkout, SPEC, status, untilEqual, withTwoWindows } from './support/twoWindows.ts';

test('[I2][I3][PUL-01][COM-01] after one yes, a save in one window is on the disk and in the open editor of the other, and nothing else has changed; who pulls it is not refused, and who commits it is told', async () => {
  await withTwoWindows(async ({ a, b, workbench }) => {
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
  });
});

test('[I12][I3] a caret between two distant changes stays where it is, and what the person did before can still be undone', async () => {
  await withTwoWindows(async ({ a, b }) => {
    await b.editor.open(SPEC);
    await b.editor.replace(SPEC, 'summary: Book a seat on a boat', 'summary: Book a seat on a ship');
    await b.editor.save(SPEC);
    await untilEqual(a, b, (text) => text.includes('on a ship'));

    const lines = (await b.editor.text(SPEC)).split('\n');
    const middle = Math.floor(lines.length / 2);
    await b.editor.placeCaret(SPEC, { line: middle, character: 2 });
    const scroll = await b.editor.visibleLines(SPEC);

    await a.editor.open(SPEC);
    const last = lines.findLastIndex((line) => /^ +description: [A-Za-z]/.test(line));
    const [lastLine = ''] = lines.slice(last, last + 1);
    // One save with a new line near the top and a changed line near the end.
    await a.editor.placeCaret(SPEC, { line: 4, character: (lines[4] ?? '').length });
    await a.editor.type(SPEC, '\nx-team: tours');
    await a.editor.placeCaret(SPEC, { line: last + 1, character: lastLine.length });
    await a.editor.type(SPEC, ', really');
    await a.editor.save(SPEC);

    await untilEqual(a, b, (text) => text.includes('x-team: tours') && text.includes(', really'));
    await b.editor.waitForText(SPEC, ', really');
    await waitFor('the caret on the same text', async () => {
      const caret = await b.editor.caret(SPEC);
      return caret.line === middle + 1 && caret.character === 2 && caret.selected === 0;
    });
    const after = await b.editor.visibleLines(SPEC);
    assert.ok(Math.abs(after.first - scroll.first) <= 1, `the view did not jump: ${scroll.first} → ${after.first}`);
    await waitFor('the editor in B to be saved', async () => !(await b.editor.isDirty(SPEC)));

    await b.editor.undo(SPEC);
    await b.editor.waitForText(
      SPEC,
      (text) => !text.includes('x-team') && !text.includes(', really') && text.includes('on a ship'),
    );
    await b.editor.undo(SPEC);
    await b.editor.waitForText(SPEC, (text) => !text.includes('on a ship'));
  });
});

test('[I1][I2][I5] edits of two operations at the same moment end in both files, and no question is asked; who refers to what the other took out of another file is told', async () => {
  await withTwoWindows(async ({ a, b }) => {
    await a.editor.open(SPEC);
    await b.editor.open(SPEC);
    await a.editor.replace(SPEC, 'name: The booking desk', 'name: The front desk');
    await b.editor.replace(SPEC, 'description: On your own machine', 'description: On this machine');
    await Promise.all([a.editor.press('ControlOrMeta+S'), b.editor.press('ControlOrMeta+S')]);
    await untilEqual(a, b, (text) => text.includes('The front desk') && text.includes('On this machine'));
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
    await b.editor.replace(SPEC, 'shared/geo.yaml#/Position', `${shared}#/FieldProblem`);
    await a.editor.open(shared);
    await a.editor.replace(shared, '#/FieldProblem', '#/FieldFault');
    await a.editor.replace(shared, 'FieldProblem:', 'FieldFault:');
    await a.editor.save(shared);
    await b.editor.waitForDisk(shared, (text) => text.includes('\nFieldFault:'));
    await b.editor.save(SPEC);
    const told = `took FieldProblem out of ${shared} while you referred to it in ${SPEC}.`;
    await b.notifications.waitFor(told);
    await b.screenshot('broken-reference-notice');
    await b.notifications.click(told, 'Show');
    await waitFor('the caret at the reference', async () => (await b.editor.caret(SPEC)).selected > 0);
    await b.runCommand('Problems: Focus on Problems View');
    const problem = b.page.locator('.markers-panel .monaco-list-row').filter({ hasText: told });
    await problem.waitFor();
    await b.screenshot('broken-reference');
    assert.deepEqual(await a.notifications.list(), []);
    await a.editor.replace(shared, 'FieldFault:', 'FieldProblem:');
    await a.editor.save(shared);
    await problem.waitFor({ state: 'detached' });
  });
});

test('[I8][I1] unsaved typing is never touched: a change merges when it is saved, and what is thrown away is not proposed', async () => {
  await withTwoWindows(async ({ a, b }) => {
    await a.editor.open(SPEC);
    await b.editor.open(SPEC);
    await b.editor.replace(SPEC, 'name: The booking desk', 'name: The back desk');
    const typed = await b.editor.text(SPEC);
    const disk = await b.editor.onDisk(SPEC);
    await a.editor.replace(SPEC, 'title: Harbor Tours', 'title: Quay Tours');
    await a.editor.save(SPEC);
    await status(b, /waiting|save/i);
    assert.equal(await b.editor.text(SPEC), typed);
    assert.equal(await b.editor.onDisk(SPEC), disk, 'nothing is written beneath an unsaved buffer');
    await b.screenshot('window-b-waiting');
    await b.editor.save(SPEC);
    await untilEqual(a, b, (text) => text.includes('The back desk') && text.includes('Quay Tours'));
    await status(b, /in step/i);

    await b.editor.replace(SPEC, 'name: The back desk', 'name: Nobody');
    await a.editor.replace(SPEC, 'title: Quay Tours', 'title: Pier Tours');
    await a.editor.save(SPEC);
    await status(b, /waiting|save/i);
    await b.editor.revert(SPEC);
    await untilEqual(a, b, (text) => text.includes('Pier Tours') && text.includes('The back desk'));
    await status(b, /in step/i);
    assert.doesNotMatch(await a.editor.onDisk(SPEC), /Nobody/);
  });
});

test('[I1] the same field changed on both sides is shown in the panel of the later one, and a choice makes both files equal; Undo brings the clash back', async () => {
  await withTwoWindows(async ({ a, b }) => {
    await a.editor.open(SPEC);
    await b.editor.open(SPEC);
    await b.editor.replace(SPEC, 'title: Harbor Tours', 'title: Lake Tours');
    await a.editor.replace(SPEC, 'title: Harbor Tours', 'title: Quay Tours');
    await a.editor.save(SPEC);
    await status(b, /waiting|save/i);
    await b.editor.save(SPEC);
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
    await untilEqual(a, b, (file) => file.includes('Quay Tours'));
    await status(b, /in step/i);

    await panel.getByRole('button', { name: /Undo/ }).first().click();
    await status(b, /1 conflict/);
    assert.match(await b.editor.onDisk(SPEC), /Lake Tours/);

    await panel
      .getByRole('button', { name: /Keep Yours/ })
      .first()
      .click();
    await panel
      .getByRole('button', { name: /^Apply/ })
      .first()
      .click();
    await untilEqual(a, b, (file) => file.includes('Lake Tours'));
    await status(b, /in step/i);

    await panel.getByRole('button', { name: /Undo/ }).first().click();
    await status(b, /1 conflict/);
    await a.editor.waitForDisk(SPEC, 'Quay Tours');
    assert.match(await b.editor.onDisk(SPEC), /Lake Tours/);
  });
});

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

test('[I8] in Restricted Mode there is no network and nothing is written, and the status bar says so', async () => {
  await withWorkbench({ workspaceTrust: true }, async (workbench) => {
    const window = await workbench.openWindow(await checkout(workbench, 'backend'));
    await status(window, /restricted/i);
    const { readdir } = await import('node:fs/promises');
    assert.deepEqual(await readdir(workbench.stateDir), []);
    await window.screenshot('restricted');
  });
});
