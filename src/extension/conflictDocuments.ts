import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable } from '../core/ports.ts';
import type { HeldConflict } from '../peer/folderSession.ts';
import { diffTitle } from './conflictViewModel.ts';

/** Scheme of the read-only documents that show one side of a conflict. */
const SCHEME = 'api-live-sync-conflict';

/** Shows both sides of a conflict in the editor's own difference view. */
export class ConflictDocuments implements Disposable {
  readonly #store = new DisposableStore();
  readonly #find: (key: string) => HeldConflict | undefined;
  readonly #changed = this.#store.add(new vscode.EventEmitter<vscode.Uri>());

  constructor(find: (key: string) => HeldConflict | undefined) {
    this.#find = find;
    this.#store.add(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
        onDidChange: this.#changed.event,
        provideTextDocumentContent: (uri) => this.#text(uri),
      }),
    );
  }

  async openDiff(key: string): Promise<boolean> {
    const held = this.#find(key);
    if (held === undefined) return false;
    await vscode.commands.executeCommand(
      'vscode.diff',
      sideUri(key, held, 'ours'),
      sideUri(key, held, 'theirs'),
      diffTitle(held),
      {
        preview: true,
      },
    );
    return true;
  }

  /** The conflicts changed: what is open of them is shown anew. */
  refresh(): void {
    for (const { uri } of vscode.workspace.textDocuments) {
      if (uri.scheme === SCHEME) this.#changed.fire(uri);
    }
  }

  dispose(): void {
    this.#store.dispose();
  }

  #text(uri: vscode.Uri): string {
    const { key, side } = parseQuery(uri);
    const held = this.#find(key);
    if (held === undefined) return '(This conflict is settled.)\n';
    const piece = side === 'ours' ? held.conflict.ours : held.conflict.theirs;
    if (piece === undefined) return '';
    return piece.text.endsWith('\n') ? piece.text : `${piece.text}\n`;
  }
}

/** The path is what the editor shows as a name and takes the language from. */
function sideUri(key: string, held: HeldConflict, side: 'ours' | 'theirs'): vscode.Uri {
  const ending = /\.(ya?ml|json)$/i.exec(held.path)?.[0] ?? '.yaml';
  const name = `${held.conflict.label} (${side === 'ours' ? 'Yours' : `From ${held.theirsName}`})`.replaceAll('/', '∕');
  return vscode.Uri.from({ scheme: SCHEME, path: `/${name}${ending}`, query: JSON.stringify({ key, side }) });
}

function parseQuery(uri: vscode.Uri): { key: string; side: string } {
  const parsed: unknown = JSON.parse(uri.query);
  if (typeof parsed !== 'object' || parsed === null) return { key: '', side: '' };
  const key = 'key' in parsed && typeof parsed.key === 'string' ? parsed.key : '';
  const side = 'side' in parsed && typeof parsed.side === 'string' ? parsed.side : '';
  return { key, side };
}
