import * as vscode from 'vscode';
import type { Disposable, Logger } from '../core/ports.ts';
import { announcementId, noticeSentence } from './conflictViewModel.ts';
import { readSettings } from './readSettings.ts';
import type { FolderConflicts } from './conflictViewModel.ts';

const showLabel = 'Show';
const laterLabel = 'Later';
/** Under this key VS Code keeps which conflicts were announced, so that a reload does not announce them again. */
const STORAGE_KEY = 'announcedConflicts';
/** More than are ever open at once; what is older is settled or known. */
const MAX_REMEMBERED = 3000;

/** One quiet notice when conflicts turn up that the person does not see; never two at a time. */
export class ConflictNotice implements Disposable {
  readonly #storage: vscode.Memento;
  readonly #show: () => void;
  readonly #logger: Logger;
  #isShowing = false;
  #isDisposed = false;

  constructor(storage: vscode.Memento, show: () => void, logger: Logger) {
    this.#storage = storage;
    this.#show = show;
    this.#logger = logger;
  }

  /** Announces what is new among the conflicts, unless the panel shows them anyway. */
  update(folders: readonly FolderConflicts[], isPanelVisible: boolean): void {
    const held = folders.flatMap(({ folder, conflicts }) => conflicts.map((one) => announcementId(folder, one)));
    const announced = this.#storage.get<readonly string[]>(STORAGE_KEY, []);
    const fresh = held.filter((id) => !announced.includes(id));
    const isNew = fresh.length > 0;
    if (isNew) void this.#storage.update(STORAGE_KEY, [...announced, ...fresh].slice(-MAX_REMEMBERED));
    if (!readSettings().settings.noticeConflicts) return;
    if (!isNew || isPanelVisible || this.#isShowing || this.#isDisposed) return;
    this.#isShowing = true;
    vscode.window.showWarningMessage(noticeSentence(folders), showLabel, laterLabel).then(
      (choice) => {
        this.#isShowing = false;
        if (choice === showLabel && !this.#isDisposed) this.#show();
      },
      (error: unknown) => {
        this.#isShowing = false;
        this.#logger.debug('A notice could not be shown.', { error: String(error) });
      },
    );
  }

  dispose(): void {
    this.#isDisposed = true;
  }
}
