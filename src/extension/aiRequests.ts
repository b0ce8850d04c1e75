import * as vscode from 'vscode';
import type { AdviceRequest } from '../core/advice/adviceRequest.ts';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable } from '../core/ports.ts';
import type { ChosenAdvisor } from './aiAdvisors.ts';
import { requestText } from './aiRequestText.ts';
import { count } from './words.ts';

/** Scheme of the read-only document that shows what is sent. */
const SCHEME = 'api-live-sync-request';
/** Under this key VS Code keeps where the person agreed to send texts. */
const STORAGE_KEY = 'aiDestinations';

const send = 'Send';
const show = 'Show What Is Sent';

/** Shows what goes to an AI, and asks before the first time that anything goes to a destination. */
export class AiRequests implements Disposable {
  readonly #memento: vscode.Memento;
  readonly #store = new DisposableStore();
  readonly #changed = this.#store.add(new vscode.EventEmitter<vscode.Uri>());
  #shown = '';

  constructor(memento: vscode.Memento) {
    this.#memento = memento;
    this.#store.add(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
        onDidChange: this.#changed.event,
        provideTextDocumentContent: () => this.#shown,
      }),
    );
  }

  /** Whether the person lets these requests go out; asked once for each destination. */
  async confirm({ advisor, destination }: ChosenAdvisor, requests: readonly AdviceRequest[]): Promise<boolean> {
    const agreed = this.#memento.get<readonly string[]>(STORAGE_KEY, []);
    if (agreed.includes(destination)) return true;
    const conflicts = requests.reduce((sum, request) => sum + request.questions.size, 0);
    const question = `Send ${count(conflicts, 'conflict')} to ${advisor.name}?`;
    const detail =
      'Sent are both versions of what is in conflict and of what it refers to, not the whole file. You are asked this once.';
    let answer: string | undefined = await vscode.window.showInformationMessage(
      question,
      { modal: true, detail },
      send,
      show,
    );
    if (answer === show) {
      await this.show(requests, advisor.name);
      // Not modal, so that it can be read; it stays until it is answered.
      answer = await vscode.window.showInformationMessage(question, send, 'Cancel');
    }
    if (answer !== send) return false;
    await this.#memento.update(STORAGE_KEY, [...agreed, destination]);
    return true;
  }

  /** Opens what is sent, as it is sent. */
  async show(requests: readonly AdviceRequest[], name: string | undefined): Promise<void> {
    this.#shown = requestText(requests, name);
    const uri = vscode.Uri.from({ scheme: SCHEME, path: '/What is sent.md' });
    this.#changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: true });
  }

  dispose(): void {
    this.#store.dispose();
  }
}
