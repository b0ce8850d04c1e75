import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import { diffSplices } from '../core/merge/splices.ts';
import type { Splice } from '../core/merge/types.ts';
import type { Disposable } from '../core/ports.ts';
import { mapCaret, mapLine } from './editorSplices.ts';

/** What a person sees of a document in one visible editor. */
interface View {
  readonly editor: vscode.TextEditor;
  selections: readonly vscode.Selection[];
  topLine: number | undefined;
}

interface Expected {
  readonly document: vscode.TextDocument;
  /** What the document holds now. */
  before: string;
  views: View[];
  /** What it is about to hold, in this order; a reload may leave some of them out. */
  readonly coming: Coming[];
}

interface Coming {
  readonly text: string;
  /** An edit carries the carets along by itself, a reload does not; neither carries what is seen. */
  readonly by: 'edit' | 'reload';
}

/**
 * VS Code reloads a file that changed on disk as one replacement from the first to the last difference, and throws the
 * carets in between to its end. This puts carets and scroll of visible editors back to where the same text is now.
 */
export class KeepViews implements Disposable {
  readonly #store = new DisposableStore();
  readonly #expected = new Map<string, Expected>();

  constructor() {
    this.#store.add(vscode.workspace.onDidChangeTextDocument((event) => this.#changed(event)));
    this.#store.add(
      vscode.workspace.onDidCloseTextDocument((document) => this.#expected.delete(document.uri.toString())),
    );
    this.#store.add(
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) =>
        this.#remember(textEditor, (view) => (view.selections = textEditor.selections)),
      ),
    );
    this.#store.add(
      vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) =>
        this.#remember(textEditor, (view) => (view.topLine = topLineOf(textEditor))),
      ),
    );
  }

  /** Says that the document is about to become `text`; dispose what comes back if it does not. */
  expect(document: vscode.TextDocument, text: string, by: Coming['by']): Disposable {
    const key = document.uri.toString();
    const expected = this.#expected.get(key) ?? {
      document,
      before: document.getText(),
      views: viewsOf(document),
      coming: [],
    };
    this.#expected.set(key, expected);
    const coming: Coming = { text, by };
    expected.coming.push(coming);
    return {
      dispose: () => {
        const at = expected.coming.indexOf(coming);
        if (at >= 0) expected.coming.splice(at, 1);
        if (expected.coming.length === 0 && this.#expected.get(key) === expected) this.#expected.delete(key);
      },
    };
  }

  dispose(): void {
    this.#expected.clear();
    this.#store.dispose();
  }

  /** Until the change comes, the person may move on. */
  #remember(editor: vscode.TextEditor, update: (view: View) => void): void {
    const expected = this.#expected.get(editor.document.uri.toString());
    if (expected === undefined || editor.document.getText() !== expected.before) return;
    const view = expected.views.find((one) => one.editor === editor);
    if (view === undefined) expected.views.push(...viewsOf(expected.document).filter((one) => one.editor === editor));
    else update(view);
  }

  #changed(event: vscode.TextDocumentChangeEvent): void {
    const { document } = event;
    const key = document.uri.toString();
    const expected = this.#expected.get(key);
    if (expected === undefined || event.contentChanges.length === 0) return;
    const text = document.getText();
    const at = expected.coming.findIndex((coming) => coming.text === text);
    const by = expected.coming[at]?.by;
    expected.coming.splice(0, at + 1);
    // Somebody typed first, or the file was written again by others: their carets are right as they are.
    if (by === undefined || expected.coming.length === 0) this.#expected.delete(key);
    if (by === undefined) return;
    const splices = diffSplices(expected.before, text);
    for (const view of expected.views) {
      if (!vscode.window.visibleTextEditors.includes(view.editor)) continue;
      if (by === 'reload') restoreSelections(view, document, expected.before, splices);
      restoreScroll(view, expected.before, splices);
    }
    // For what is still to come, this is where the person looks from now on.
    expected.before = text;
  }
}

function restoreSelections(
  view: View,
  document: vscode.TextDocument,
  before: string,
  splices: readonly Splice[],
): void {
  const move = (position: vscode.Position): vscode.Position =>
    document.positionAt(mapCaret(offsetIn(before, position), splices));
  view.selections = view.selections.map(
    (selection) => new vscode.Selection(move(selection.anchor), move(selection.active)),
  );
  view.editor.selections = view.selections;
}

/** VS Code keeps the distance from the top of the file; a person looks at a text. */
function restoreScroll(view: View, before: string, splices: readonly Splice[]): void {
  if (view.topLine === undefined) return;
  const topLine = mapLine(view.topLine, before, splices);
  if (topLine === view.topLine) return;
  view.topLine = topLine;
  const line = new vscode.Position(Math.max(0, topLine + linesKeptAbove(view.editor)), 0);
  view.editor.revealRange(new vscode.Range(line, line), vscode.TextEditorRevealType.AtTop);
}

/** VS Code reveals a line with room for sticky lines above it, even "at the top". */
function linesKeptAbove(editor: vscode.TextEditor): number {
  const settings = vscode.workspace.getConfiguration('editor', editor.document);
  const stickyLines = settings.get<boolean>('stickyScroll.enabled', true)
    ? settings.get('stickyScroll.maxLineCount', 5)
    : 0;
  const wanted = Math.max(stickyLines, settings.get('cursorSurroundingLines', 0));
  const [range] = editor.visibleRanges;
  return range === undefined ? wanted : Math.min(wanted, Math.floor((range.end.line - range.start.line) / 2));
}

function viewsOf(document: vscode.TextDocument): View[] {
  return vscode.window.visibleTextEditors
    .filter((editor) => editor.document === document)
    .map((editor) => ({ editor, selections: editor.selections, topLine: topLineOf(editor) }));
}

function topLineOf(editor: vscode.TextEditor): number | undefined {
  return editor.visibleRanges[0]?.start.line;
}

function offsetIn(text: string, position: vscode.Position): number {
  let start = 0;
  for (let line = 0; line < position.line; line++) {
    const lineFeed = text.indexOf('\n', start);
    if (lineFeed < 0) return text.length;
    start = lineFeed + 1;
  }
  return Math.min(start + position.character, text.length);
}
