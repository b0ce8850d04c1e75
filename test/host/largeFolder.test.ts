import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { ExtensionApi } from '../../src/extension/api.ts';

const folder = process.env['API_LIVE_SYNC_TEST_WORKSPACE'] ?? '';
const FILES = 100_000;
const FILES_PER_FOLDER = 500;

let api: ExtensionApi;

before(async function () {
  this.timeout(120_000);
  for (let at = 0; at < FILES / FILES_PER_FOLDER; at++) {
    const sub = join(folder, `module${at}`);
    await mkdir(sub);
    // A tenth each of JSON and YAML, as in a workspace full of configuration.
    const ending = (n: number): string => ['json', 'yaml'][n % 10] ?? 'ts';
    await Promise.all(
      Array.from({ length: FILES_PER_FOLDER }, (_, n) => writeFile(join(sub, `file${n}.${ending(n)}`), 'a: 1\n')),
    );
  }
  await writeFile(join(folder, 'openapi.yaml'), 'openapi: 3.1.0\ninfo:\n  title: Large\n  version: 1.0.0\npaths: {}\n');
  const extension = vscode.extensions.getExtension<ExtensionApi>('api-live-sync.api-live-sync');
  assert.ok(extension);
  api = await extension.activate();
  await api.ready();
});

describe('a folder of 100,000 files', () => {
  it('is kept in step: its one document is found, and nothing else is taken for one', async function () {
    this.timeout(60_000);
    const [session] = api.sessions();
    assert.ok(session);
    const start = performance.now();
    const inStep = new Promise<void>((resolve) => {
      session.onDidChangeStatus(({ phase, documents }) => {
        if (phase === 'running' && documents.length === 1 && documents[0]?.state === 'inStep') resolve();
      });
    });
    assert.deepEqual(await session.keepInStep(), { isDone: true });
    await inStep;
    console.log(`      in step after ${Math.round(performance.now() - start)} ms`);
    assert.deepEqual(
      session.status.documents.map((document) => document.path),
      ['openapi.yaml'],
    );
  });
});
