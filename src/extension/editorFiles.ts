import { access, constants } from 'node:fs/promises';
import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Event } from '../core/event.ts';
import { Emitter } from '../core/event.ts';
import { applySplices, checkSplices } from '../core/merge/splices.ts';
import type { Splice } from '../core/merge/types.ts';
import type { Logger } from '../core/ports.ts';
import type { SavedText, WorkingFiles, WriteOutcome, WriteRequest } from '../core/workingFiles.ts';
import { isCandidateName, outsideProblem, readRawText } from '../node/files/diskFiles.ts';
import { realFileInside } from '../node/files/insideFolder.ts';
import type { BufferWrite } from './editorSplices.ts';
import { toBufferWrite, withBom } from './editorSplices.ts';
import type { FolderPaths } from './folderPaths.ts';
import { KeepViews } from './keepViews.ts';
import { problems } from './problems.ts';
import { baseName } from './words.ts';

const BOM = '\uFEFF';

export interface EditorFilesOptions {
  /** The workspace folder; saves outside of it are somebody else's. */
  readonly paths: FolderPaths;
  /** Writes what no editor has open, and what an editor could not write byte for byte. */
  readonly disk: WorkingFiles;
  readonly ignore: readonly string[];
  readonly logger: Logger;
}

/**
 * The working files as a person in VS Code has them. What an editor does with a change from outside decides how each
 * file is written, so that caret, scroll and undo stay:
 * - in the active editor and clean: one edit per splice, then a save that runs no formatter;
 * - open elsewhere and clean: on disk, and the carets of visible editors are carried through the splices;
 * - not open: on disk; unsaved: not at all.
 */
export class EditorFiles implements WorkingFiles {
  readonly #store = new DisposableStore();
  readonly #options: EditorFilesOptions;
  readonly #keepViews: KeepViews;
  readonly #saved: Emitter<SavedText>;
  readonly #unsaved: Emitter<string>;
  /** Documents that were unsaved when we last looked; to see the moment they change. */
  readonly #unsavedFiles = new Set<string>();
  /** Files with an edit of ours on the way to the disk, and the buffer text it leads to: not the person's doing (I9). */
  readonly #ownWrites = new Map<string, string>();
  readonly #saveReasons = new Map<string, vscode.TextDocumentSaveReason>();
  /** Version of the buffer that `unsavedText` gave out last: splices for an older one would land in the wrong place. */
  readonly #givenOut = new Map<string, number>();

  readonly onDidSave: Event<SavedText>;
  readonly onDidChangeUnsaved: Event<string>;

  constructor(options: EditorFilesOptions) {
    this.#options = options;
    const onListenerError = (error: unknown): void =>
      options.logger.error('A listener failed.', { error: String(error) });
    this.#saved = this.#store.add(new Emitter<SavedText>(onListenerError));
    this.#unsaved = this.#store.add(new Emitter<string>(onListenerError));
    this.#keepViews = this.#store.add(new KeepViews());
    this.onDidSave = this.#saved.event;
    this.onDidChangeUnsaved = this.#unsaved.event;
    for (const document of vscode.workspace.textDocuments) {
      if (this.#isWatched(document) && document.isDirty) this.#unsavedFiles.add(this.#fileOf(document));
    }
    this.#store.add(vscode.workspace.onDidChangeTextDocument(({ document }) => this.#look(document)));
    this.#store.add(vscode.workspace.onDidCloseTextDocument((document) => this.#closed(document)));
    this.#store.add(
      vscode.workspace.onWillSaveTextDocument(({ document, reason }) => {
        if (this.#isWatched(document)) this.#saveReasons.set(this.#fileOf(document), reason);
      }),
    );
    this.#store.add(
      vscode.workspace.onDidSaveTextDocument((document) => {
        if (this.#isWatched(document)) void this.#didSave(document);
      }),
    );
  }

  hasUnsavedEdits(file: string): boolean {
    const document = this.#openDocument(file);
    return document !== undefined && document.isDirty && !this.#isOwnWrite(document);
  }

  unsavedText(file: string): string | undefined {
    const document = this.#openDocument(file);
    if (document === undefined || !document.isDirty || this.#isOwnWrite(document)) return undefined;
    this.#givenOut.set(file, document.version);
    return rawText(document);
  }

  async write(request: WriteRequest): Promise<WriteOutcome> {
    const document = this.#openDocument(request.file);
    if (document === undefined || request.before === undefined) return await this.#options.disk.write(request);
    if (document.isDirty) return { kind: 'unsaved' };
    // The editor saves through a link wherever it leads.
    if (realFileInside(this.#options.paths.realFolder, request.file) === undefined)
      return { kind: 'failed', problem: outsideProblem(request.file) };
    const bufferWrite = toBufferWrite(request.before, request.after, request.splices);
    if (bufferWrite !== undefined && this.#canEdit(document, bufferWrite)) {
      return await this.#writeInEditor(document, request, bufferWrite);
    }
    return await this.#writeBesideEditor(document, request);
  }

  async remove(file: string, before: string): Promise<WriteOutcome> {
    const { disk, paths } = this.#options;
    if (this.#openDocument(file)?.isDirty === true) return { kind: 'unsaved' };
    if (realFileInside(paths.realFolder, file) === undefined) return { kind: 'failed', problem: outsideProblem(file) };
    if ((await readOrUndefined(file)) !== before) return { kind: 'changed' };
    try {
      await vscode.workspace.fs.delete(vscode.Uri.file(paths.toEditor(file)), { useTrash: true });
      return { kind: 'written' };
    } catch (error) {
      // Not every system has a trash, a remote one has none. The library still has the text, and Bring Back restores it.
      this.#options.logger.debug('The file could not be put into the trash.', { error: String(error) });
      return await disk.remove(file, before);
    }
  }

  async move(from: string, to: string, before: string): Promise<WriteOutcome> {
    const { disk, paths, logger } = this.#options;
    const document = this.#openDocument(from);
    if (document === undefined) return await disk.move(from, to, before);
    if (document.isDirty) return { kind: 'unsaved' };
    const isInside = [from, to].every((file) => realFileInside(paths.realFolder, file) !== undefined);
    if (!isInside) return { kind: 'failed', problem: outsideProblem(to) };
    if ((await readOrUndefined(from)) !== before) return { kind: 'changed' };
    const edit = new vscode.WorkspaceEdit();
    edit.renameFile(vscode.Uri.file(paths.toEditor(from)), vscode.Uri.file(paths.toEditor(to)), { overwrite: false });
    // The editor's own rename takes open tabs along.
    if (await vscode.workspace.applyEdit(edit)) return { kind: 'written' };
    logger.debug('The editor did not rename a file that it has open.');
    return await disk.move(from, to, before);
  }

  async editBuffer(file: string, splices: readonly Splice[]): Promise<boolean> {
    const document = this.#openDocument(file);
    if (document?.isDirty !== true) return false;
    const version = this.#givenOut.get(file);
    if (version !== undefined && version !== document.version) return false;
    const text = rawText(document);
    if (checkSplices(splices, text.length).length > 0) return false;
    const bufferWrite = toBufferWrite(text, applySplices(text, splices), splices);
    if (bufferWrite === undefined) return false;
    return await vscode.workspace.applyEdit(toWorkspaceEdit(document, bufferWrite.splices));
  }

  async findCandidates(folder: string): Promise<readonly string[]> {
    const { paths } = this.#options;
    const base = vscode.Uri.file(folder === paths.realFolder ? paths.editorFolder : folder);
    const exclude = ['**/node_modules/**', '**/.git/**', ...this.#options.ignore.flatMap(ignoreGlobs)].join(',');
    const found = await vscode.workspace.findFiles(
      new vscode.RelativePattern(base, '**/*.{yaml,yml,json}'),
      `{${exclude}}`,
    );
    return found.map((uri) => paths.toReal(uri.fsPath)).filter((file) => isCandidateName(baseName(file)));
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** Whether the save command would save this document, and the buffer is what the merge started from. */
  #canEdit(document: vscode.TextDocument, bufferWrite: BufferWrite): boolean {
    return isInActiveTab(document) && isUtf8(document) && document.getText() === bufferWrite.before;
  }

  async #writeInEditor(
    document: vscode.TextDocument,
    request: WriteRequest,
    bufferWrite: BufferWrite,
  ): Promise<WriteOutcome> {
    const { file } = request;
    // The buffer may lag behind the disk by the time VS Code needs to see a change; saving it then would ask the person.
    if ((await readOrUndefined(file)) !== request.before) return { kind: 'changed' };
    // Let the disk say why: the editor would show its own dialog.
    if (!(await isWritable(file))) return await this.#options.disk.write(request);
    if (isUnsaved(document)) return { kind: 'unsaved' };
    if (document.isClosed || !this.#canEdit(document, bufferWrite)) return { kind: 'changed' };

    this.#ownWrites.set(file, bufferWrite.after);
    const views = this.#keepViews.expect(document, bufferWrite.after, 'edit');
    try {
      // VS Code refuses the edit if somebody typed in between.
      const isApplied = await vscode.workspace.applyEdit(toWorkspaceEdit(document, bufferWrite.splices));
      if (!isApplied) return { kind: isUnsaved(document) ? 'unsaved' : 'changed' };
      // Somebody typed since: what came is in the buffer now, and their own save will carry both.
      if (document.getText() !== bufferWrite.after) return { kind: 'unsaved' };
      const outcome = await this.#saveOwnEdit(document, request, bufferWrite);
      if (outcome !== 'notSaved') return outcome;
    } finally {
      views.dispose();
      this.#ownWrites.delete(file);
      this.#look(document);
    }
    // Read-only in this editor only, for example: the disk may know better, and else says why not.
    if (isUnsaved(document)) return { kind: 'failed', problem: problems.saveFailed(baseName(file)) };
    return await this.#writeBesideEditor(document, request);
  }

  async #saveOwnEdit(
    document: vscode.TextDocument,
    request: WriteRequest,
    bufferWrite: BufferWrite,
  ): Promise<WriteOutcome | 'notSaved'> {
    if (isInActiveTab(document)) await vscode.commands.executeCommand('workbench.action.files.saveWithoutFormatting');
    // The person changed tabs in these milliseconds, and the command saved the other one or nothing.
    if (document.isDirty && document.getText() === bufferWrite.after) await document.save();
    // A document that is read-only in the editor never counts as unsaved, and is not saved either.
    if (!document.isDirty && (await readOrUndefined(request.file)) === request.after) return { kind: 'written' };
    if (document.getText() !== bufferWrite.after) return { kind: 'unsaved' };
    await this.#takeBack(document, bufferWrite);
    return 'notSaved';
  }

  /** A change that cannot be saved must not stay in the buffer as if the person had typed it. */
  async #takeBack(document: vscode.TextDocument, bufferWrite: BufferWrite): Promise<void> {
    if (isInActiveTab(document)) {
      await vscode.commands.executeCommand('workbench.action.files.revert');
      return;
    }
    const edit = new vscode.WorkspaceEdit();
    edit.replace(
      document.uri,
      new vscode.Range(document.positionAt(0), document.positionAt(bufferWrite.after.length)),
      bufferWrite.before,
    );
    await vscode.workspace.applyEdit(edit);
  }

  async #writeBesideEditor(document: vscode.TextDocument, request: WriteRequest): Promise<WriteOutcome> {
    const after = request.after.startsWith(BOM) ? request.after.slice(1) : request.after;
    const views = this.#keepViews.expect(document, after, 'reload');
    const outcome = await this.#options.disk.write(request);
    if (outcome.kind !== 'written') views.dispose();
    return outcome;
  }

  async #didSave(document: vscode.TextDocument): Promise<void> {
    const file = this.#fileOf(document);
    const reason = this.#saveReasons.get(file) ?? vscode.TextDocumentSaveReason.Manual;
    this.#saveReasons.delete(file);
    const isOwn = this.#isOwnWrite(document);
    this.#look(document);
    if (isOwn) return;
    // Typing went on while the save was under way: what was saved is on the disk, not in the buffer.
    const text = document.isDirty ? await readOrUndefined(file) : rawText(document);
    if (text === undefined || this.#store.isDisposed) return;
    this.#saved.fire({ file, text, isAutoSave: reason !== vscode.TextDocumentSaveReason.Manual });
  }

  #look(document: vscode.TextDocument): void {
    if (!this.#isWatched(document)) return;
    const file = this.#fileOf(document);
    const isUnsaved = document.isDirty && !document.isClosed && !this.#isOwnWrite(document);
    if (isUnsaved === this.#unsavedFiles.has(file)) return;
    if (isUnsaved) this.#unsavedFiles.add(file);
    else this.#unsavedFiles.delete(file);
    this.#unsaved.fire(file);
  }

  #closed(document: vscode.TextDocument): void {
    if (!this.#isWatched(document)) return;
    const file = this.#fileOf(document);
    this.#saveReasons.delete(file);
    this.#givenOut.delete(file);
    if (this.#unsavedFiles.delete(file)) this.#unsaved.fire(file);
  }

  #openDocument(file: string): vscode.TextDocument | undefined {
    const key = vscode.Uri.file(this.#options.paths.toEditor(file)).toString();
    return vscode.workspace.textDocuments.find((document) => document.uri.toString() === key && !document.isClosed);
  }

  /** The file of a document as a peer names it; every table here is kept by that. */
  #fileOf(document: vscode.TextDocument): string {
    return this.#options.paths.toReal(document.uri.fsPath);
  }

  #isWatched(document: vscode.TextDocument): boolean {
    const { scheme, fsPath } = document.uri;
    return scheme === 'file' && isCandidateName(baseName(fsPath)) && this.#options.paths.contains(fsPath);
  }

  #isOwnWrite(document: vscode.TextDocument): boolean {
    const text = this.#ownWrites.get(this.#fileOf(document));
    return text !== undefined && text === document.getText();
  }
}

/** `isDirty` behind an await, where the compiler believes what it saw before. */
function isUnsaved(document: vscode.TextDocument): boolean {
  return document.isDirty;
}

/** `saveWithoutFormatting` saves what the active tab of the active group shows; `activeTextEditor` may be an output panel. */
function isInActiveTab(document: vscode.TextDocument): boolean {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputText && input.uri.toString() === document.uri.toString();
}

function isUtf8(document: vscode.TextDocument): boolean {
  return document.encoding === 'utf8' || document.encoding === 'utf8bom';
}

function rawText(document: vscode.TextDocument): string {
  return withBom(document.getText(), document.encoding === 'utf8bom');
}

function toWorkspaceEdit(document: vscode.TextDocument, splices: readonly Splice[]): vscode.WorkspaceEdit {
  const edit = new vscode.WorkspaceEdit();
  const edits = splices.map(({ offset, deleteCount, insert }) => {
    const range = new vscode.Range(document.positionAt(offset), document.positionAt(offset + deleteCount));
    return vscode.TextEdit.replace(range, insert);
  });
  edit.set(document.uri, edits);
  return edit;
}

/** A pattern without a slash means a name at any depth, and everything below a folder of that name. */
function ignoreGlobs(pattern: string): string[] {
  const anchored = pattern.includes('/') ? pattern : `**/${pattern}`;
  // Braces do not nest in VS Code's globs; such a pattern is left to the check of what was found.
  return /[{},]/.test(anchored) ? [] : [anchored, `${anchored.replace(/\/$/, '')}/**`];
}

async function readOrUndefined(file: string): Promise<string | undefined> {
  try {
    return await readRawText(file);
  } catch {
    // Not UTF-8, or not readable: then it is not what the merge started from.
    return undefined;
  }
}

async function isWritable(file: string): Promise<boolean> {
  try {
    await access(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
