import * as vscode from 'vscode';
import type { ResolutionCheck } from '../core/advice/resolutionCheck.ts';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Resolution } from '../core/merge/types.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import type { DraftView } from '../protocol/conflictPanel.ts';
import type { ConflictFinder, FoundConflict } from './conflictFinder.ts';
import { conflictFingerprint } from './conflictViewModel.ts';
import { draftProblem, draftSeverity } from './draftChecks.ts';

/** Scheme of the editors in which a person writes an element themself. */
export const draftScheme = 'api-live-sync-edit';
/** Under this key VS Code keeps what was written, so that a reload loses none of it. */
const STORAGE_KEY = 'conflictDrafts';
const MAX_KEPT = 50;
const MAX_KEPT_LENGTH = 200_000;
/** So long nobody types before what is written is looked at. */
const CHECK_DELAY_MS = 300;

interface Draft {
  readonly key: string;
  readonly fingerprint: string;
  readonly text: string;
  readonly problem?: string;
}

export interface ConflictDraftsOptions {
  readonly finder: ConflictFinder;
  readonly memento: vscode.Memento;
  readonly logger: Logger;
}

/**
 * Lets a person write an element in an editor of its own. What is saved there becomes a choice in the panel, and goes into the
 * file with Apply, not before.
 */
export class ConflictDrafts implements Disposable {
  readonly #options: ConflictDraftsOptions;
  readonly #store = new DisposableStore();
  readonly #changed = this.#store.add(new vscode.EventEmitter<void>());
  readonly #fileChanged = this.#store.add(new vscode.EventEmitter<vscode.FileChangeEvent[]>());
  readonly #diagnostics = this.#store.add(vscode.languages.createDiagnosticCollection('API Live Sync'));
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #drafts: ReadonlyMap<string, Draft>;

  constructor(options: ConflictDraftsOptions) {
    this.#options = options;
    this.#drafts = new Map(options.memento.get<readonly Draft[]>(STORAGE_KEY, []).map((draft) => [draft.key, draft]));
    this.#store.add(
      vscode.workspace.registerFileSystemProvider(draftScheme, this.#createFiles(), { isCaseSensitive: true }),
    );
    this.#store.add(
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document.uri.scheme === draftScheme) this.#checkSoon(document);
      }),
    );
    this.#store.add(
      vscode.workspace.onDidSaveTextDocument(({ uri }) => {
        // Not when it was written: who sees it in the panel may close the editor, which must not ask whether to save.
        if (uri.scheme === draftScheme) this.#changed.fire();
      }),
    );
    this.#store.add(vscode.workspace.onDidCloseTextDocument(({ uri }) => this.#diagnostics.delete(uri)));
    this.#store.add({ dispose: () => this.#timers.forEach((timer) => clearTimeout(timer)) });
  }

  get onDidChange(): vscode.Event<void> {
    return this.#changed.event;
  }

  /** What was saved, by key. What was written for other texts is none any more. */
  views(): ReadonlyMap<string, DraftView> {
    const views = new Map<string, DraftView>();
    for (const { key } of this.#drafts.values()) {
      const found = this.#options.finder.find(key);
      const draft = found === undefined ? undefined : this.#draftFor(found);
      if (draft === undefined) continue;
      const { text, problem } = draft;
      views.set(key, { text: text.replace(/\n$/, ''), ...(problem === undefined ? {} : { problem }) });
    }
    return views;
  }

  resolution(found: FoundConflict): Resolution | undefined {
    const draft = this.#draftFor(found);
    return draft === undefined || draft.problem !== undefined ? undefined : { choice: 'custom', text: draft.text };
  }

  async open(found: FoundConflict): Promise<void> {
    const document = await vscode.workspace.openTextDocument(draftUri(found));
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: false });
    this.#checkSoon(document);
  }

  dispose(): void {
    this.#store.dispose();
  }

  #draftFor({ key, held }: FoundConflict): Draft | undefined {
    const draft = this.#drafts.get(key);
    return draft?.fingerprint === conflictFingerprint(held) ? draft : undefined;
  }

  #createFiles(): vscode.FileSystemProvider {
    const notHere = (uri: vscode.Uri): never => {
      throw vscode.FileSystemError.NoPermissions(uri);
    };
    return {
      onDidChangeFile: this.#fileChanged.event,
      watch: () => new vscode.Disposable(() => undefined),
      stat: (uri) => {
        const size = Buffer.byteLength(this.#textOf(uri));
        // The same for the same text: then the editor sees no change from outside.
        return { type: vscode.FileType.File, ctime: 0, mtime: size, size };
      },
      readFile: (uri) => Buffer.from(this.#textOf(uri)),
      writeFile: (uri, content) => this.#save(uri, Buffer.from(content).toString('utf8')),
      readDirectory: () => [],
      createDirectory: notHere,
      delete: notHere,
      rename: notHere,
    };
  }

  #textOf(uri: vscode.Uri): string {
    const found = this.#options.finder.find(uri.query);
    const draft = this.#drafts.get(uri.query);
    if (found === undefined) {
      if (draft !== undefined) return draft.text;
      throw vscode.FileSystemError.FileNotFound(uri);
    }
    const { ours, theirs, base } = found.held.conflict;
    return this.#draftFor(found)?.text ?? (ours ?? theirs ?? base)?.text ?? '';
  }

  async #save(uri: vscode.Uri, written: string): Promise<void> {
    const found = await this.#options.finder.findWhenMerged(uri.query);
    if (found === undefined)
      throw vscode.FileSystemError.Unavailable('This conflict is settled: there is nothing left to edit here.');
    const text = asElement(written, found);
    const problem = draftProblem(await this.#check(found, text));
    const draft: Draft = {
      key: found.key,
      fingerprint: conflictFingerprint(found.held),
      text,
      ...(problem === undefined ? {} : { problem }),
    };
    const drafts = [...this.#drafts.values()].filter(({ key }) => key !== found.key && this.#options.finder.find(key));
    this.#drafts = new Map([...drafts, draft].map((one) => [one.key, one]));
    const kept = [...this.#drafts.values()].filter((one) => one.text.length <= MAX_KEPT_LENGTH).slice(-MAX_KEPT);
    await this.#options.memento.update(STORAGE_KEY, kept);
  }

  async #check({ session, held }: FoundConflict, text: string): Promise<readonly ResolutionCheck[] | undefined> {
    const resolution: Resolution = { choice: 'custom', text };
    return (await session.checkResolutions(held.docId, new Map([[held.conflict.id, resolution]])))?.checks;
  }

  #checkSoon(document: vscode.TextDocument): void {
    const name = document.uri.toString();
    clearTimeout(this.#timers.get(name));
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#timers.delete(name);
        this.#diagnose(document).catch((error: unknown) =>
          this.#options.logger.error('What is written could not be checked.', { error: String(error) }),
        );
      }, CHECK_DELAY_MS),
    );
  }

  async #diagnose(document: vscode.TextDocument): Promise<void> {
    const found = this.#options.finder.find(document.uri.query);
    if (found === undefined || document.isClosed) return;
    const { version } = document;
    const checks = await this.#check(found, asElement(document.getText(), found));
    // Typed on meanwhile: what was found is about another text.
    if (document.version !== version) return;
    const whole = new vscode.Range(0, 0, document.lineCount, 0);
    const diagnostics = (checks ?? []).flatMap((check) => {
      const severity = draftSeverity(check);
      if (severity === undefined) return [];
      const level = { error: vscode.DiagnosticSeverity.Error, warning: vscode.DiagnosticSeverity.Warning }[severity];
      return [new vscode.Diagnostic(whole, check.sentence, level)];
    });
    this.#diagnostics.set(document.uri, diagnostics);
  }
}

/** The path is what the editor shows as a name and takes the language from. */
function draftUri({ key, held }: FoundConflict): vscode.Uri {
  const ending = /\.(ya?ml|json)$/i.exec(held.path)?.[0] ?? '.yaml';
  const name = `${held.conflict.label} (Your Edit)`.replaceAll('/', '∕');
  return vscode.Uri.from({ scheme: draftScheme, path: `/${name}${ending}`, query: key });
}

/** Ends as the versions of the element do: the line end belongs to it in block YAML only. An empty text deletes it. */
function asElement(written: string, { held: { conflict } }: FoundConflict): string {
  const text = written.replaceAll('\r\n', '\n').replace(/\n+$/, '');
  const side = conflict.ours ?? conflict.theirs ?? conflict.base;
  return text.trim() !== '' && side?.text.endsWith('\n') === true ? `${text}\n` : text;
}
