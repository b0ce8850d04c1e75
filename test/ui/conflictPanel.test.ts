import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frame } from 'playwright-core';
import { waitFor } from '../harness/waitFor.ts';
import type { WorkbenchWindow } from '../harness/window.ts';
import { SPEC, status, untilEqual, withTwoWindows } from './support/twoWindows.ts';

const clashes = [
  { before: 'title: Harbor Tours', mine: 'title: Lake Tours', theirs: 'title: Quay Tours' },
  { before: 'name: The booking desk', mine: 'name: The back desk', theirs: 'name: The front desk' },
  { before: 'description: On your own machine', mine: 'description: At home', theirs: 'description: On this machine' },
] as const;

test('[I1] by keyboard alone: choose, reload in the middle, apply one, see what comes in, apply the rest, undo', async () => {
  await withTwoWindows(async ({ a, b }) => {
    await makeClashes(a, b);
    await b.notifications.waitFor(/3 conflicts/);
    await b.runCommand('API Live Sync: Show Conflicts');
    let panel = await b.webviews.waitFor('.row');
    const disk = await b.editor.onDisk(SPEC);
    await panel.locator('.list:focus').waitFor();

    // The order is that of the labels: contact name, title, server description.
    await b.page.keyboard.press('1');
    await b.page.keyboard.press('F7');
    await b.page.keyboard.press('2');
    await b.page.keyboard.press('ArrowDown');
    await panel.getByText('2 of 3 chosen').waitFor();
    assert.equal(await b.editor.onDisk(SPEC), disk, 'a choice changes nothing until it is applied');

    await untilKept(b, ['apiLiveSync.conflicts', 'theirs']);
    await b.reload();
    panel = await b.webviews.waitFor('.row');
    await panel.getByText('2 of 3 chosen').waitFor();
    await waitFor('the same conflict to be selected', async () => (await selected(panel)).includes('description'));
    assert.deepEqual(
      (await b.notifications.list()).filter(({ message }) => /conflict/.test(message)),
      [],
      'a reload announces nothing twice',
    );

    await panel.locator('.list').focus();
    await b.page.keyboard.press('Shift+F7');
    await b.page.keyboard.press('Enter');
    await panel.getByText('1 conflict settled. 2 are left.').waitFor();
    await b.editor.waitForDisk(SPEC, 'title: Quay Tours');

    // A change that clashes with nothing does not disturb; one more clash is said.
    await a.editor.replace(SPEC, 'description: The real thing', 'description: For guests');
    await a.editor.save(SPEC);
    await b.editor.waitForDisk(SPEC, 'description: For guests');
    await panel.getByText('1 of 2 chosen').waitFor();

    await b.page.keyboard.press('F7');
    await b.page.keyboard.press('2');
    await panel.getByText('2 of 2 chosen').waitFor();
    await panel.getByRole('button', { name: 'Apply All' }).focus();
    await b.page.keyboard.press('Enter');
    await panel.getByText('No conflicts. Everything is in step.').waitFor();
    await untilEqual(a, b, (text) => text.includes('The back desk') && text.includes('On this machine'));
    await status(b, /in step/);

    await panel.getByRole('button', { name: 'Undo' }).focus();
    await b.page.keyboard.press('Enter');
    await panel.getByText('2 conflicts in 1 document').waitFor();
  });
});

test('Open Diff shows both sides in the editor under readable names, and the link leads to the place in the file', async () => {
  await withTwoWindows(async ({ a, b }) => {
    await makeClashes(a, b);
    await b.runCommand('API Live Sync: Show Conflicts');
    const panel = await b.webviews.waitFor('.row');
    await panel.locator('.row', { hasText: 'title' }).click();
    await panel.getByRole('button', { name: 'Open Diff' }).click();
    const tab = b.page.locator('.tab.active', { hasText: /title: Yours ↔ From Sample/ });
    await tab.waitFor();
    await b.page.locator('.monaco-diff-editor .view-line', { hasText: 'Lake' }).first().waitFor();
    await b.page.locator('.monaco-diff-editor .view-line', { hasText: 'Quay' }).first().waitFor();
    await b.page.keyboard.press('ControlOrMeta+W');

    const again = await b.webviews.waitFor('.row');
    await again.getByRole('button', { name: SPEC }).click();
    await waitFor('the caret at the title', async () => {
      const line = await b.host.evaluate(({ vscode }) => {
        const editor = vscode.window.activeTextEditor;
        return editor?.document.lineAt(editor.selection.active.line).text;
      });
      return line?.includes('title: Lake Tours');
    });
  });
});

test('a thousand conflicts are shown within half a second', async () => {
  await withTwoWindows(async ({ b }) => {
    await b.runCommand('API Live Sync: Show Conflicts');
    const panel = await b.webviews.waitFor('.panel');
    const conflicts = Array.from({ length: 1000 }, (_, at) => ({
      key: `key${at}`,
      fingerprint: `${at}`,
      documentKey: `document${Math.floor(at / 150)}`,
      documentName: `services/s${Math.floor(at / 150)}/openapi.yaml`,
      label: `GET /things/${at} · summary`,
      kind: 'edit-edit',
      kindText: 'You and alice both changed this',
      base: `summary: thing ${at}`,
      ours: `summary: my thing ${at}`,
      theirs: `summary: a thing ${at}`,
      theirsName: 'alice',
      canTakeBoth: false,
      theirsAt: Date.now(),
    }));
    const times = await panel.evaluate(
      async (message) => {
        const window = globalThis as unknown as {
          dispatchEvent(event: Event): void;
          requestAnimationFrame(run: () => void): void;
          MessageEvent: new (type: string, init: { data: unknown }) => Event;
          document: { querySelectorAll(selector: string): { length: number } };
        };
        const start = performance.now();
        window.dispatchEvent(new window.MessageEvent('message', { data: message }));
        await new Promise<void>((resolve) => window.requestAnimationFrame(() => setTimeout(resolve, 0)));
        return { shown: performance.now() - start, rows: window.document.querySelectorAll('.row').length };
      },
      { type: 'state', isReady: true, emptyText: '', canUndo: false, conflicts },
    );
    console.log(`1,000 conflicts shown in ${times.shown.toFixed(0)} ms`);
    assert.equal(times.rows, 1000);
    assert.ok(times.shown < 500, `${times.shown} ms`);
    await panel.locator('.list').focus();
    await b.page.keyboard.press('End');
    await panel.locator('.row[aria-selected="true"]', { hasText: '/things/999' }).waitFor();
    await b.screenshot('panel-thousand');
  });
});

/** Both change the same three fields; the clash is in `b`, which saves later. */
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

/** In a browser VS Code keeps what is open every few seconds, and a reload does not wait for it. */
async function untilKept(window: WorkbenchWindow, words: readonly string[]): Promise<void> {
  await waitFor('VS Code to have kept the panel', async () =>
    window.page.evaluate(async (wanted) => {
      interface Result<T> {
        result: T;
        onsuccess: () => void;
        onerror: () => void;
      }
      interface Store {
        getAll(): Result<unknown[]>;
      }
      interface Database {
        objectStoreNames: Iterable<string>;
        transaction(name: string): { objectStore(name: string): Store };
        close(): void;
      }
      const { indexedDB } = globalThis as unknown as {
        indexedDB: { databases(): Promise<{ name: string }[]>; open(name: string): Result<Database> };
      };
      const settle = async <T>(request: Result<T>): Promise<T> =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(new Error('The storage could not be read.'));
        });
      for (const { name } of await indexedDB.databases()) {
        const database = await settle(indexedDB.open(name));
        for (const storeName of database.objectStoreNames) {
          const values = await settle(database.transaction(storeName).objectStore(storeName).getAll());
          const isKept = values.some(
            (value) => typeof value === 'string' && wanted.every((word) => value.includes(word)),
          );
          if (isKept) return true;
        }
        database.close();
      }
      return false;
    }, words),
  );
}

async function selected(panel: Frame): Promise<string> {
  return await panel.locator('.row[aria-selected="true"]').innerText();
}
