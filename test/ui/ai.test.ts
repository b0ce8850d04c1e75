import assert from 'node:assert/strict';
import { glob, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Frame } from 'playwright-core';
import { AiServer, fallsSilent, fails, proposes, streams } from '../harness/aiServer.ts';
import { type ModelPlay, SECRET_DETAIL } from '../harness/modelPlay.ts';
import { untilGone, untilShown } from '../harness/shown.ts';
import type { WorkbenchWindow } from '../harness/window.ts';
import { goOnCommand, playCommand, requestsCommand } from '../harness/modelCommands.ts';
import { focusList } from './support/panelKeys.ts';
import { aiCases, goodAnswer } from './support/aiCases.ts';
import { SPEC, status, untilEqual, withTwoWindows } from './support/twoWindows.ts';

let server: AiServer;
before(async () => {
  server = await AiServer.start();
});
after(async () => server.close());

const KEY = 'sk-never-in-a-log';

/** Whom the panel asks, and how a test says what it answers. */
interface Provider {
  readonly words: 'openAi' | 'vsCode';
  readonly play: (...plays: ModelPlay[]) => Promise<void> | void;
  readonly goOn: () => Promise<void> | void;
}

test('[I11] an AI proposes, a person looks and applies: consent, checks, key, failures of two providers, reload, undo, history', async () => {
  await withTwoWindows(
    async ({ a, b, workbench }) => {
      await clash(a, b);
      await b.runCommand('API Live Sync: Show Conflicts');
      const panel = await b.webviews.waitFor('.row');
      await panel.locator('.row', { hasText: 'title' }).click();
      const disk = await b.editor.onDisk(SPEC);
      await mkdir(path.join(b.folder, '.api-live-sync'), { recursive: true });
      await writeFile(path.join(b.folder, '.api-live-sync', 'rules.md'), 'Titles name both places.');

      // Before anything goes out, the person sees where to and what.
      server.play(
        proposes(({ yours, theirs }) => ({
          decision: 'text',
          text: (yours ?? '').replace('Lake Tours', 'Lake and Quay Tours'),
          reason: `Both names are good: ${theirs ?? ''} <b>bold</b>`,
        })),
      );
      await ask(panel);
      assert.match(await b.dialog.text(), /^Send 1 conflict to test-model at 127\.0\.0\.1/);
      assert.equal(server.requests.length, 0);
      await b.dialog.click('Show What Is Sent');
      await untilShown(b.page.locator('.tab.active', { hasText: 'What is sent' }));
      await untilShown(b.page.locator('.monaco-editor .view-line', { hasText: 'What is sent to test-model' }).first());
      await b.notifications.click('Send 1 conflict to', 'Send');

      await untilShown(panel.getByText('AI proposal: A text of its own'));
      assert.match(await panel.locator('.extra .side-text').innerText(), /Lake and Quay Tours/);
      assert.equal(await panel.locator('.check.is-passed').count(), 6);
      assert.equal(
        await panel.locator('.extra .reason').innerText(),
        'Both names are good: title: Quay Tours <b>bold</b>',
      );
      assert.equal(await b.editor.onDisk(SPEC), disk, 'nothing is written before Apply');
      assert.doesNotMatch(JSON.stringify(server.requests[0]?.body), /Book a seat|paths:/);
      assert.match(JSON.stringify(server.requests[0]?.body), /rulesOfTheProject.*Titles name both places\./);
      await b.screenshot('ai-proposal');

      await focusList(panel);
      await b.page.keyboard.press('4');
      await b.page.keyboard.press('Enter');
      await untilShown(panel.getByText('1 conflict settled. 1 is left.'));
      await untilBoth(a, b, 'title: Lake and Quay Tours');
      await panel.getByRole('button', { name: 'Undo' }).click();
      await untilShown(panel.getByText('2 conflicts in 1 document'));
      await b.editor.waitForDisk(SPEC, 'title: Lake Tours');
      await panel.locator('.row', { hasText: 'title' }).click();

      // It goes wrong in many ways: each time there is a sentence, and nothing is written.
      const held = await b.editor.onDisk(SPEC);
      await goThroughCases(b, panel, {
        words: 'openAi',
        play: (...plays) => server.playAs(...plays),
        goOn: () => server.goOn(),
      });
      await askForAll(b, panel);

      // The key is asked for without being shown, and goes to this server from then on.
      await b.runCommand('API Live Sync: Set AI Key');
      await b.quickInput.type(KEY);
      await b.quickInput.accept();
      server.play(proposes(() => ({ decision: 'yours' })));
      await ask(panel);
      await untilShown(panel.getByText('AI proposal: Keep yours'));
      assert.equal(server.requests[0]?.headers.authorization, `Bearer ${KEY}`);

      // Another origin is another service: it is asked about anew, and gets no key of the first.
      await b.updateSetting('apiLiveSync.ai.baseUrl', server.baseUrl.replace('127.0.0.1', 'localhost'));
      server.play(proposes(() => ({ decision: 'theirs' })));
      await ask(panel);
      assert.match(await b.dialog.text(), /^Send 1 conflict to test-model at localhost:/);
      await b.dialog.click('Send');
      await untilShown(panel.getByText('AI proposal: Take the one from'));
      assert.equal(server.requests.at(0)?.headers.authorization, undefined);

      // The same with a model that another extension has registered with VS Code.
      await b.updateSetting('apiLiveSync.ai.provider', 'vscode');
      await play(b, { kind: 'says', text: goodAnswer });
      await ask(panel);
      await b.quickInput.whenOpen();
      assert.equal(await b.quickInput.title(), 'Which model should propose?');
      await b.quickInput.pick('Open Model');
      assert.match(await b.dialog.text(), /^Send 1 conflict to Open Model in VS Code/);
      assert.deepEqual(await requests(b), []);
      await b.dialog.click('Send');
      await untilShown(panel.getByText('AI proposal: A text of its own'));
      assert.doesNotMatch((await requests(b)).join(), /Book a seat|paths:/);
      await goThroughCases(b, panel, {
        words: 'vsCode',
        play: (...plays) => play(b, ...plays),
        goOn: async () =>
          b.host.evaluate(async ({ vscode, argument }) => vscode.commands.executeCommand(argument), goOnCommand),
      });
      await play(b, { kind: 'says', text: goodAnswer });
      await ask(panel);
      await untilShown(panel.getByText('AI proposal: A text of its own'));
      assert.equal(await b.editor.onDisk(SPEC), held);

      // A reload loses no proposal, and says which answer it did not wait for.
      await play(b, { kind: 'fails', how: 'broken' }, { kind: 'fallsSilent', text: '{' });
      await panel.locator('.row', { hasText: 'contact' }).click();
      await ask(panel);
      await untilShown(panel.getByText('Open Model could not answer.'));
      await ask(panel);
      await untilShown(panel.getByText('Receiving the answer: 1 character…'));
      await b.reload();
      const again = await b.webviews.waitFor('.row');
      await again.locator('.row', { hasText: 'contact' }).click();
      await untilShown(
        again.locator('.extra .problem', { hasText: 'The window was reloaded before the AI had answered.' }),
      );
      await again.locator('.row', { hasText: 'title' }).click();
      await untilShown(again.getByText('AI proposal: A text of its own'));
      assert.equal(await b.editor.onDisk(SPEC), held);
      await focusList(again);
      await b.page.keyboard.press('4');
      await b.page.keyboard.press('Enter');
      await untilBoth(a, b, 'title: Lake and Quay Tours');

      await untilShown(again.getByText('1 conflict settled. 1 is left.'));
      await focusList(again);
      await b.page.keyboard.press('2');
      await b.page.keyboard.press('Enter');
      const settled = await untilEqual(a, b, (text) => text.includes('name: The front desk'));

      await lookAtHistory(a, b, settled);
      assert.ok(!`${workbench.server.output()}${b.log()}${await logs(workbench.dir)}`.includes(KEY), 'in no log');
      const own = await logs(workbench.dir, 'api-live-sync.api-live-sync/');
      assert.ok(own.includes('An AI was asked about conflicts.') && !own.includes(SECRET_DETAIL));
    },
    {
      models: true,
      machineSettings: {
        'apiLiveSync.ai.provider': 'openai',
        'apiLiveSync.ai.baseUrl': server.baseUrl,
        'apiLiveSync.ai.model': 'test-model',
      },
      settings: { 'chat.disableAIFeatures': false },
    },
  );
});

async function goThroughCases(window: WorkbenchWindow, panel: Frame, provider: Provider): Promise<void> {
  const disk = await window.editor.onDisk(SPEC);
  for (const { name, play: played, ends, says } of aiCases) {
    await provider.play(played);
    await ask(panel);
    if (played.kind === 'saysSlowly' || played.kind === 'breaksOff') {
      await untilShown(panel.locator('.extra', { hasText: /Receiving the answer: \d+ characters…/ }));
      await provider.goOn();
    }
    const words = says instanceof RegExp ? says : says[provider.words];
    await untilShown(panel.locator('.extra', { hasText: words }));
    const takes = await panel.getByRole('button', { name: 'Take Proposal' }).count();
    assert.equal(takes, ends === 'ready' ? 1 : 0, name);
    assert.equal((await panel.locator('.check.is-failed').count()) > 0, ends === 'unfit', name);
    assert.equal(await window.editor.onDisk(SPEC), disk, name);
    assert.ok(!(await panel.locator('.extra').innerText()).includes(SECRET_DETAIL), name);
  }
}

/** Asked for all that have no proposal yet, with Cancel: what was there before stays. */
async function askForAll(window: WorkbenchWindow, panel: Frame): Promise<void> {
  const disk = await window.editor.onDisk(SPEC);
  server.play(streams(goodAnswer));
  await ask(panel);
  await untilShown(panel.getByText('AI proposal: A text of its own'));
  server.play(fallsSilent('{'));
  await panel.getByRole('button', { name: 'Ask AI for All' }).click();
  await panel.locator('.row', { hasText: 'contact' }).click();
  await untilShown(panel.getByText('Receiving the answer: 1 character…'));
  await panel.getByRole('button', { name: 'Cancel asking the AI' }).click();
  await untilGone(panel.locator('.extra'));
  server.play(
    fails(429, {}, { 'retry-after': '1' }),
    proposes(() => ({ decision: 'theirs' })),
  );
  await panel.getByRole('button', { name: 'Ask AI for All' }).click();
  await untilShown(panel.getByText('2 proposals to look at.'));
  assert.equal(server.requests.length, 2, 'asked again after the time that the service named');
  await untilShown(panel.getByText('AI proposal: Take the one from'));
  await panel.locator('.row', { hasText: 'title' }).click();
  await untilShown(panel.getByText('AI proposal: A text of its own'));
  assert.equal(await window.editor.onDisk(SPEC), disk);
}

/** Each change is one item, opens into its elements, and one of these can be had again, which one Undo takes back. */
async function lookAtHistory(a: WorkbenchWindow, b: WorkbenchWindow, settled: string): Promise<void> {
  await b.editor.open(SPEC);
  await b.runCommand('API Live Sync: Show History of This File');
  const rows = b.page.locator('.pane', { hasText: 'API History' }).locator('.monaco-list-row');
  const change = rows.filter({ hasText: 'info · title' }).first();
  await change.click();
  await untilShown(b.page.locator('.tab.active', { hasText: 'info · title' }));
  await b.page.keyboard.press('ControlOrMeta+W');
  await b.editor.open(SPEC);
  await change.locator('.monaco-tl-twistie').click();
  const element = rows.filter({ hasText: 'info · title' }).and(b.page.locator('[aria-level="2"]'));
  await untilShown(element);
  await b.screenshot('history-elements');
  await element.hover();
  await element.getByRole('button', { name: 'Restore This Element' }).click();
  assert.match(
    await b.dialog.text(),
    /^Restore info · title in openapi\.yaml\?\s+Before this change by Sample \(frontend\) it reads:\s+title: Quay Tours\s+Nothing else/,
  );
  assert.deepEqual(await b.dialog.buttons(), ['Cancel', 'As Before This Change']);
  await b.screenshot('history-restore-element');
  await b.dialog.click('As Before This Change');
  const restored = settled.replace('title: Lake and Quay Tours', 'title: Quay Tours');
  await untilEqual(a, b, (text) => text === restored);
  await b.editor.undo(SPEC);
  await b.editor.waitForText(SPEC, (text) => text === settled);
  await b.editor.save(SPEC);
  await untilEqual(a, b, (text) => text === settled);
}

/** What is still held differs, so the files do. */
async function untilBoth(a: WorkbenchWindow, b: WorkbenchWindow, text: string): Promise<void> {
  await Promise.all([a.editor.waitForDisk(SPEC, text), b.editor.waitForDisk(SPEC, text)]);
}

async function play(window: WorkbenchWindow, ...plays: ModelPlay[]): Promise<void> {
  await window.host.evaluate(
    async ({ vscode, argument }) => {
      await vscode.commands.executeCommand(argument.command, ...argument.plays);
    },
    { command: playCommand, plays },
  );
}

async function requests(window: WorkbenchWindow): Promise<string[]> {
  return window.host.evaluate(
    ({ vscode, argument }) => vscode.commands.executeCommand<string[]>(argument),
    requestsCommand,
  );
}

/** By keyboard: once per call, whatever moves on the page meanwhile. */
async function ask(panel: Frame): Promise<void> {
  await untilShown(panel.locator('button[aria-keyshortcuts="A"]:enabled'));
  await panel.locator('.list').press('a');
}

async function clash(a: WorkbenchWindow, b: WorkbenchWindow): Promise<void> {
  await a.editor.open(SPEC);
  await b.editor.open(SPEC);
  await b.editor.replace(SPEC, 'title: Harbor Tours', 'title: Lake Tours');
  await b.editor.replace(SPEC, 'name: The booking desk', 'name: The back desk');
  await a.editor.replace(SPEC, 'title: Harbor Tours', 'title: Quay Tours');
  await a.editor.replace(SPEC, 'name: The booking desk', 'name: The front desk');
  await a.editor.save(SPEC);
  await status(b, /waiting/);
  await b.editor.save(SPEC);
  await status(b, /2 conflicts/);
}

/** Everything that VS Code and the extension wrote into log files. */
async function logs(dir: string, folder = ''): Promise<string> {
  const texts: string[] = [];
  for await (const file of glob(`**/${folder}*.log`, { cwd: dir }))
    texts.push(await readFile(path.join(dir, file), 'utf8'));
  return texts.join('\n');
}
