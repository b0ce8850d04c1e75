import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import type { PageElement } from './pageElement.ts';
import { untilGone, untilShown } from './shown.ts';
import { waitFor } from './waitFor.ts';
import type { WaitOptions } from './waitFor.ts';
import type { WorkbenchWindow } from './window.ts';

/** Zero-based, as VS Code counts. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

/** The text editors of a window. Files are named relative to the window's folder. */
export class Editor {
  readonly #window: WorkbenchWindow;

  constructor(window: WorkbenchWindow) {
    this.#window = window;
  }

  /** Opens a file for editing, with the focus in it. */
  async open(file: string): Promise<void> {
    const target = this.#path(file);
    await this.#window.host.evaluate(async ({ vscode, argument }) => {
      await vscode.window.showTextDocument(vscode.Uri.file(argument), { preview: false });
    }, target);
    await untilShown(this.#view(file));
    await this.focus(file);
  }

  /** Gives the keyboard to the editor of a file that is open. */
  async focus(file: string): Promise<void> {
    await this.#window.host.evaluate(async ({ vscode, argument }) => {
      await vscode.window.showTextDocument(vscode.Uri.file(argument), { preserveFocus: false });
      await vscode.commands.executeCommand('workbench.action.focusActiveEditorGroup');
    }, this.#path(file));
    await waitFor(`the focus in ${file}`, async () =>
      this.#view(file).evaluate((element: PageElement) => element.contains(element.ownerDocument.activeElement)),
    );
  }

  /** Types at the caret, key by key. */
  async type(file: string, text: string): Promise<void> {
    await this.focus(file);
    await this.#window.page.keyboard.type(text);
  }

  /** Presses a key, whatever has the focus. */
  async press(key: string): Promise<void> {
    await this.#window.page.keyboard.press(key);
  }

  /** Puts the caret somewhere, or selects up to `end`. */
  async placeCaret(file: string, position: Position, end: Position = position): Promise<void> {
    await this.focus(file);
    await this.#window.host.evaluate(
      ({ vscode, argument: { start, end: last } }) => {
        const editor = vscode.window.activeTextEditor;
        if (editor === undefined) throw new Error('No editor is active.');
        editor.selection = new vscode.Selection(start.line, start.character, last.line, last.character);
        editor.revealRange(editor.selection);
      },
      { start: position, end },
    );
    // The extension host believes at once what it asked for; only the page knows when it is so.
    await waitFor(`the caret at ${JSON.stringify(end)}`, async () => {
      const caret = await this.caret(file);
      const selecting = position.line !== end.line || position.character !== end.character;
      return caret.line === end.line && caret.character === end.character && caret.selected > 0 === selecting;
    });
  }

  /** Replaces the only occurrence of `before` by typing `after` over it. */
  async replace(file: string, before: string, after: string): Promise<void> {
    const text = await this.text(file);
    const offset = text.indexOf(before);
    if (offset === -1 || text.includes(before, offset + 1))
      throw new Error(`"${before}" is not exactly once in ${file}.`);
    await this.placeCaret(file, positionAt(text, offset), positionAt(text, offset + before.length));
    await this.type(file, after);
    const expected = text.slice(0, offset) + after + text.slice(offset + before.length);
    await this.waitForText(file, (now) => now === expected || now.includes(after));
  }

  /** Where the caret is, as the page shows it, and how many characters are selected; fails if the file is not in the active editor. */
  async caret(file: string): Promise<Position & { selected: number }> {
    const active = await this.#window.host.evaluate(
      ({ vscode }) => vscode.window.activeTextEditor?.document.uri.fsPath,
    );
    if (active !== this.#path(file)) throw new Error(`${file} is not in the active editor but ${String(active)}.`);
    const shown = (await this.#window.statusBar.find('status.editor.selection'))?.text ?? '';
    const [, line, column, selected] = /^Ln (\d+), Col (\d+)(?: \((\d+) selected\))?$/.exec(shown) ?? [];
    if (line === undefined || column === undefined) throw new Error(`The status bar shows no caret but "${shown}".`);
    return { line: Number(line) - 1, character: Number(column) - 1, selected: Number(selected ?? 0) };
  }

  /** The first and the last line on the screen. */
  async visibleLines(file: string): Promise<{ first: number; last: number }> {
    return this.#window.host.evaluate(({ vscode, argument }) => {
      const editor = vscode.window.visibleTextEditors.find((candidate) => candidate.document.uri.fsPath === argument);
      const range = editor?.visibleRanges[0];
      if (range === undefined) throw new Error(`${argument} has no visible editor.`);
      return { first: range.start.line, last: range.end.line };
    }, this.#path(file));
  }

  /** What the editor holds, saved or not; fails if the file is not open. */
  async text(file: string): Promise<string> {
    return (await this.#document(file)).text;
  }

  /** Whether it holds something that is not saved. */
  async isDirty(file: string): Promise<boolean> {
    return (await this.#document(file)).dirty;
  }

  /** Waits until everything is saved, or until something is not. */
  async waitForDirty(file: string, dirty: boolean, options?: WaitOptions): Promise<void> {
    await waitFor(
      `${file} to be ${dirty ? 'changed' : 'saved'}`,
      async () => (await this.isDirty(file)) === dirty,
      options,
    );
  }

  async isOpen(file: string): Promise<boolean> {
    return this.#window.host.evaluate(
      ({ vscode, argument }) =>
        vscode.workspace.textDocuments.some((document) => !document.isClosed && document.uri.fsPath === argument),
      this.#path(file),
    );
  }

  /** Waits until the open editor's text contains a string, or satisfies a condition. */
  async waitForText(
    file: string,
    expected: string | ((text: string) => boolean),
    options?: WaitOptions,
  ): Promise<string> {
    return waitFor(
      `${file} to hold ${typeof expected === 'string' ? JSON.stringify(expected) : 'what is expected'} in its editor`,
      async () => {
        const text = await this.text(file);
        return (typeof expected === 'string' ? text.includes(expected) : expected(text)) ? text : undefined;
      },
      options,
    );
  }

  /** Saves with the keyboard and waits until it is saved. */
  async save(file: string): Promise<void> {
    await this.focus(file);
    await this.press('ControlOrMeta+S');
    await this.waitForDirty(file, false);
  }

  /** Takes one step back with the keyboard. Wait for the text it should lead to. */
  async undo(file: string): Promise<void> {
    await this.focus(file);
    await this.press('ControlOrMeta+Z');
  }

  async redo(file: string): Promise<void> {
    await this.focus(file);
    await this.press('ControlOrMeta+Shift+Z');
  }

  /** Throws unsaved changes away, by the palette's "File: Revert File". */
  async revert(file: string): Promise<void> {
    await this.focus(file);
    await this.#window.runCommand('File: Revert File');
    await this.waitForDirty(file, false);
    await this.focus(file);
  }

  /** Closes the active editor by the palette. */
  async close(file: string): Promise<void> {
    await this.focus(file);
    await this.#window.runCommand('View: Close Editor');
    await untilGone(this.#view(file));
  }

  /** The bytes on the disk. */
  async onDisk(file: string): Promise<string> {
    return readFile(this.#path(file), 'utf8');
  }

  /** Waits until the file on the disk contains a string, or satisfies a condition. */
  async waitForDisk(
    file: string,
    expected: string | ((text: string) => boolean),
    options?: WaitOptions,
  ): Promise<string> {
    return waitFor(
      `${file} to hold ${typeof expected === 'string' ? JSON.stringify(expected) : 'what is expected'} on the disk`,
      async () => {
        const text = await this.onDisk(file);
        return (typeof expected === 'string' ? text.includes(expected) : expected(text)) ? text : undefined;
      },
      options,
    );
  }

  async #document(file: string): Promise<{ text: string; dirty: boolean }> {
    return this.#window.host.evaluate(({ vscode, argument }) => {
      const document = vscode.workspace.textDocuments.find((candidate) => candidate.uri.fsPath === argument);
      if (document === undefined) throw new Error(`${argument} is not open.`);
      return { text: document.getText(), dirty: document.isDirty };
    }, this.#path(file));
  }

  #path(file: string): string {
    return path.join(this.#window.folder, file);
  }

  #view(file: string): Locator {
    return this.#window.page
      .locator(`.editor-instance .monaco-editor[data-uri$="${encodeURI(this.#path(file))}"]`)
      .first();
  }
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
}
