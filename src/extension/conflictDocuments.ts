import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable } from '../core/ports.ts';
import type { HeldConflict } from '../peer/folderSession.ts';
import type { ConflictFinder, FoundConflict } from './conflictFinder.ts';
import type { DiffSides } from '../protocol/conflictPanel.ts';
import { diffTitle, sideName } from './conflictViewModel.ts';
import { baseName } from './words.ts';

/** Scheme of the read-only documents that show one side of a conflict, or what choices would make of a file. */
const SCHEME = 'api-live-sync-conflict';

/** What a document shows, as it stands in its query. */
type Shown = { readonly key: string; readonly side: Side } | { readonly preview: string };
type Side = 'base' | 'ours' | 'theirs';

/** Shows both sides of a conflict, and what choices come to, in the editor's own difference view. */
export class ConflictDocuments implements Disposable {
  readonly #store = new DisposableStore();
  readonly #finder: ConflictFinder;
  readonly #changed = this.#store.add(new vscode.EventEmitter<vscode.Uri>());
  /** The newest preview of each file. */
  readonly #previews = new Map<string, string>();

  constructor(finder: ConflictFinder) {
    this.#finder = finder;
    this.#store.add(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
        onDidChange: this.#changed.event,
        provideTextDocumentContent: (uri) => this.#text(uri),
      }),
    );
    this.#store.add(
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        const shown = uri.scheme === SCHEME ? readQuery(uri) : undefined;
        if (shown !== undefined && 'preview' in shown) this.#previews.delete(shown.preview);
      }),
    );
  }

  /** Compares two versions of an element. */
  async openDiff(key: string, sides: DiffSides): Promise<void> {
    const held = this.#finder.find(key)?.held;
    // It was settled meanwhile, as the panel will show at once.
    if (held === undefined) return;
    const [before, after] = (
      { oursTheirs: ['ours', 'theirs'], baseOurs: ['base', 'ours'], baseTheirs: ['base', 'theirs'] } as const
    )[sides];
    await openDiff(sideUri(key, held, before), sideUri(key, held, after), diffTitle(held, before, after));
  }

  /** Compares the file as it is with the file as it would be. */
  async openPreview({ held, paths }: FoundConflict, text: string): Promise<void> {
    const file = paths.toEditor(held.file);
    this.#previews.set(file, text);
    const after = vscode.Uri.from({
      scheme: SCHEME,
      path: vscode.Uri.file(file).path,
      query: JSON.stringify({ preview: file } satisfies Shown),
    });
    this.#changed.fire(after);
    await openDiff(vscode.Uri.file(file), after, `${baseName(file)}: Now ↔ With Your Choices`);
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
    const shown = readQuery(uri);
    if (shown === undefined) return '';
    if ('preview' in shown) return this.#previews.get(shown.preview) ?? '(This preview is over.)\n';
    const held = this.#finder.find(shown.key)?.held;
    if (held === undefined) return '(This conflict is settled.)\n';
    const piece = held.conflict[shown.side];
    if (piece === undefined) return '';
    return piece.text.endsWith('\n') ? piece.text : `${piece.text}\n`;
  }
}

async function openDiff(before: vscode.Uri, after: vscode.Uri, title: string): Promise<void> {
  await vscode.commands.executeCommand('vscode.diff', before, after, title, { preview: true });
}

/** The path is what the editor shows as a name and takes the language from. */
function sideUri(key: string, held: HeldConflict, side: Side): vscode.Uri {
  const ending = /\.(ya?ml|json)$/i.exec(held.path)?.[0] ?? '.yaml';
  const name = `${held.conflict.label} (${sideName(held, side)})`.replaceAll('/', '∕');
  const query = JSON.stringify({ key, side } satisfies Shown);
  return vscode.Uri.from({ scheme: SCHEME, path: `/${name}${ending}`, query });
}

function readQuery(uri: vscode.Uri): Shown | undefined {
  const parsed: unknown = JSON.parse(uri.query);
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  if ('preview' in parsed && typeof parsed.preview === 'string') return { preview: parsed.preview };
  const side = 'side' in parsed ? parsed.side : undefined;
  if (!('key' in parsed) || typeof parsed.key !== 'string') return undefined;
  return side === 'base' || side === 'ours' || side === 'theirs' ? { key: parsed.key, side } : undefined;
}
