import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { ExtensionApi } from '../../src/extension/api.ts';
import { commandIds } from '../../src/extension/commandTable.ts';
import type { Answer } from '../../src/extension/commands.ts';
import { selfSigned } from '../harness/selfSigned.ts';
import type { LiveSyncService, SyncStatus } from '../../src/peer/sources/liveSyncService.ts';

const folder = process.env['API_LIVE_SYNC_TEST_WORKSPACE'] ?? '';
const TARGET = 'live/openapi.yaml';
const SETTINGS = join(folder, '.vscode', 'settings.json');

let sources: LiveSyncService;
let server: Server;
let url = '';
let summary = 'List pets';
/** What the stand-ins answer: VS Code refuses dialogs while it runs tests. */
const answers: unknown[] = [];
const said: string[] = [];
const original = { ...vscode.window };
const dialogs = [
  'showQuickPick',
  'showInputBox',
  'showWarningMessage',
  'showInformationMessage',
  'showErrorMessage',
] as const;

before(async () => {
  server = createServer((_request, response) => {
    response.end(
      JSON.stringify({
        openapi: '3.0.3',
        info: { title: 'Pets', version: '1' },
        paths: { '/pets': { get: { summary, responses: { 200: { description: 'OK' } } } } },
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/openapi.json`;
  const extension = vscode.extensions.getExtension<ExtensionApi>('api-live-sync.api-live-sync');
  assert.ok(extension);
  const api = await extension.activate();
  await api.ready();
  const [first] = api.sources();
  assert.ok(first, 'the folder has sources');
  sources = first;
  const answer = (given: unknown): unknown => {
    const next = answers.shift();
    return typeof next === 'function' ? (next as (given: unknown) => unknown)(given) : next;
  };
  Object.assign(vscode.window, {
    showQuickPick: (items: unknown) => Promise.resolve(items).then(answer),
    showInputBox: (options: unknown) => Promise.resolve(answer(options)),
    ...Object.fromEntries(
      (['showWarningMessage', 'showInformationMessage', 'showErrorMessage'] as const).map((name) => [
        name,
        (message: string, ...rest: readonly unknown[]) => {
          said.push(message);
          const isQuestion = rest.some((one) => one === 'Allow' || (typeof one === 'object' && one !== null));
          return Promise.resolve(isQuestion ? answer(message) : undefined);
        },
      ]),
    ),
  });
});

after(async () => {
  Object.assign(vscode.window, Object.fromEntries(dialogs.map((name) => [name, original[name]])));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('live sources', () => {
  it('[SRC] every command of them answers in a sentence where there is none', async () => {
    for (const id of [
      commandIds.removeSource,
      commandIds.editSource,
      commandIds.syncSource,
      commandIds.syncAllSources,
      commandIds.pauseSources,
      commandIds.resumeSources,
      commandIds.showSourceChanges,
      commandIds.applySourceChanges,
      commandIds.allowSources,
      commandIds.setSourceSecret,
    ]) {
      const answer = await run(id);
      assert.equal(answer.kind, 'declined', id);
      assert.match(answer.sentence, /^[A-Z].+\.$/, id);
    }
  });

  it('[SRC] Add Live Source writes it into the settings of the folder and makes the file', async () => {
    answers.push(pick(/Running server/), url, pick(/New file/), TARGET, pick(/Merge by itself/));
    const answer = await run(commandIds.addSource);
    assert.equal(answer.kind, 'done', JSON.stringify(answer));
    assert.match(await readFile(join(folder, TARGET), 'utf8'), /summary: List pets/);
    const settings = JSON.parse(await readFile(SETTINGS, 'utf8')) as Record<string, unknown>;
    assert.deepEqual(settings['apiLiveSync.sources'], [{ url, target: TARGET }]);
    assert.equal(sources.getSourceStatus(TARGET).state, 'inStep');
  });

  it('[SRC] a change is followed by itself and named in a notice; Show Changes shows it', async () => {
    summary = 'All pets';
    said.length = 0;
    await until('the change', (status) => status?.changes[0]?.kind === 'changed');
    assert.match(await readFile(join(folder, TARGET), 'utf8'), /summary: All pets/);
    await eventually('the notice', () => said.some((one) => one.includes('changed GET /pets (summary)')));
    assert.equal((await run(commandIds.showSourceChanges)).kind, 'done');
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    assert.ok(input instanceof vscode.TabInputTextDiff);
    const texts = await Promise.all(
      [input.original, input.modified].map((uri) => vscode.workspace.openTextDocument(uri)),
    );
    assert.match(texts[0]?.getText() ?? '', /List pets/);
    assert.match(texts[1]?.getText() ?? '', /All pets/);
  });

  it('[SRC] pause and resume', async () => {
    assert.equal((await run(commandIds.pauseSources)).kind, 'done');
    assert.equal(sources.getSourceStatus(TARGET).state, 'paused');
    assert.equal((await run(commandIds.resumeSources)).kind, 'done');
    await until('in step', (status) => status?.state === 'inStep');
  });

  it('[SRC] settings edited by hand take effect without a reload: review first', async () => {
    // Another value than the one that was said yes to: so the yes is asked for.
    answers.push('Allow');
    await writeSettings([{ url, target: TARGET, mode: 'review', intervalSeconds: 0.5 }]);
    await until('the new settings', (status) => status?.config.mode === 'review' && status.state === 'inStep');
    assert.ok(said.some((one) => one.includes('name live sources')));
    summary = 'Reviewed pets';
    await until('changes that wait', (status) => status?.state === 'changesWaiting');
    assert.match(await readFile(join(folder, TARGET), 'utf8'), /All pets/);
    assert.equal((await run(commandIds.applySourceChanges)).kind, 'done');
    assert.match(await readFile(join(folder, TARGET), 'utf8'), /Reviewed pets/);
  });

  it('[SRC] [I10] what a repository names runs only after a yes for this value', async () => {
    answers.push('Not Now');
    said.length = 0;
    await writeSettings([{ url: `${url}?other`, target: TARGET }]);
    await until('nothing', (status) => status === undefined);
    await eventually('the question', () => said.some((one) => one.includes('?other → live/openapi.yaml')));
    answers.push('Allow');
    assert.equal((await run(commandIds.allowSources)).kind, 'done');
    await until('in step', (status) => status?.state === 'inStep');
  });

  it('[SRC] wrong settings are said in words, and nothing of them runs', async () => {
    said.length = 0;
    await writeSettings([
      { url, target: TARGET },
      { url, target: '../outside.yaml' },
    ]);
    await until('nothing', (status) => status === undefined);
    await eventually('the warning', () =>
      said.some((one) => /none of its sources runs\. Source 2: "target" should be/.test(one)),
    );
  });

  it('[SRC] a secret goes from the secret storage into the header that names it', async () => {
    answers.push('Allow');
    await writeSettings([{ url, target: TARGET, headers: { authorization: 'Bearer ${secret:token}' } }]);
    await until('the missing secret', (status) => status?.problem?.code === 'secret-missing');
    const sent = new Promise((resolve) =>
      server.once('request', (request: { headers: Record<string, unknown> }) =>
        resolve(request.headers['authorization']),
      ),
    );
    answers.push('s3cret');
    assert.equal((await run(commandIds.setSourceSecret)).kind, 'done');
    assert.equal(await sent, 'Bearer s3cret');
  });

  it('[SRC] the proxy that the settings of VS Code name is asked, for http in plain and for https by CONNECT; a self-signed certificate counts behind it too, on request only', async () => {
    const proxied: string[] = [];
    const secure = createTlsServer(selfSigned, (request, response) => server.emit('request', request, response));
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const proxy = createServer((request, response) => {
      proxied.push(`${String(request.method)} ${String(request.url)}`);
      server.emit('request', request, response);
    });
    proxy.on('connect', (request, socket) => {
      proxied.push(`${String(request.method)} ${String(request.url)}`);
      const through = connect((secure.address() as AddressInfo).port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        through.pipe(socket).pipe(through);
      });
      through.on('error', () => socket.destroy());
      socket.on('error', () => through.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const settings = vscode.workspace.getConfiguration('http');
    await settings.update(
      'proxy',
      `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      vscode.ConfigurationTarget.Global,
    );
    try {
      // Nobody knows this name: only the proxy can have answered.
      answers.push('Allow');
      await writeSettings([{ url: 'http://api.example.test/openapi.json', target: TARGET }]);
      await until(
        'in step',
        (status) => status?.state === 'inStep' && status.config.url?.includes('api.example.test') === true,
      );
      assert.ok(proxied.includes('GET http://api.example.test/openapi.json'), `asked: ${proxied.join()}`);
      answers.push('Allow');
      await writeSettings([{ url: 'https://api.example.test/openapi.json', target: TARGET }]);
      await until('the certificate', (status) => status?.problem?.code === 'certificate-not-trusted');
      answers.push('Allow');
      await writeSettings([{ url: 'https://api.example.test/openapi.json', target: TARGET, acceptSelfSigned: true }]);
      await until('in step', (status) => status?.state === 'inStep' && status.config.acceptSelfSigned);
      assert.ok(proxied.includes('CONNECT api.example.test:443'), `asked: ${proxied.join()}`);
    } finally {
      await settings.update('proxy', undefined, vscode.ConfigurationTarget.Global);
      for (const one of [proxy, secure]) {
        one.closeAllConnections();
        one.close();
      }
    }
  });

  it('[SRC] Remove takes it out of the settings and leaves the file', async () => {
    answers.push('Remove');
    assert.equal((await run(commandIds.removeSource)).kind, 'done');
    assert.deepEqual(sources.getAllSourceStatuses(), []);
    assert.match(await readFile(join(folder, TARGET), 'utf8'), /pets/);
    const settings = JSON.parse(await readFile(SETTINGS, 'utf8')) as Record<string, unknown>;
    assert.equal(settings['apiLiveSync.sources'], undefined);
  });
});

/** The row whose label fits. */
function pick(label: RegExp): (items: unknown) => unknown {
  return (items) => (items as readonly { readonly label: string }[]).find((one) => label.test(one.label));
}

async function run(id: string): Promise<Answer> {
  return await vscode.commands.executeCommand<Answer>(id);
}

async function writeSettings(value: unknown): Promise<void> {
  await mkdir(join(folder, '.vscode'), { recursive: true });
  await writeFile(SETTINGS, JSON.stringify({ 'apiLiveSync.sources': value }, undefined, 2));
}

async function until(what: string, condition: (status: SyncStatus | undefined) => boolean): Promise<void> {
  await eventually(what, () => condition(sources.getAllSourceStatuses()[0]));
}

async function eventually(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!condition()) {
    assert.ok(Date.now() < end, `${what} did not come true: ${JSON.stringify([sources.getAllSourceStatuses(), said])}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
