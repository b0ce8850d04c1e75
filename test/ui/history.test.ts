import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SPEC, untilEqual, withTwoWindows } from './support/twoWindows.ts';

test('[I12] each change is in the history of its file, and the version before it can be had again, everywhere', async () => {
  await withTwoWindows(async ({ a, b }) => {
    await a.editor.open(SPEC);
    await a.editor.replace(SPEC, 'title: Harbor Tours', 'title: Quay Tours');
    await a.editor.save(SPEC);
    const changed = await untilEqual(a, b, (text) => text.includes('title: Quay Tours'));

    await b.editor.open(SPEC);
    await b.runCommand('API Live Sync: Show History of This File');
    const rows = b.page.locator('.pane', { hasText: 'API History' }).locator('.monaco-list-row');
    const first = rows.filter({ hasText: 'The file came in' });
    await first.waitFor();
    await b.screenshot('history');
    await first.click();
    await b.page.locator('.tab.active', { hasText: 'The file came in' }).waitFor();
    await b.page.keyboard.press('ControlOrMeta+W');
    assert.equal(await b.editor.onDisk(SPEC), changed);

    await b.editor.open(SPEC);
    await first.hover();
    await first.getByRole('button', { name: 'Restore This Version' }).click();
    await b.dialog.click('Restore');
    await untilEqual(a, b, (text) => text.includes('title: Harbor Tours'));
  });
});
