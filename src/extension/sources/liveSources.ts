import type * as vscode from 'vscode';
import { DisposableStore } from '../../core/disposableStore.ts';
import type { Disposable, Logger } from '../../core/ports.ts';
import type { FolderSessions, OpenFolder } from '../folderSessions.ts';
import { SourceApprovals } from './sourceApprovals.ts';
import { sourceCommandHandlers } from './sourceCommands.ts';
import { SourceDiff } from './sourceDiff.ts';
import { SourceFollower } from './sourceFollower.ts';
import { SourceNotice, type SourcePlace } from './sourceNotice.ts';
import { SourceSecrets } from './sourceSecrets.ts';
import { SourcesView } from './sourcesView.ts';

export interface LiveSourcesOptions {
  readonly context: Pick<vscode.ExtensionContext, 'workspaceState' | 'secrets'>;
  readonly sessions: FolderSessions;
  /** Opens the sessions if that has not happened yet; the reason in a sentence where they cannot be had. */
  readonly folders: () => Promise<readonly OpenFolder[] | string>;
  readonly logger: Logger;
  readonly onDidChange: () => void;
}

/** The live sources of a window, as a person meets them: settings, commands, view and notices. */
export class LiveSources implements Disposable {
  readonly #store = new DisposableStore();
  readonly #options: LiveSourcesOptions;
  readonly #secrets: SourceSecrets;
  readonly #approvals: SourceApprovals;
  readonly #followers = new Map<OpenFolder, { readonly follower: SourceFollower; readonly store: DisposableStore }>();
  readonly #diff: SourceDiff;
  readonly #notice: SourceNotice;
  readonly #view: SourcesView;
  /** Sources that somebody waits for an answer of. */
  readonly #answered = new Map<string, number>();

  constructor(options: LiveSourcesOptions) {
    const { context, sessions, logger } = options;
    this.#options = options;
    this.#secrets = new SourceSecrets(context.secrets);
    this.#approvals = new SourceApprovals(context.workspaceState);
    this.#diff = this.#store.add(new SourceDiff());
    this.#notice = this.#store.add(new SourceNotice(logger, (place) => this.#answered.has(JSON.stringify(place))));
    this.#view = this.#store.add(
      new SourcesView({
        folders: () => sessions.folders,
        waitingCount: () => [...this.#followers.values()].reduce((sum, one) => sum + one.follower.waiting.length, 0),
      }),
    );
    this.#store.add(sessions.onDidOpen((folder) => this.#opened(folder)));
    this.#store.add(sessions.onDidChange(() => this.#closeOthers()));
    this.#store.add({ dispose: () => this.#followers.forEach(({ store }) => store.dispose()) });
  }

  get handlers(): ReturnType<typeof sourceCommandHandlers> {
    const { folders, logger } = this.#options;
    return sourceCommandHandlers({
      folders: async () => {
        const opened = await folders();
        // A folder that was just opened has its sources when its settings have been followed.
        if (typeof opened !== 'string') for (const one of opened) await this.#followerOf(one)?.settled;
        return opened;
      },
      followerOf: (folder) => this.#followerOf(folder),
      approvals: this.#approvals,
      secrets: this.#secrets,
      diff: this.#diff,
      answering: (places, run) => this.#answering(places, run),
      logger,
    });
  }

  /** How many sources of the settings wait for a yes. */
  get waitingCount(): number {
    return [...this.#followers.values()].reduce((sum, one) => sum + one.follower.waiting.length, 0);
  }

  readSecret(origin: string, name: string): Promise<string | undefined> {
    return this.#secrets.read(origin, name);
  }

  dispose(): void {
    this.#store.dispose();
  }

  #followerOf(folder: OpenFolder): SourceFollower | undefined {
    return this.#followers.get(folder)?.follower;
  }

  #opened(folder: OpenFolder): void {
    const { logger, onDidChange } = this.#options;
    const store = new DisposableStore();
    const changed = (): void => {
      this.#view.refreshSoon();
      onDidChange();
    };
    // First, so that nothing that the sources do is missed.
    store.add(this.#notice.follow(folder));
    store.add(folder.session.sources.onDidHappen(changed));
    const follower = store.add(new SourceFollower(folder, this.#approvals, logger, changed));
    this.#followers.set(folder, { follower, store });
  }

  #closeOthers(): void {
    const { folders } = this.#options.sessions;
    for (const [folder, { store }] of [...this.#followers]) {
      if (folders.includes(folder)) continue;
      this.#followers.delete(folder);
      store.dispose();
      this.#view.refreshSoon();
    }
  }

  async #answering<T>(places: readonly SourcePlace[], run: () => Promise<T>): Promise<T> {
    const keys = places.map((place) => JSON.stringify(place));
    for (const key of keys) this.#answered.set(key, (this.#answered.get(key) ?? 0) + 1);
    try {
      return await run();
    } finally {
      for (const key of keys) {
        const left = (this.#answered.get(key) ?? 1) - 1;
        if (left === 0) this.#answered.delete(key);
        else this.#answered.set(key, left);
      }
    }
  }
}
