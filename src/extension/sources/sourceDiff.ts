import * as vscode from 'vscode';
import type { Disposable } from '../../core/ports.ts';
import type { SourcePreview } from '../../peer/sources/liveSyncService.ts';
import { baseName } from '../words.ts';

const SCHEME = 'api-live-sync-source';
/** Texts that are shown are kept for as long as they may be looked at; more are not looked at at once. */
const MAX_SHOWN = 20;

/** Shows what a source has changed, or would change, in the editor's own comparison. */
export class SourceDiff implements Disposable {
  readonly #texts = new Map<string, string>();
  readonly #registration: Disposable;
  #count = 0;

  constructor() {
    this.#registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      provideTextDocumentContent: (uri) => this.#texts.get(uri.query) ?? '',
    });
  }

  async show(preview: SourcePreview, sourceName: string): Promise<void> {
    const name = baseName(preview.file);
    const isWaiting = preview.kind === 'waiting';
    const title = isWaiting ? `${name} ↔ with the changes of ${sourceName}` : `${name}: what ${sourceName} changed`;
    await vscode.commands.executeCommand(
      'vscode.diff',
      this.#uriOf(preview.file, preview.before),
      this.#uriOf(preview.file, preview.after),
      title,
      { preview: true },
    );
  }

  dispose(): void {
    this.#registration.dispose();
    this.#texts.clear();
  }

  #uriOf(file: string, text: string): vscode.Uri {
    this.#count += 1;
    const key = String(this.#count);
    this.#texts.set(key, text);
    const [oldest] = this.#texts.keys();
    if (this.#texts.size > MAX_SHOWN && oldest !== undefined) this.#texts.delete(oldest);
    return vscode.Uri.file(file).with({ scheme: SCHEME, query: key });
  }
}
