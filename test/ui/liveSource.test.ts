import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import fastifySwagger from '@fastify/swagger';
import Fastify, { type FastifyInstance } from 'fastify';
import { waitFor } from '../harness/waitFor.ts';
import { withWorkbench } from '../harness/workbench.ts';

const TARGET = 'live.yaml';

/** A Fastify application as people write one; each start is a new one, as after a change of its code. */
async function startApp(port: number, summary: string): Promise<FastifyInstance> {
  const app = Fastify();
  await app.register(fastifySwagger, { openapi: { info: { title: 'Harbor', version: '1.0.0' } } });
  app.get('/boats', { schema: { summary } }, () => []);
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.listen({ port, host: '127.0.0.1' });
  return app;
}

/** When the file first read so, on the monotonic clock. */
async function becomes(file: string, what: string): Promise<number> {
  await waitFor(`"${what}" in the file`, async () => (await readFile(file, 'utf8')).includes(what) || undefined);
  return performance.now();
}

test('[SRC] a running Fastify application changes a route: the open file follows, what was written by hand stays, and a notice names the operation', async () => {
  let app = await startApp(0, 'All boats');
  const { port } = app.server.address() as AddressInfo;
  try {
    await withWorkbench({}, async (workbench) => {
      const folder = await workbench.workspace('frontend');
      await mkdir(path.join(folder, '.vscode'), { recursive: true });
      // As it is added by the command: asked every 5 seconds.
      const source = { url: `http://127.0.0.1:${port}/openapi.json`, target: TARGET };
      await writeFile(path.join(folder, 'routes.txt'), 'All boats');
      await writeFile(path.join(folder, '.vscode/settings.json'), JSON.stringify({ 'apiLiveSync.sources': [source] }));
      const window = await workbench.openWindow(folder);
      // It came with the folder, so nothing is asked before somebody says yes.
      await window.notifications.click('name live sources', 'Allow');
      const generated = await waitFor('the file', () =>
        readFile(path.join(folder, TARGET), 'utf8').catch(() => undefined),
      );
      const byHand = generated.replace('summary: All boats', 'description: Written by hand.\n      summary: All boats');
      await writeFile(path.join(folder, TARGET), byHand);
      await window.editor.open(TARGET);
      await window.editor.replace(TARGET, 'Written by hand.', 'Typed by hand.');
      await window.editor.save(TARGET);

      // The code is changed and saved in this window, and the server started anew as its watcher would.
      await window.editor.open('routes.txt');
      await window.editor.replace('routes.txt', 'All boats', 'Boats in the harbor');
      await window.editor.save('routes.txt');
      await app.close();
      app = await startApp(port, 'Boats in the harbor');
      const answersAt = performance.now();
      const changedAt = await becomes(path.join(folder, TARGET), 'summary: Boats in the harbor');
      console.log(`The file had changed ${Math.round(changedAt - answersAt)} ms after the restarted server answered.`);
      const notice = await window.notifications.waitFor('changed GET /boats (summary)');
      assert.deepEqual(notice.buttons, ['Show']);
      const text = await window.editor.waitForText(TARGET, 'summary: Boats in the harbor');
      assert.match(text, /description: Typed by hand\.\n {6}summary: Boats in the harbor/);
      assert.equal(await window.editor.isDirty(TARGET), false);
      assert.equal(await window.editor.onDisk(TARGET), text);
      await window.runCommand('Explorer: Focus on API Live Sources View');
      await window.screenshot('live-source');
      await window.notifications.click('changed GET /boats (summary)', 'Show');
      await window.screenshot('live-source-changes');
    });
  } finally {
    await app.close();
  }
});
