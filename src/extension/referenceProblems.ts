import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import { referencePlaces } from '../core/references/fileReferences.ts';
import type { BrokenReference } from '../peer/folderSession.ts';
import { FolderPaths } from './folderPaths.ts';
import type { OpenFolder } from './folderSessions.ts';
import { readSettings } from './readSettings.ts';
import { brokenReferencesSentence } from './sentences.ts';

const showLabel = 'Show';
/** Under this key VS Code keeps which ones were announced, so that a reload does not announce them again. */
const STORAGE_KEY = 'announcedReferences';

/** A broken reference, with its file as the editor names it. */
interface FoundReference extends BrokenReference {
  readonly key: string;
  readonly editorFile: string;
}

/**
 * References between documents that lead nowhere since two people's changes came together: each stands in Problems at
 * its place until it is mended, and one quiet notice says when there are new ones.
 */
export class ReferenceProblems implements Disposable {
  readonly #store = new DisposableStore();
  readonly #diagnostics = this.#store.add(vscode.languages.createDiagnosticCollection('API Live Sync references'));
  readonly #folders: () => readonly OpenFolder[];
  readonly #storage: vscode.Memento;
  readonly #logger: Logger;
  #found: readonly FoundReference[] = [];
  #updating: Promise<void> = Promise.resolve();

  constructor(folders: () => readonly OpenFolder[], storage: vscode.Memento, logger: Logger) {
    this.#folders = folders;
    this.#storage = storage;
    this.#logger = logger;
    this.#store.add(
      vscode.workspace.onDidSaveTextDocument(({ uri }) => {
        if (this.#found.some(({ editorFile }) => editorFile === uri.fsPath)) this.#update();
      }),
    );
  }

  /** Something may have changed. */
  refresh(): void {
    const known = new Set(this.#found.map(({ key }) => key));
    const found = this.#folders().flatMap(findIn);
    if (known.size === 0 && found.length === 0) return;
    const fresh = found.filter(({ key }) => !known.has(key));
    const isSame = fresh.length === 0 && found.length === known.size;
    this.#found = found;
    if (!isSame) this.#update();
    if (fresh.length > 0) this.#announceNew(found);
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** One after the other, so that the newest is what stands there in the end. */
  #update(): void {
    this.#updating = this.#updating
      .then(() => this.#mark())
      .catch((error: unknown) => this.#logger.warn('References could not be marked.', { error: String(error) }));
  }

  async #mark(): Promise<void> {
    const byFile = Map.groupBy(this.#found, ({ editorFile }) => editorFile);
    const marks: [vscode.Uri, readonly vscode.Diagnostic[]][] = [];
    for (const [file, found] of byFile) {
      const uri = vscode.Uri.file(file);
      const text = await textOf(uri);
      marks.push([uri, found.flatMap((one) => placesIn(text, one).map((range) => toDiagnostic(one, range)))]);
    }
    if (this.#store.isDisposed) return;
    this.#diagnostics.clear();
    this.#diagnostics.set(marks);
  }

  /** One that comes back after it was mended is news again. */
  #announceNew(found: readonly FoundReference[]): void {
    const announced = new Set(this.#storage.get<readonly string[]>(STORAGE_KEY, []));
    void this.#storage.update(
      STORAGE_KEY,
      found.map(({ key }) => key),
    );
    if (readSettings().settings.noticeConflicts) this.#announce(found.filter(({ key }) => !announced.has(key)));
  }

  #announce(fresh: readonly FoundReference[]): void {
    const [first] = fresh;
    if (first === undefined) return;
    vscode.window.showWarningMessage(brokenReferencesSentence(fresh), showLabel).then(
      async (label) => {
        if (label === undefined || this.#store.isDisposed) return;
        await open(first);
        if (fresh.length > 1) await vscode.commands.executeCommand('workbench.actions.view.problems');
      },
      (error: unknown) => this.#logger.error('A reference could not be shown.', { error: String(error) }),
    );
  }
}

function findIn({ path, session }: OpenFolder): readonly FoundReference[] {
  const broken = session.brokenReferences;
  if (broken.length === 0) return [];
  const paths = new FolderPaths(path, session.folder);
  return broken.map((one) => ({
    ...one,
    key: JSON.stringify([one.file, one.reference, one.problem.message]),
    editorFile: paths.toEditor(one.file),
  }));
}

async function open(one: FoundReference): Promise<void> {
  const uri = vscode.Uri.file(one.editorFile);
  const [place] = placesIn(await textOf(uri), one);
  await vscode.window.showTextDocument(uri, place === undefined ? {} : { selection: place });
}

/** What stands in the editor, or else on disk: nothing is opened for it. */
async function textOf(uri: vscode.Uri): Promise<string> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open !== undefined) return open.getText();
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    // The file has gone meanwhile; then the reference has no place, and soon it is none.
    return '';
  }
}

/** Where the reference stands: at the top of the file, should it be written in a way that is not found. */
function placesIn(text: string, { reference }: FoundReference): readonly vscode.Range[] {
  const places = referencePlaces(text, reference).map((at) => {
    const lineStart = text.lastIndexOf('\n', at - 1) + 1;
    const line = countLines(text, lineStart);
    return new vscode.Range(line, at - lineStart, line, at - lineStart + reference.length);
  });
  return places.length > 0 ? places : [new vscode.Range(0, 0, 0, 0)];
}

function countLines(text: string, end: number): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

function toDiagnostic({ problem }: FoundReference, range: vscode.Range): vscode.Diagnostic {
  const message = [problem.message, problem.remedy].filter((part) => part !== undefined).join(' ');
  const diagnostic = new vscode.Diagnostic(range, message, vscode.DiagnosticSeverity.Warning);
  diagnostic.source = 'API Live Sync';
  diagnostic.code = problem.code;
  return diagnostic;
}
