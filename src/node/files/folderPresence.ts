import { stat } from 'node:fs/promises';
import { Emitter, type Event } from '../../core/event.ts';
import type { Disposable, Logger, Scheduler } from '../../core/ports.ts';

export interface FolderPresenceOptions {
  readonly folder: string;
  /** What is also there while the folder is what it was: an unmounted drive leaves an empty folder behind. */
  readonly witness: string | undefined;
  readonly scheduler: Scheduler;
  readonly everyMs: number;
  readonly logger: Logger;
}

/** Notices that a folder is taken away (a drive, a share, `mv`) while nothing happens in it: no watcher tells of that for sure. */
export class FolderPresence implements Disposable {
  readonly #options: FolderPresenceOptions;
  readonly #changed: Emitter<void>;
  #wasThere = true;
  #timer: Disposable | undefined;
  #isDisposed = false;

  constructor(options: FolderPresenceOptions) {
    this.#options = options;
    this.#changed = new Emitter<void>((error) =>
      options.logger.error('A listener of the folder failed.', { error: String(error) }),
    );
    this.#lookLater();
  }

  /** The folder is gone, or back. */
  get onDidChange(): Event<void> {
    return this.#changed.event;
  }

  /** Whether the folder is there now. */
  isThere(): Promise<boolean> {
    return isThere(this.#options.folder);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#timer?.dispose();
    this.#changed.dispose();
  }

  #lookLater(): void {
    this.#timer = this.#options.scheduler.after(this.#options.everyMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { folder, witness } = this.#options;
    const isHere = (await isThere(folder)) && (witness === undefined || (await isThere(witness)));
    if (this.#isDisposed) return;
    const isNews = isHere !== this.#wasThere;
    this.#wasThere = isHere;
    if (isNews) this.#changed.fire();
    this.#lookLater();
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    // Whatever the reason is, nothing in it can be read or written now.
    return false;
  }
}
