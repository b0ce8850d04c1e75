import * as vscode from 'vscode';
import type { FoundConflict } from './conflictFinder.ts';

/** Opens the file beside, at the place of a conflict. */
export async function openAtConflict(found: FoundConflict): Promise<void> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(found.paths.toEditor(found.held.file)));
  const editor = await vscode.window.showTextDocument(document, {
    viewColumn: vscode.ViewColumn.Beside,
    preview: true,
  });
  const piece = found.held.conflict.ours;
  if (piece === undefined) return;
  const range = rangeOf(document, piece.start, piece.end);
  const { firstNonWhitespaceCharacterIndex } = document.lineAt(range.start.line);
  const start = range.start.with({ character: Math.max(range.start.character, firstNonWhitespaceCharacterIndex) });
  editor.selection = new vscode.Selection(start, start);
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

/** Where a conflict's element stands in its file; undefined where the file does not have it. */
export function conflictRange(document: vscode.TextDocument, { held }: FoundConflict): vscode.Range | undefined {
  const piece = held.conflict.ours;
  if (piece === undefined) return undefined;
  const { start, end } = rangeOf(document, piece.start, piece.end);
  // The line end that closes an element of block YAML is its own; the line after it is not.
  const isBehind = end.character === 0 && end.line > start.line;
  return new vscode.Range(start, isBehind ? document.lineAt(end.line - 1).range.end : end);
}

/** Pieces are measured in the revision, with LF: in a buffer with CRLF each line before counts one more. */
function rangeOf(document: vscode.TextDocument, start: number, end: number): vscode.Range {
  if (document.eol === vscode.EndOfLine.LF)
    return new vscode.Range(document.positionAt(start), document.positionAt(end));
  const text = document.getText().replaceAll('\r\n', '\n');
  const position = (offset: number): vscode.Position => {
    const before = text.slice(0, offset).split('\n');
    return new vscode.Position(before.length - 1, before.at(-1)?.length ?? 0);
  };
  return new vscode.Range(position(start), position(end));
}
