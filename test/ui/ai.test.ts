import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Frame } from 'playwright-core';
import { AiServer, breaksOff, fails, fallsSilent, proposes, streams } from '../harness/aiServer.ts';
import type { WorkbenchWindow } from '../harness/window.ts';
import { SPEC, status, untilEqual, withTwoWindows } from './support/twoWindows.ts';

let server: AiServer;
before(async () => {
  server = await AiServer.start();
});
after(async () => server.close());

const KEY = 'sk-never-in-a-log';

test('[I11] an AI proposes, a person looks and applies: consent, checks, key, failures, undo', async () => {
  await withTwoWindows(
    async ({ a, b, workbench }) => {
      await clash(a, b);
      await b.runCommand('API Live Sync: Show Conflicts');
      const panel = await b.webviews.waitFor('.row');
      const disk = await b.editor.onDisk(SPEC);

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
      await b.page.locator('.tab.active', { hasText: 'What is sent' }).waitFor();
      await b.page.locator('.monaco-editor .view-line', { hasText: 'What is sent to test-model' }).first().waitFor();
      await b.notifications.click('Send 1 conflict to', 'Send');

      await panel.getByText('AI proposal: A text of its own').waitFor();
      assert.match(await panel.locator('.extra .side-text').innerText(), /Lake and Quay Tours/);
      assert.equal(await panel.locator('.check.is-passed').count(), 6);
      assert.equal(
        await panel.locator('.extra .reason').innerText(),
        'Both names are good: title: Quay Tours <b>bold</b>',
      );
      assert.equal(await b.editor.onDisk(SPEC), disk, 'nothing is written before Apply');
      assert.doesNotMatch(JSON.stringify(server.requests[0]?.body), /Book a seat|paths:/);
      await b.screenshot('ai-proposal');

      await panel.locator('.list').focus();
      await b.page.keyboard.press('4');
      await b.page.keyboard.press('Enter');
      await panel.getByText('1 conflict settled.').waitFor();
      await untilEqual(a, b, (text) => text.includes('title: Lake and Quay Tours'));
      await panel.getByRole('button', { name: 'Undo' }).click();
      await panel.getByText('1 conflict in 1 document').waitFor();
      await b.editor.waitForDisk(SPEC, 'title: Lake Tours');

      // It goes wrong in many ways: each time there is a sentence, and nothing is written.
      const held = await b.editor.onDisk(SPEC);
      for (const [play, sentence] of [
        [streams('I would take yours.'), /no answer that could be used/],
        [proposes(() => ({ conflict: 'c7' })), /no answer that could be used/],
        [fails(429, {}, { 'retry-after': '3600' }), /takes no more requests at the moment.*in 60 minutes/],
        [breaksOff('{"proposals": ['), /broke off in the middle/],
        [fails(401), /did not accept the key/],
      ] as const) {
        server.play(play);
        await ask(panel);
        await panel.locator('.extra .problem', { hasText: sentence }).waitFor();
        assert.equal(await panel.getByRole('button', { name: 'Take Proposal' }).count(), 0);
      }
      server.play(proposes(() => ({ decision: 'text', text: 'title:\n  $ref: "#/components/schemas/Nothing"' })));
      await ask(panel);
      await panel.locator('.check.is-failed').first().waitFor();
      assert.equal(await panel.getByRole('button', { name: 'Take Proposal' }).count(), 0, 'a check failed');
      server.play(proposes(() => ({ decision: 'declined', reason: 'Only you can know.' })));
      await ask(panel);
      await panel.locator('.extra .reason', { hasText: 'Only you can know.' }).waitFor();
      server.play(fallsSilent('{'));
      await ask(panel);
      await panel.getByText('Receiving the answer: 1 character…').waitFor();
      await panel.locator('.extra').getByRole('button', { name: 'Cancel' }).click();
      await panel.locator('.extra .reason', { hasText: 'Only you can know.' }).waitFor();
      assert.equal(await b.editor.onDisk(SPEC), held);

      // The key is asked for without being shown, and goes to this server from then on.
      await b.runCommand('API Live Sync: Set AI Key');
      await b.quickInput.type(KEY);
      await b.quickInput.accept();
      server.play(proposes(() => ({ decision: 'yours' })));
      await ask(panel);
      await panel.getByText('AI proposal: Keep yours').waitFor();
      assert.equal(server.requests[0]?.headers.authorization, `Bearer ${KEY}`);
      assert.ok(!workbench.server.output().includes(KEY) && !b.log().includes(KEY), 'the key is in no log');
      assert.ok(!(await logs(workbench.dir)).includes(KEY), 'the key is in no log file');
    },
    {
      settings: {
        'apiLiveSync.ai.provider': 'openai',
        'apiLiveSync.ai.baseUrl': server.baseUrl,
        'apiLiveSync.ai.model': 'test-model',
      },
    },
  );
});

/** By keyboard: once per call, whatever moves on the page meanwhile. */
async function ask(panel: Frame): Promise<void> {
  await panel.locator('button[aria-keyshortcuts="A"]:enabled').waitFor();
  await panel.locator('.list').press('a');
}

async function clash(a: WorkbenchWindow, b: WorkbenchWindow): Promise<void> {
  await a.editor.open(SPEC);
  await b.editor.open(SPEC);
  await b.editor.replace(SPEC, 'title: Harbor Tours', 'title: Lake Tours');
  await a.editor.replace(SPEC, 'title: Harbor Tours', 'title: Quay Tours');
  await a.editor.save(SPEC);
  await status(b, /waiting/);
  await b.editor.save(SPEC);
  await status(b, /1 conflict/);
}

/** Everything that VS Code and the extension wrote into log files. */
async function logs(dir: string): Promise<string> {
  const texts: string[] = [];
  for await (const file of glob('**/*.log', { cwd: dir })) texts.push(await readFile(path.join(dir, file), 'utf8'));
  return texts.join('\n');
}
