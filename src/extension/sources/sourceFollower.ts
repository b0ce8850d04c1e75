import * as vscode from 'vscode';
import { DisposableStore } from '../../core/disposableStore.ts';
import type { Disposable, Logger } from '../../core/ports.ts';
import type { LiveSourceConfig } from '../../core/sources/liveSourceConfig.ts';
import { loopbackOf } from '../../node/sources/serverReturn.ts';
import type { OpenFolder } from '../folderSessions.ts';
import { settingIds } from '../settings.ts';
import type { SourceApprovals } from './sourceApprovals.ts';
import { openSourceSettings, readSourceSettings } from './sourceSettings.ts';
import { consentSentence } from './sourceWords.ts';

const allowLabel = 'Allow';
const notNowLabel = 'Not Now';
const openSettingsLabel = 'Open Settings';
/** A build touches many files at once. */
const TRIGGER_WINDOW_MS = 200;

interface Applied {
  readonly json: string;
  readonly triggers: Disposable;
}

/**
 * Makes the sources of one folder what its settings say, whenever these change. What a person has not said yes to does
 * not run.
 */
export class SourceFollower implements Disposable {
  readonly folder: OpenFolder;
  readonly #approvals: SourceApprovals;
  readonly #logger: Logger;
  readonly #onDidChange: () => void;
  readonly #store = new DisposableStore();
  readonly #applied = new Map<string, Applied>();
  /** Warnings and questions that were shown: each is said once until it changes. */
  #said = '';
  #waiting: readonly LiveSourceConfig[] = [];
  #work: Promise<void> = Promise.resolve();

  constructor(folder: OpenFolder, approvals: SourceApprovals, logger: Logger, onDidChange: () => void) {
    this.folder = folder;
    this.#approvals = approvals;
    this.#logger = logger;
    this.#onDidChange = onDidChange;
    this.#store.add(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(settingIds.sources, this.uri)) this.follow();
      }),
    );
    this.#store.add({ dispose: () => this.#applied.forEach(({ triggers }) => triggers.dispose()) });
    this.follow();
  }

  get uri(): vscode.Uri {
    return vscode.Uri.file(this.folder.path);
  }

  /** Sources that wait for a yes. */
  get waiting(): readonly LiveSourceConfig[] {
    return this.#waiting;
  }

  /** Resolves when the sources are what the settings said when it was asked for. */
  get settled(): Promise<void> {
    return this.#work;
  }

  /** The person says yes to what waits. */
  async allow(): Promise<void> {
    await this.#approvals.approve(this.folder.path, this.#waiting);
    this.follow();
    await this.#work;
  }

  /** Reads the settings again. */
  follow(): void {
    this.#work = this.#work
      .then(() => this.#apply())
      .catch((error: unknown) => {
        this.#logger.error('The sources of a folder could not be set up.', {
          folder: this.folder.name,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      });
  }

  dispose(): void {
    this.#store.dispose();
  }

  async #apply(): Promise<void> {
    if (this.#store.isDisposed) return;
    const { sources, warnings } = readSourceSettings(this.uri, this.folder.name);
    const service = this.folder.session.sources;
    const allowed = (sources ?? []).filter((source) => this.#approvals.isApproved(this.folder.path, source));
    this.#waiting = (sources ?? []).filter((source) => !allowed.includes(source));
    for (const [id, { triggers }] of [...this.#applied]) {
      if (allowed.some((source) => source.id === id)) continue;
      this.#applied.delete(id);
      triggers.dispose();
      await service.removeSource(id);
    }
    for (const source of allowed) {
      const before = this.#applied.get(source.id);
      const json = JSON.stringify(source);
      if (before?.json === json) continue;
      before?.triggers.dispose();
      this.#applied.set(source.id, { json, triggers: this.#watchTriggers(source) });
      if (before === undefined) await service.addSource(source);
      else await service.updateSource(source);
    }
    this.#onDidChange();
    this.#say(warnings);
  }

  /** Messages wait for clicks; nobody waits for them. */
  #say(warnings: readonly string[]): void {
    const news = JSON.stringify([warnings, this.#waiting]);
    if (news === this.#said) return;
    this.#said = news;
    for (const warning of warnings) {
      this.#logger.warn(warning);
      this.#inBackground(
        vscode.window.showWarningMessage(warning, openSettingsLabel).then(async (choice) => {
          if (choice === openSettingsLabel) await openSourceSettings(this.uri, undefined);
        }),
      );
    }
    if (this.#waiting.length === 0) return;
    const asked = this.#waiting;
    this.#inBackground(
      vscode.window
        .showInformationMessage(consentSentence(this.folder.name, asked), allowLabel, notNowLabel, openSettingsLabel)
        .then(async (choice) => {
          // What was shown counts, and nothing that took its place meanwhile.
          if (choice === allowLabel) {
            await this.#approvals.approve(this.folder.path, asked);
            this.follow();
          } else if (choice === openSettingsLabel) await openSourceSettings(this.uri, undefined);
        }),
    );
  }

  /** Where nothing else is named, whatever is saved in this window may be the code of a server of this machine. */
  #watchTriggers({ id, url, target, triggers }: LiveSourceConfig): Disposable {
    const store = new DisposableStore();
    let timer: NodeJS.Timeout | undefined;
    const changed = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (this.#applied.has(id)) this.folder.session.sources.triggerSource(id);
      }, TRIGGER_WINDOW_MS);
    };
    store.add({ dispose: () => clearTimeout(timer) });
    if (triggers.length === 0 && url !== undefined && loopbackOf(url) !== undefined) {
      const file = vscode.Uri.joinPath(this.uri, ...target.split('/')).toString();
      store.add(
        vscode.workspace.onDidSaveTextDocument(({ uri }) => {
          if (uri.scheme === 'file' && uri.toString() !== file) changed();
        }),
      );
    }
    for (const glob of triggers) {
      const watcher = store.add(vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(this.uri, glob)));
      store.add(watcher.onDidChange(changed));
      store.add(watcher.onDidCreate(changed));
      store.add(watcher.onDidDelete(changed));
    }
    return store;
  }

  #inBackground(work: Thenable<unknown>): void {
    work.then(undefined, (error: unknown) =>
      this.#logger.debug('A message could not be shown.', { error: String(error) }),
    );
  }
}
