import assert from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import * as vscode from 'vscode';
import { diffSplices } from '../../src/core/merge/splices.ts';
import type { Logger } from '../../src/core/ports.ts';
import type { SavedText, WriteOutcome } from '../../src/core/workingFiles.ts';
import { EditorFiles } from '../../src/extension/editorFiles.ts';
import { FolderPaths } from '../../src/extension/folderPaths.ts';
import { createDiskFiles } from '../../src/node/files/diskFiles.ts';

const folder = process.env['API_LIVE_SYNC_TEST_WORKSPACE'] ?? '';
const silent: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Long enough that two changes near its ends have most of it between them. */
const lines = Array.from({ length: 200 }, (_, at) => `key${at}: value ${at}`);
const before = `${lines.join('\n')}\n`;
const after = before
  .replace('key2: value 2\n', 'key2: changed\nkey2b: added\n')
  .replace('key198: value 198', 'key198: changed');

let files: EditorFiles;
let saved: SavedText[] = [];
let unsaved: string[] = [];
let number = 0;
const disposables: vscode.Disposable[] = [];

beforeEach(() => {
  files = new EditorFiles({
    paths: new FolderPaths(folder, folder),
    disk: createDiskFiles({ folder, ignore: [], logger: silent }),
    ignore: ['generated'],
    logger: silent,
  });
  saved = [];
  unsaved = [];
  files.onDidSave((text) => saved.push(text));
  files.onDidChangeUnsaved((file) => unsaved.push(file));
});

afterEach(async () => {
  files.dispose();
  for (const disposable of disposables.splice(0)) disposable.dispose();
  await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
});

describe('a file that others deleted', () => {
  it('[DEL-02] goes where it reads as it was agreed on, and stays where somebody types in it', async () => {
    const { file, editor } = await open(before);
    assert.deepEqual(await files.remove(file, after), { kind: 'changed' });
    await type(editor, 'key50: value 50', 'key50: mine');
    assert.deepEqual(await files.remove(file, before), { kind: 'unsaved' });
    assert.equal(await onDisk(file), before);
    await vscode.commands.executeCommand('workbench.action.files.revert');
    assert.deepEqual(await files.remove(file, before), { kind: 'written' });
    await assert.rejects(onDisk(file));
  });
});

describe('a file that is open, in the active editor and saved', () => {
  it('[I12] takes a change with its caret, its scroll and its undo steps where they were', async () => {
    const { file, editor } = await open(before);
    await type(editor, 'key50: value 50', 'key50: mine');
    await editor.document.save();
    const mine = editor.document.getText();
    const merged = after.replace('key50: value 50', 'key50: mine');
    caretAt(editor, 'value 100');
    const scroll = await visibleTop(editor);
    saved = [];
    unsaved = [];

    assert.deepEqual(await write(file, mine, merged), { kind: 'written' });

    assert.equal(await onDisk(file), merged);
    assert.equal(editor.document.getText(), merged);
    assert.equal(editor.document.isDirty, false);
    assert.equal(textAtCaret(editor), 'value 100');
    // One line was added above what the person looks at.
    await until('the same lines are seen', () => editor.visibleRanges[0]?.start.line === scroll + 1);
    await vscode.commands.executeCommand('undo');
    assert.equal(editor.document.getText(), mine, 'the whole change is one step');
    await vscode.commands.executeCommand('undo');
    assert.equal(editor.document.getText(), before, 'the own step before it is still there');
  });

  it('[I9] does not say that the person saved', async () => {
    const { file } = await open(before);
    assert.deepEqual(await write(file, before, after), { kind: 'written' });
    assert.deepEqual(saved, []);
    assert.deepEqual(unsaved, []);
    assert.equal(files.hasUnsavedEdits(file), false);
  });

  it('[I3] is not formatted', async () => {
    await setFormatOnSave(true);
    try {
      const { file, editor } = await open(before);
      assert.deepEqual(await write(file, before, after), { kind: 'written' });
      assert.equal(await onDisk(file), after);
      await type(editor, 'key50: value 50', 'key50: mine');
      await editor.document.save();
      assert.match(await onDisk(file), /^# formatted/, 'the formatter of this test works');
    } finally {
      await setFormatOnSave(undefined);
    }
  });

  it('[I3] keeps line ends and BOM', async () => {
    const crlf = (text: string): string => `\uFEFF${text.replaceAll('\n', '\r\n')}`;
    const { file, editor } = await open(crlf(before));
    assert.equal(editor.document.eol, vscode.EndOfLine.CRLF);
    caretAt(editor, 'value 100');
    assert.deepEqual(await write(file, crlf(before), crlf(after)), { kind: 'written' });
    assert.equal(await onDisk(file), crlf(after));
    assert.equal(textAtCaret(editor), 'value 100');
    assert.equal(editor.document.isDirty, false);
  });

  it('[I3] keeps mixed line ends, which an editor would make equal', async () => {
    const mixed = before.replace('\n', '\r\n');
    const { file } = await open(mixed);
    const wanted = mixed.replace('value 150', 'changed');
    assert.deepEqual(await write(file, mixed, wanted), { kind: 'written' });
    assert.equal(await onDisk(file), wanted);
  });

  it('is written on the disk where the editor may not save it, and is not left unsaved', async () => {
    const setting = vscode.workspace.getConfiguration('files');
    await setting.update('readonlyInclude', { '**/written*.yaml': true }, vscode.ConfigurationTarget.Workspace);
    try {
      const { file, editor } = await open(before);
      assert.deepEqual(await write(file, before, after), { kind: 'written' });
      assert.equal(await onDisk(file), after);
      await until('the editor shows it', () => editor.document.getText() === after && !editor.document.isDirty);
      assert.ok(!unsaved.includes(file));
    } finally {
      await setting.update('readonlyInclude', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  it('[I10] is not written where it is a link that leaves the folder', async () => {
    const outside = join(folder, '..', 'outside.yaml');
    await writeFile(outside, before);
    const file = join(folder, 'written-link.yaml');
    await symlink(outside, file);
    const editor = await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: false });
    assert.equal((await write(file, before, after)).kind, 'failed');
    assert.equal(editor.document.getText(), before);
    assert.equal(editor.document.isDirty, false);
    assert.equal(await onDisk(outside), before);
  });

  it('is not saved by hand because auto-save is on', async () => {
    const setting = vscode.workspace.getConfiguration('files');
    await setting.update('autoSave', 'afterDelay', vscode.ConfigurationTarget.Workspace);
    try {
      const { file } = await open(before);
      saved = [];
      assert.deepEqual(await write(file, before, after), { kind: 'written' });
      assert.equal(await onDisk(file), after);
      assert.deepEqual(
        saved.filter((one) => one.file === file),
        [],
      );
    } finally {
      await setting.update('autoSave', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  it('is not written where it is not what the merge started from', async () => {
    const { file, editor } = await open(before);
    assert.deepEqual(await write(file, before.replace('value 7', 'other'), after), { kind: 'changed' });
    assert.equal(await onDisk(file), before);
    assert.equal(editor.document.getText(), before);
  });

  it('is not written where the disk is ahead of the editor', async () => {
    const { file } = await open(before);
    const newer = before.replace('value 9\n', 'newer\n');
    await writeFile(file, newer);
    assert.deepEqual(await write(file, before, after), { kind: 'changed' });
    assert.equal(await onDisk(file), newer);
  });

  it('[I1] loses nothing of what is typed while it is written', async () => {
    for (let round = 0; round < 5; round++) {
      const { file, editor } = await open(before);
      caretAt(editor, 'value 100');
      const writing = write(file, before, after);
      const typing = vscode.commands.executeCommand('type', { text: 'TYPED' });
      const [outcome] = await Promise.all([writing, typing]);
      const text = editor.document.getText();
      assert.ok(text.includes('TYPED'), `round ${round}: ${outcome.kind}`);
      if (outcome.kind === 'written') assert.ok((await onDisk(file)).includes('key198: changed'));
      else assert.equal(outcome.kind, 'unsaved');
      await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    }
  });
});

describe('a file that is open beside the active editor', () => {
  it('[I12] takes a change on the disk, and its caret and scroll stay with their text', async () => {
    const { file, editor } = await open(before);
    caretAt(editor, 'value 100');
    const scroll = await visibleTop(editor);
    await openBeside('other: file\n');

    assert.deepEqual(await write(file, before, after), { kind: 'written' });
    assert.equal(await onDisk(file), after);
    await until('the editor shows it', () => editor.document.getText() === after);
    await until('the caret is with its text', () => textAtCaret(editor) === 'value 100');
    await until('the same lines are seen', () => editor.visibleRanges[0]?.start.line === scroll + 1);
    assert.equal(editor.document.isDirty, false);
    assert.deepEqual(saved, []);
    assert.deepEqual(unsaved, []);
  });

  it('[I12] keeps a selection and several carets', async () => {
    const { file, editor } = await open(before);
    await openBeside('other: file\n');
    const start = editor.document.positionAt(before.indexOf('value 60'));
    const end = start.translate(2, 0);
    const third = editor.document.positionAt(before.indexOf('value 90'));
    editor.selections = [new vscode.Selection(end, start), new vscode.Selection(third, third)];
    await until('the selections are set', () => editor.selections.length === 2);

    assert.deepEqual(await write(file, before, after), { kind: 'written' });
    await until('the editor shows it', () => editor.document.getText() === after);
    await until('the selections moved', () => editor.selections[0]?.active.line === start.line + 1);
    assert.deepEqual(
      editor.selections.map(({ anchor, active }) => [anchor.line, anchor.character, active.line, active.character]),
      [
        [end.line + 1, end.character, start.line + 1, start.character],
        [third.line + 1, third.character, third.line + 1, third.character],
      ],
    );
  });

  it('[I12] keeps its caret through several changes that come faster than VS Code looks', async () => {
    const { file, editor } = await open(before);
    caretAt(editor, 'value 100');
    await openBeside('other: file\n');
    const last = after.replace('key190: value 190', 'key190: changed\nkey190b: added');
    assert.deepEqual(await write(file, before, after), { kind: 'written' });
    assert.deepEqual(await write(file, after, last), { kind: 'written' });
    await until('the editor shows both', () => editor.document.getText() === last);
    await until('the caret is with its text', () => textAtCaret(editor) === 'value 100');
    const again = last.replace('key3: value 3\n', '');
    assert.deepEqual(await write(file, last, again), { kind: 'written' });
    await until('the editor shows the third', () => editor.document.getText() === again);
    await until('the caret is with its text', () => textAtCaret(editor) === 'value 100');
  });

  it('[I12] keeps the carets of two editors on one file apart', async () => {
    const { file, editor } = await open(before);
    caretAt(editor, 'value 150');
    const second = await vscode.window.showTextDocument(editor.document, { viewColumn: vscode.ViewColumn.Two });
    caretAt(second, 'value 50');
    await until('both carets are set', () => textAtCaret(second) === 'value 50' && textAtCaret(editor) === 'value 150');
    assert.deepEqual(await write(file, before, after), { kind: 'written' });
    await until(
      'both carets are with their text',
      () => textAtCaret(second) === 'value 50' && textAtCaret(editor) === 'value 150',
    );
    assert.equal(editor.document.isDirty, false);
  });

  it('is left alone when somebody types in it', async () => {
    const { file, editor } = await open(before);
    await type(editor, 'key50: value 50', 'key50: typing');
    await openBeside('other: file\n');
    const typed = editor.document.getText();
    assert.equal(files.hasUnsavedEdits(file), true);
    assert.deepEqual(await write(file, before, after), { kind: 'unsaved' });
    assert.equal(editor.document.getText(), typed);
    assert.equal(await onDisk(file), before);
  });
});

describe('a file that no editor shows', () => {
  it('is written on the disk', async () => {
    const file = await create(before);
    assert.deepEqual(await write(file, before, after), { kind: 'written' });
    assert.equal(await onDisk(file), after);
    assert.deepEqual(await write(file, before, after), { kind: 'changed' });
  });
});

describe('what a person does', () => {
  it('is heard: typing, saving, throwing away', async () => {
    const { file, editor } = await open(before);
    await type(editor, 'key50: value 50', 'key50: mine');
    await until('it is unsaved', () => unsaved.length === 1);
    assert.equal(files.unsavedText(file), before.replace('key50: value 50', 'key50: mine'));
    await vscode.commands.executeCommand('workbench.action.files.save');
    await until('it is saved', () => saved.length === 1);
    assert.deepEqual(saved, [{ file, text: before.replace('key50: value 50', 'key50: mine'), isAutoSave: false }]);
    assert.deepEqual(unsaved, [file, file]);
    assert.equal(files.unsavedText(file), undefined);

    await type(editor, 'key50: mine', 'key50: never mind');
    await until('it is unsaved again', () => unsaved.length === 3);
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await until('it was thrown away', () => unsaved.length === 4);
    assert.equal(files.hasUnsavedEdits(file), false);
    assert.equal(saved.length, 1, 'nothing was saved');
  });

  it('is told apart from saving by a timer', async () => {
    const setting = vscode.workspace.getConfiguration('files');
    const { file, editor } = await open(before);
    await setting.update('autoSaveDelay', 200, vscode.ConfigurationTarget.Workspace);
    await setting.update('autoSave', 'afterDelay', vscode.ConfigurationTarget.Workspace);
    try {
      await type(editor, 'key50: value 50', 'key50: mine');
      // The settings' own file is saved too.
      const mine = (): SavedText[] => saved.filter((one) => one.file === file);
      await until('it is saved by itself', () => mine().length > 0);
      assert.deepEqual(
        mine().map(({ isAutoSave }) => isAutoSave),
        [true],
      );
    } finally {
      await setting.update('autoSave', undefined, vscode.ConfigurationTarget.Workspace);
      await setting.update('autoSaveDelay', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  it('can be merged with what waits, without saving', async () => {
    const { file, editor } = await open(before);
    await type(editor, 'key50: value 50', 'key50: mine');
    const buffer = files.unsavedText(file) ?? '';
    const merged = after.replace('key50: value 50', 'key50: mine');
    assert.equal(await files.editBuffer(file, diffSplices(buffer, merged)), true);
    assert.equal(editor.document.getText(), merged);
    assert.equal(editor.document.isDirty, true);
    assert.equal(await onDisk(file), before);
    assert.equal(await files.editBuffer(file, diffSplices(buffer, merged)), false, 'the buffer has moved on');
  });
});

describe('finding documents', () => {
  it('leaves out what is not the person’s own, and what the setting says', async () => {
    for (const path of ['api/v1.yaml', 'api/v1.json', 'api/v1.txt', 'node_modules/x/api.yaml', 'generated/api.yaml']) {
      const file = join(folder, 'finding', path);
      await mkdir(join(file, '..'), { recursive: true });
      await writeFile(file, 'openapi: 3.1.0\n');
    }
    const found = await files.findCandidates(folder);
    const names = found.map((file) => file.slice(folder.length + 1)).filter((name) => name.startsWith('finding'));
    assert.deepEqual(names.sort(), ['finding/api/v1.json', 'finding/api/v1.yaml']);
  });
});

async function create(text: string): Promise<string> {
  const file = join(folder, `written${number++}.yaml`);
  await writeFile(file, text);
  return file;
}

async function open(text: string): Promise<{ file: string; editor: vscode.TextEditor }> {
  const file = await create(text);
  const editor = await vscode.window.showTextDocument(vscode.Uri.file(file), {
    preview: false,
    viewColumn: vscode.ViewColumn.One,
  });
  return { file, editor };
}

async function openBeside(text: string): Promise<void> {
  await vscode.window.showTextDocument(vscode.Uri.file(await create(text)), { viewColumn: vscode.ViewColumn.Two });
}

async function write(file: string, from: string, to: string): Promise<WriteOutcome> {
  return await files.write({ file, before: from, after: to, splices: diffSplices(from, to) });
}

async function onDisk(file: string): Promise<string> {
  return await readFile(file, 'utf8');
}

/** An edit as typing makes one: its own undo step, and the document is unsaved. */
async function type(editor: vscode.TextEditor, from: string, to: string): Promise<void> {
  const offset = editor.document.getText().indexOf(from);
  const range = new vscode.Range(editor.document.positionAt(offset), editor.document.positionAt(offset + from.length));
  await editor.edit((edit) => edit.replace(range, to));
  await until('the editor is unsaved', () => editor.document.isDirty);
}

function caretAt(editor: vscode.TextEditor, text: string): void {
  const position = editor.document.positionAt(editor.document.getText().indexOf(text));
  editor.selection = new vscode.Selection(position, position);
  editor.revealRange(new vscode.Range(position, position), vscode.TextEditorRevealType.AtTop);
}

function textAtCaret(editor: vscode.TextEditor): string {
  const { active } = editor.selection;
  return editor.document.lineAt(active.line).text.slice(active.character);
}

async function visibleTop(editor: vscode.TextEditor): Promise<number> {
  let top = -1;
  await until('the editor is still', () => {
    const now = editor.visibleRanges[0]?.start.line ?? -1;
    const isStill = now === top && now > 0;
    top = now;
    return isStill;
  });
  return top;
}

async function setFormatOnSave(isOn: true | undefined): Promise<void> {
  if (isOn === true) {
    disposables.push(
      vscode.languages.registerDocumentFormattingEditProvider('yaml', {
        provideDocumentFormattingEdits: () => [vscode.TextEdit.insert(new vscode.Position(0, 0), '# formatted\n')],
      }),
    );
  }
  await vscode.workspace.getConfiguration('editor').update('formatOnSave', isOn, vscode.ConfigurationTarget.Workspace);
}

/** Asks again until it is so: VS Code tells its extension host of most things a little later. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
