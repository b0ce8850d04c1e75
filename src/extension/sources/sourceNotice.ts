import * as vscode from 'vscode';
import { DisposableStore } from '../../core/disposableStore.ts';
import type { Disposable, Logger } from '../../core/ports.ts';
import { commandIds } from '../commandTable.ts';
import type { OpenFolder } from '../folderSessions.ts';
import { changedSentence, waitingSentence } from './sourceWords.ts';

const showLabel = 'Show';
const applyLabel = 'Apply';
/** Sources that are served together change together: one notice for all of them. */
const NOTICE_WINDOW_MS = 400;

export interface SourcePlace {
  readonly folder: string;
  readonly sourceId: string;
}

/** Says quietly what a source has changed, or would, by operation. What a person asked for is answered to them instead. */
export class SourceNotice implements Disposable {
  readonly #store = new DisposableStore();
  readonly #logger: Logger;
  readonly #isAnswered: (place: SourcePlace) => boolean;
  readonly #told = new Map<string, string>();
  #changed: { readonly place: SourcePlace; readonly sentence: string }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger, isAnswered: (place: SourcePlace) => boolean) {
    this.#logger = logger;
    this.#isAnswered = isAnswered;
    this.#store.add({ dispose: () => clearTimeout(this.#timer) });
  }

  follow({ path, session }: OpenFolder): Disposable {
    return session.sources.onDidHappen((event) => {
      if (event.type !== 'sync:completed') return;
      const place: SourcePlace = { folder: path, sourceId: event.sourceId };
      const { config } = session.sources.getSourceStatus(event.sourceId);
      const { kind, changes } = event.result;
      const key = JSON.stringify(place);
      if (kind !== 'changesWaiting') this.#told.delete(key);
      if (this.#isAnswered(place)) return;
      if (kind === 'changed') {
        this.#changed.push({ place, sentence: changedSentence(config, changes) });
        this.#timer ??= setTimeout(() => this.#tellChanged(), NOTICE_WINDOW_MS);
      } else if (kind === 'changesWaiting') {
        const sentence = waitingSentence(config, changes);
        if (this.#told.get(key) === sentence) return;
        this.#told.set(key, sentence);
        this.#tell(sentence, place, config.mode === 'review' ? [showLabel, applyLabel] : [showLabel]);
      }
    });
  }

  dispose(): void {
    this.#store.dispose();
  }

  #tellChanged(): void {
    this.#timer = undefined;
    const changed = this.#changed;
    this.#changed = [];
    const last = changed.at(-1);
    if (last === undefined || this.#store.isDisposed) return;
    this.#tell([...new Set(changed.map(({ sentence }) => sentence))].slice(0, 3).join(' '), last.place, [showLabel]);
  }

  #tell(sentence: string, place: SourcePlace, buttons: readonly string[]): void {
    vscode.window.showInformationMessage(sentence, ...buttons).then(
      (choice) => {
        if (choice === showLabel) void vscode.commands.executeCommand(commandIds.showSourceChanges, place);
        if (choice === applyLabel) void vscode.commands.executeCommand(commandIds.applySourceChanges, place);
      },
      (error: unknown) => this.#logger.debug('A message could not be shown.', { error: String(error) }),
    );
  }
}
