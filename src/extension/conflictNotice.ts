import * as vscode from 'vscode';
import type { Disposable, Logger } from '../core/ports.ts';
import type { FoundConflict } from './conflictFinder.ts';
import { announcementId, noticeSentence } from './conflictViewModel.ts';
import { readSettings } from './readSettings.ts';

const showLabel = 'Show';
const laterLabel = 'Later';
/** Under this key VS Code keeps which conflicts were announced, so that a reload does not announce them again. */
const STORAGE_KEY = 'announcedConflicts';
/** More than are ever open at once; what is older is settled or known. */
const MAX_REMEMBERED = 3000;

/** A save brings the conflicts of several files one after the other: they are announced together. */
const GATHER_MS = 500;

export interface ConflictNoticeOptions {
  /** Where it is kept which conflicts were announced. */
  readonly storage: vscode.Memento;
  /** All that is held, as it is when asked. */
  readonly find: () => readonly FoundConflict[];
  /** Whether a document is being merged: there may be more in a moment. */
  readonly isMerging: () => boolean;
  /** Whether the panel shows the conflicts anyway. */
  readonly isPanelVisible: () => boolean;
  readonly show: () => void;
  readonly logger: Logger;
}

/** One quiet notice when conflicts turn up that the person does not see; never two at a time. */
export class ConflictNotice implements Disposable {
  readonly #options: ConflictNoticeOptions;
  #timer: NodeJS.Timeout | undefined;
  #isShowing = false;
  #isDisposed = false;

  constructor(options: ConflictNoticeOptions) {
    this.#options = options;
  }

  /** What is held changed: announces what is new, unless the panel shows it anyway. */
  update(found: readonly FoundConflict[]): void {
    if (this.#isDisposed || this.#timer !== undefined) return;
    const fresh = this.#fresh(found);
    if (fresh.length === 0) return;
    if (!readSettings().settings.noticeConflicts) {
      this.#remember(fresh);
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const now = this.#options.find();
      if (this.#options.isMerging()) this.update(now);
      else this.#announce(now);
    }, GATHER_MS);
  }

  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
  }

  #fresh(found: readonly FoundConflict[]): readonly string[] {
    if (found.length === 0) return [];
    const announced = new Set(this.#announced());
    return found.map(({ folder, held }) => announcementId(folder.path, held)).filter((id) => !announced.has(id));
  }

  #remember(ids: readonly string[]): void {
    void this.#options.storage.update(STORAGE_KEY, [...this.#announced(), ...ids].slice(-MAX_REMEMBERED));
  }

  #announced(): readonly string[] {
    return this.#options.storage.get<readonly string[]>(STORAGE_KEY, []);
  }

  #announce(found: readonly FoundConflict[]): void {
    const { isPanelVisible, show, logger } = this.#options;
    const fresh = this.#fresh(found);
    if (fresh.length === 0) return;
    this.#remember(fresh);
    if (isPanelVisible() || this.#isShowing || !readSettings().settings.noticeConflicts) return;
    this.#isShowing = true;
    vscode.window.showWarningMessage(noticeSentence(found.map(({ held }) => held)), showLabel, laterLabel).then(
      (choice) => {
        this.#isShowing = false;
        if (choice === showLabel && !this.#isDisposed) show();
      },
      (error: unknown) => {
        this.#isShowing = false;
        logger.debug('A notice could not be shown.', { error: String(error) });
      },
    );
  }
}
