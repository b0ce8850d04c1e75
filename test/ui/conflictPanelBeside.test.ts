import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { Frame } from 'playwright-core';
import { projectRoot } from '../harness/paths.ts';
import { themes, type Theme } from '../harness/settings.ts';
import { waitFor } from '../harness/waitFor.ts';
import type { WorkbenchWindow } from '../harness/window.ts';
import { SPEC, status, untilEqual, withTwoWindows } from './support/twoWindows.ts';

const clashes = [
  { before: 'title: Harbor Tours', mine: 'title: Lake Tours', theirs: 'title: Quay Tours' },
  { before: 'name: The booking desk', mine: 'name: The back desk', theirs: 'name: The front desk' },
  { before: 'description: On your own machine', mine: 'description: At home', theirs: 'description: On this machine' },
] as const;

test('from the place in the file to the panel, edited by hand, previewed, all at once, and an earlier version restored', async () => {
  await withTwoWindows(async ({ a, b }) => {
    await makeClashes(a, b);

    // The file, the view and the place in the editor say that there is something, and lead to it.
    const file = b.page.locator('.explorer-folders-view .monaco-icon-label', { hasText: SPEC }).first();
    await waitFor('the file to be marked', async () =>
      file.evaluate((label) =>
        (globalThis as unknown as { getComputedStyle(of: unknown, part: string): { content: string } })
          .getComputedStyle(label, '::after')
          .content.includes('!'),
      ),
    );
    await b.page.keyboard.press('ControlOrMeta+Home');
    const lens = b.page.locator('.codelens-decoration a', { hasText: 'Resolve: You and' }).first();
    await lens.waitFor();
    const hovers = await b.host.evaluate(async ({ vscode }) => {
      const document = vscode.window.activeTextEditor?.document;
      if (document === undefined) return '';
      const line = document
        .getText()
        .split('\n')
        .findIndex((text) => text.includes('title: Lake Tours'));
      const found: { contents: { value: string }[] }[] = await vscode.commands.executeCommand(
        'vscode.executeHoverProvider',
        document.uri,
        new vscode.Position(line, 4),
      );
      const fixes: { title: string }[] = await vscode.commands.executeCommand(
        'vscode.executeCodeActionProvider',
        document.uri,
        new vscode.Range(line, 4, line, 4),
      );
      return JSON.stringify([
        found.map(({ contents }) => contents.map(({ value }) => value)),
        fixes.map(({ title }) => title),
      ]);
    });
    assert.match(hovers, /Quay Tours/);
    assert.match(hovers, /Resolve Conflict: info · title/);
    await b.screenshot('conflict-marks');
    await lens.click();
    const panel = await b.webviews.waitFor('.row');
    await panel.locator('.row[aria-selected="true"]', { hasText: 'title' }).waitFor();

    await checkAccessibility(b, panel);

    // Written by hand in an editor of its own; wrong first, and said so there.
    await panel.locator('.list').press('e');
    await b.page.locator('.tab.active', { hasText: 'Your Edit' }).waitFor();
    await b.page.keyboard.press('ControlOrMeta+A');
    await b.page.keyboard.type('title: A\ndeprecated: true');
    await waitFor('what is wrong to be marked', async () =>
      b.host.evaluate(({ vscode }) =>
        vscode.languages
          .getDiagnostics()
          .flatMap(([uri, found]) => (uri.scheme === 'api-live-sync-edit' ? found : []))
          .some(({ message }) => message.startsWith('It would also change')),
      ),
    );
    await b.page.keyboard.press('ControlOrMeta+A');
    await b.page.keyboard.type('title: Lake and Quay Tours');
    await b.page.keyboard.press('ControlOrMeta+S');
    await panel.getByText('1 of 3 chosen').waitFor();
    await b.page.keyboard.press('ControlOrMeta+W');

    // The whole result beside the file, before anything is written.
    const before = await b.editor.onDisk(SPEC);
    await panel.locator('.list').press('p');
    await b.page.locator('.tab.active', { hasText: 'Now ↔ With Your Choices' }).waitFor();
    await b.page.locator('.monaco-diff-editor .modified .view-line', { hasText: 'Lake and Quay Tours' }).waitFor();
    assert.equal(await b.editor.onDisk(SPEC), before);
    await b.page.keyboard.press('ControlOrMeta+W');

    const again = await b.webviews.waitFor('.row');
    await again.locator('.list').press('Enter');
    await again.getByText('1 conflict settled. 2 are left.').waitFor();
    await untilEqualTitle(a, b, 'title: Lake and Quay Tours');

    // The rest of the file at once, after a question; one Undo takes it back.
    await again.getByRole('button', { name: 'Take All Theirs' }).click();
    assert.match(await b.dialog.text(), /^Settle 2 conflicts in openapi\.yaml with what is from Sample/);
    await b.dialog.click('Take Theirs');
    await again.getByText('No conflicts. Everything is in step.').waitFor();
    const settled = await untilEqual(
      a,
      b,
      (text) => text.includes('The front desk') && text.includes('On this machine'),
    );
    await again.getByRole('button', { name: 'Undo' }).click();
    await again.getByText('2 conflicts in 1 document').waitFor();
    await again.getByRole('button', { name: 'Take All Theirs' }).click();
    await b.dialog.click('Take Theirs');
    await again.getByText('No conflicts. Everything is in step.').waitFor();

    // Each change is in the history, and the version before it can be had again.
    await b.editor.open(SPEC);
    await b.runCommand('API Live Sync: Show History of This File');
    const rows = b.page.locator('.pane', { hasText: 'API History' }).locator('.monaco-list-row');
    await rows.filter({ hasText: 'The file came in' }).waitFor();
    await b.screenshot('history');
    assert.equal(await b.editor.onDisk(SPEC), settled);
    const first = rows.filter({ hasText: 'The file came in' });
    await first.click();
    await b.page.locator('.tab.active', { hasText: 'The file came in' }).waitFor();
    await b.page.keyboard.press('ControlOrMeta+W');
    await b.editor.open(SPEC);
    await first.hover();
    await first.getByRole('button', { name: 'Restore This Version' }).click();
    await b.dialog.click('Restore');
    await untilEqual(a, b, (text) => text.includes('title: Harbor Tours') && text.includes('The booking desk'));
  });
});

/** No serious finding of axe-core, in any theme, wide, narrow and at 200 %. */
async function checkAccessibility(window: WorkbenchWindow, panel: Frame): Promise<void> {
  const axe = await readFile(path.join(projectRoot, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');
  // By the debugger, as the page's policy lets no script in.
  await panel.evaluate(axe);
  for (const theme of Object.keys(themes) as Theme[]) {
    await window.setTheme(theme);
    await window.screenshot(`panel-${theme}`);
    assert.deepEqual(await seriousFindings(panel), [], theme);
  }
  await window.setTheme('light');
  const size = window.page.viewportSize() ?? { width: 1280, height: 800 };
  for (const [name, zoom, width] of [
    ['narrow', 1, 760],
    ['zoomed', 2, 1280],
  ] as const) {
    await window.page.setViewportSize({ ...size, width });
    await panel.evaluate((factor) => {
      (globalThis as unknown as { document: { body: { style: { zoom: string } } } }).document.body.style.zoom =
        String(factor);
    }, zoom);
    await window.screenshot(`panel-${name}`);
    assert.deepEqual(await seriousFindings(panel), [], name);
  }
  await panel.evaluate(() => {
    (globalThis as unknown as { document: { body: { style: { zoom: string } } } }).document.body.style.zoom = '';
  });
  await window.page.setViewportSize(size);
}

async function seriousFindings(panel: Frame): Promise<string[]> {
  return panel.evaluate(async () => {
    interface Finding {
      id: string;
      impact: string | null;
      nodes: { html: string; failureSummary?: string }[];
    }
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Finding[] }> } };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }) =>
          `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`).join(' | ')}`,
      );
  });
}

async function untilEqualTitle(a: WorkbenchWindow, b: WorkbenchWindow, title: string): Promise<void> {
  await a.editor.waitForDisk(SPEC, title);
  await b.editor.waitForDisk(SPEC, title);
}

async function makeClashes(a: WorkbenchWindow, b: WorkbenchWindow): Promise<void> {
  await a.editor.open(SPEC);
  await b.editor.open(SPEC);
  for (const { before, mine, theirs } of clashes) {
    await b.editor.replace(SPEC, before, mine);
    await a.editor.replace(SPEC, before, theirs);
  }
  await a.editor.save(SPEC);
  await status(b, /waiting/);
  await b.editor.save(SPEC);
  await status(b, /3 conflicts/);
}
