import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { ExtensionApi } from '../../src/extension/api.ts';
import { commandIds } from '../../src/extension/commandTable.ts';
import type { Answer } from '../../src/extension/commands.ts';
import type { ElementRow, Version } from '../../src/extension/historyRows.ts';
import type { DocumentState, FolderSession, HistoryEntry } from '../../src/peer/folderSession.ts';

const folder = process.env['API_LIVE_SYNC_TEST_WORKSPACE'] ?? '';
const stateDirectory = process.env['API_LIVE_SYNC_STATE_DIR'] ?? '';
const spec = join(folder, 'openapi.yaml');

let api: ExtensionApi;
let session: FolderSession;
/** Buttons that stand-ins for the modal questions press; VS Code refuses dialogs while it runs tests. */
const answers: string[] = [];
const questions: string[] = [];
const showWarningMessage = vscode.window.showWarningMessage;

before(async () => {
  const extension = vscode.extensions.getExtension<ExtensionApi>('api-live-sync.api-live-sync');
  assert.ok(extension, 'the extension is there');
  api = await extension.activate();
  await api.ready();
  const [first] = api.sessions();
  assert.ok(first, 'the folder has a session');
  session = first;
  Object.assign(vscode.window, {
    showWarningMessage: (message: string, ...rest: readonly unknown[]) => {
      const options = rest.find((one) => typeof one === 'object' && one !== null && 'modal' in one);
      if (options === undefined) return Promise.resolve(undefined);
      questions.push(`${message} ${JSON.stringify(options)}`);
      return Promise.resolve(answers.shift());
    },
  });
});

after(() => Object.assign(vscode.window, { showWarningMessage }));

afterEach(async () => {
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
});

describe('activation', () => {
  it('says how long it took', () => {
    // A figure and no limit: on a busy machine a limit would judge the machine. `before somebody says yes` guards what it loads.
    console.log(`      activate took ${api.activationMs.toFixed(1)} ms`);
    assert.ok(api.activationMs > 0);
  });

  it('registers every command', async () => {
    const known = await vscode.commands.getCommands(true);
    for (const id of Object.values(commandIds)) assert.ok(known.includes(id), id);
  });
});

describe('before somebody says yes', () => {
  it('there is no log, no socket, and SQLite is not loaded', () => {
    assert.equal(session.status.hasConsent, false);
    assert.equal(session.status.phase, 'asleep');
    assert.deepEqual(
      existsSync(join(stateDirectory, 'libraries')) ? readdirSync(join(stateDirectory, 'libraries')) : [],
      [],
    );
    const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] };
    assert.deepEqual(
      moduleLoadList.filter((name) => /sqlite/i.test(name)),
      [],
    );
    assert.deepEqual(
      process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap'),
      [],
    );
  });

  it('every command answers in a sentence instead of doing nothing', async () => {
    const { leave, forgetLibrary, start, stop, pause, resume, syncNow, mergeNow, undoResolution } = commandIds;
    for (const id of [leave, forgetLibrary, start, stop, pause, resume, syncNow, mergeNow, undoResolution]) {
      const answer = await run(id);
      assert.equal(answer.kind, 'declined', id);
      assert.match(answer.sentence, /^[A-Z].+\.$/, id);
    }
    assert.deepEqual(questions, []);
  });

  it('Copy Diagnostics puts versions and states on the clipboard, and no path of this folder', async () => {
    assert.equal((await run(commandIds.copyDiagnostics)).kind, 'done');
    const text = await vscode.env.clipboard.readText();
    assert.match(text, /^API Live Sync diagnostics\n/);
    assert.match(text, /"phase": "asleep"/);
    assert.ok(!text.includes(folder));
  });

  it('the status bar says nothing until an API is looked at', async () => {
    assert.equal(api.statusBar(), undefined);
    await vscode.window.showTextDocument(vscode.Uri.file(spec));
    assert.match(api.statusBar()?.text ?? '', /Keep in Step\?/);
  });
});

describe('in step', () => {
  it('Keep in Step starts, and is not done twice', async () => {
    const answer = await run(commandIds.keepInStep);
    assert.equal(answer.kind, 'done');
    await until('it is in step', () => api.statusBar()?.text.includes('in step') === true);
    assert.equal(session.status.phase, 'running');
    assert.equal(session.status.role, 'leader');
    assert.ok(existsSync(join(stateDirectory, 'libraries')));
    assert.equal((await run(commandIds.keepInStep)).kind, 'declined');
    assert.equal((await run(commandIds.join)).kind, 'declined');
  });

  it('Copy Diagnostics says how the replication is doing', async () => {
    assert.equal((await run(commandIds.copyDiagnostics)).kind, 'done');
    const text = await vscode.env.clipboard.readText();
    assert.match(text, /"elections": 1/);
    for (const secret of [folder, stateDirectory, 'openapi.yaml', 'Harbor']) assert.ok(!text.includes(secret), secret);
  });

  it('Pause and Resume', async () => {
    assert.equal((await run(commandIds.pause)).kind, 'done');
    assert.equal(session.status.phase, 'paused');
    assert.match(api.statusBar()?.text ?? '', /paused/);
    assert.equal((await run(commandIds.pause)).kind, 'declined');
    assert.equal((await run(commandIds.syncNow)).kind, 'declined');
    assert.equal((await run(commandIds.resume)).kind, 'done');
    await until('it runs', () => session.status.phase === 'running');
    assert.equal((await run(commandIds.resume)).kind, 'declined');
  });

  it('Sync Now sees what happened outside', async () => {
    const text = await readFile(spec, 'utf8');
    await writeFile(spec, text.replace('title: Harbor Tours', 'title: Quay Tours'));
    assert.equal((await run(commandIds.syncNow)).kind, 'done');
    assert.equal(stateOf('openapi.yaml'), 'inStep');
  });

  it('a file that is broken in the middle of typing is not sent and says so, and goes on when mended', async () => {
    const text = await readFile(spec, 'utf8');
    const editor = await vscode.window.showTextDocument(vscode.Uri.file(spec));
    await replace(editor, 'title: Quay Tours', 'title: "Quay Tours');
    await editor.document.save();
    await until('the file is invalid', () => stateOf('openapi.yaml') === 'invalid');
    assert.match(api.statusBar()?.text ?? '', /invalid file/);
    const tooltip =
      api
        .statusBar()
        ?.tooltip.map((line) => line.text)
        .join('\n') ?? '';
    assert.match(tooltip, /openapi\.yaml: \S/);
    await replace(editor, 'title: "Quay Tours', 'title: Quay Tours');
    await editor.document.save();
    await until('it is in step again', () => stateOf('openapi.yaml') === 'inStep');
    assert.equal(await readFile(spec, 'utf8'), text);
  });

  it('Show Conflicts opens the panel, once', async () => {
    await run(commandIds.showConflicts);
    await run(commandIds.showConflicts);
    const panels = (): vscode.Tab[] =>
      vscode.window.tabGroups.all
        .flatMap((group) => group.tabs)
        .filter((tab) => tab.input instanceof vscode.TabInputWebview);
    await until('the panel is open', () => panels().length === 1);
    assert.equal(panels()[0]?.label, 'API Conflicts');
  });

  it('Show Log opens the log', async () => {
    assert.equal((await run(commandIds.showLog)).kind, 'done');
  });

  it('Stop and Start', async () => {
    assert.equal((await run(commandIds.stop)).kind, 'done');
    assert.equal(session.status.phase, 'asleep');
    assert.match(api.statusBar()?.text ?? '', /stopped/);
    assert.equal((await run(commandIds.stop)).kind, 'declined');
    assert.equal((await run(commandIds.start)).kind, 'done');
    await until('it is in step', () => api.statusBar()?.text.includes('in step') === true);
    assert.equal((await run(commandIds.start)).kind, 'declined');
  });

  it('[I12] Restore This Element brings one element back, after a start too, and one Undo takes that back', async () => {
    const uri = vscode.Uri.file(spec);
    const editor = await vscode.window.showTextDocument(uri);
    await replace(editor, 'name: The booking desk', 'name: The front desk');
    await editor.document.save();
    const docId = session.status.documents.find(({ path }) => path === 'openapi.yaml')?.docId;
    assert.ok(docId !== undefined);
    let versions: readonly HistoryEntry[] = [];
    await until('the change in the history', () => {
      void session.history.entries(docId, 10).then((entries) => (versions = entries));
      return versions[0]?.changes.some((change) => change.includes('contact')) === true;
    });
    // Made before the library was stopped and started again.
    const at = versions.findIndex(({ changes }) => changes.includes('info · title'));
    const [entry, before] = versions.slice(at);
    assert.ok(entry?.hash !== undefined && before?.hash !== undefined);
    const changed = await session.history.changedPlaces(docId, before.hash, entry.hash);
    const [place, ...more] = changed?.places ?? [];
    assert.ok(place !== undefined && more.length === 0);
    assert.equal(place.label, 'info · title');
    const version: Version = { kind: 'version', session, docId, file: spec, entry, before, isNewest: false };
    const row: ElementRow = { kind: 'element', version, place };
    const text = editor.document.getText();
    questions.length = 0;

    assert.equal((await run(commandIds.restoreElement, row)).kind, 'cancelled');
    assert.match(
      questions.join(),
      /^Restore info · title in openapi\.yaml\?.*title: Harbor Tours.*Nothing else of the file changes\./,
    );
    assert.equal(await readFile(spec, 'utf8'), text);
    answers.push('As Before This Change');
    assert.equal((await run(commandIds.restoreElement, row)).kind, 'done');
    assert.equal(await readFile(spec, 'utf8'), text.replace('title: Quay Tours', 'title: Harbor Tours'));
    await until('it is sent', () => stateOf('openapi.yaml') === 'inStep');

    await vscode.commands.executeCommand('undo');
    assert.equal(editor.document.getText(), text);
    const unsaved = await run(commandIds.restoreElement, row);
    assert.ok(unsaved.kind === 'failed' && unsaved.problem.code === 'file-unsaved');
    await editor.document.save();
    await until('it is sent', () => stateOf('openapi.yaml') === 'inStep');
    assert.equal(await readFile(spec, 'utf8'), text);
  });

  it('Leave asks, says what stays and what goes, and does nothing on Cancel', async () => {
    questions.length = 0;
    assert.equal((await run(commandIds.leave)).kind, 'cancelled');
    assert.equal(questions.length, 1);
    assert.match(questions[0] ?? '', /^Leave .+\?.*Stays: .*Goes: /);
    assert.equal(session.status.hasConsent, true);

    const text = await readFile(spec, 'utf8');
    answers.push('Leave');
    assert.equal((await run(commandIds.leave)).kind, 'done');
    assert.equal(session.status.hasConsent, false);
    assert.equal(await readFile(spec, 'utf8'), text);
  });

  it('Forget This Library deletes its history and keeps the files', async () => {
    assert.equal((await run(commandIds.keepInStep)).kind, 'done');
    await until('it is in step', () => api.statusBar()?.text.includes('in step') === true);
    const libraryId = session.status.library?.libraryId ?? '';
    assert.ok(readdirSync(join(stateDirectory, 'libraries')).includes(libraryId));
    const text = await readFile(spec, 'utf8');
    answers.push('Forget');
    assert.equal((await run(commandIds.forgetLibrary)).kind, 'done');
    assert.equal(readdirSync(join(stateDirectory, 'libraries')).includes(libraryId), false);
    assert.equal(await readFile(spec, 'utf8'), text);
    assert.equal(session.status.hasConsent, false);
  });
});

describe('Set Up Git Merge Driver…', () => {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, encoding: 'utf8' });

  it('says so where there is no repository', async () => {
    const answer = await run(commandIds.setUpMergeDriver);
    assert.equal(answer.kind, 'declined');
    assert.match(answer.sentence, /not in a git repository\.$/);
  });

  it('shows what it would write, and writes nothing on Cancel', async () => {
    git('init', '-q');
    git('add', 'openapi.yaml');
    questions.length = 0;
    assert.equal((await run(commandIds.setUpMergeDriver)).kind, 'cancelled');
    assert.match(questions.join(), /openapi\.yaml merge=api-live-sync.*merge\.api-live-sync\.driver = /);
    assert.equal(existsSync(join(folder, '.gitattributes')), false);
    assert.doesNotMatch(git('config', '--list'), /merge\.api-live-sync/);
  });

  it('after a yes, git merges by elements, and versions as the setting says', async () => {
    await vscode.workspace.getConfiguration().update('apiLiveSync.infoVersion', 'higher', true);
    answers.push('Set Up');
    assert.equal((await run(commandIds.setUpMergeDriver)).kind, 'done');
    await vscode.workspace.getConfiguration().update('apiLiveSync.infoVersion', undefined, true);
    const of = (version: string): string =>
      `openapi: 3.0.3\ninfo: { title: A, version: ${version} }\ntags:\n  - name: a\n`;
    const commit = async (text: string): Promise<void> => {
      await writeFile(spec, text);
      git('-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '-qam', 'x');
    };
    await commit(of('1.0.0'));
    const branch = git('branch', '--show-current').trim();
    git('checkout', '-qb', 'other');
    await commit(`${of('1.10.0')}  - name: b\n`);
    git('checkout', '-q', branch);
    await commit(`${of('1.9.0')}  - name: c\n`);
    git('-c', 'user.name=t', '-c', 'user.email=t@t', 'merge', '-q', '--no-edit', 'other');
    assert.equal(await readFile(spec, 'utf8'), `${of('1.10.0')}  - name: b\n  - name: c\n`);
  });
});

async function run(id: string, argument?: unknown): Promise<Answer> {
  return await vscode.commands.executeCommand<Answer>(id, argument);
}

function stateOf(path: string): DocumentState | undefined {
  return session.status.documents.find((document) => document.path === path)?.state;
}

async function replace(editor: vscode.TextEditor, from: string, to: string): Promise<void> {
  const offset = editor.document.getText().indexOf(from);
  assert.notEqual(offset, -1, from);
  const range = new vscode.Range(editor.document.positionAt(offset), editor.document.positionAt(offset + from.length));
  await editor.edit((edit) => edit.replace(range, to));
}

/** Asks again until it is so. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!isSo()) {
    if (Date.now() > deadline) {
      throw new Error(`Waited in vain until ${what}: ${JSON.stringify(session.status)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
