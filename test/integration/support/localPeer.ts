import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger, Scheduler } from '../../../src/core/ports.ts';
import type { WorkingFiles } from '../../../src/core/workingFiles.ts';
import { createAmbient } from '../../../src/node/ambient.ts';
import { WorkerMerger } from '../../../src/node/documents/workerMerger.ts';
import { createDiskFiles } from '../../../src/node/files/diskFiles.ts';
import { readFolderRecord, type FolderRecord } from '../../../src/node/folders/folderRecord.ts';
import type { FolderStatus, Outcome } from '../../../src/peer/folderSession.ts';
import { WorkspaceFolder } from '../../../src/peer/workspaceFolder.ts';
import type { ReadSecret } from '../../../src/peer/sources/sourceReader.ts';
import { builtProgram } from '../../harness/builtPrograms.ts';
import type { Machine } from './headlessPeer.ts';

const WAIT_MS = 30_000;
const quiet = (): void => undefined;
const logger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

export interface LocalPeerOptions {
  readonly wrapFiles?: (files: WorkingFiles) => WorkingFiles;
  readonly readSecret?: ReadSecret;
  readonly wrapScheduler?: (scheduler: Scheduler) => Scheduler;
  /** In place of the machine's. */
  readonly clock?: Clock;
}

export const HEARTBEAT_MS = 5_000;

/** A window of its own in the test's process, so that a test can ask it for everything that a person can. */
export class LocalPeer {
  readonly session: WorkspaceFolder;
  /** All that it has told since it was opened. */
  readonly statuses: FolderStatus[] = [];
  readonly #stateDir: string;
  readonly #merger: WorkerMerger;

  private constructor(session: WorkspaceFolder, stateDir: string, merger: WorkerMerger) {
    this.session = session;
    this.#stateDir = stateDir;
    this.#merger = merger;
    session.onDidChangeStatus((status) => this.statuses.push(status));
  }

  static open(machine: Machine, folder: string, options: LocalPeerOptions = {}): Promise<LocalPeer> {
    return LocalPeer.openAt(machine.stateDir, folder, options);
  }

  static async openAt(stateDir: string, folder: string, options: LocalPeerOptions = {}): Promise<LocalPeer> {
    const ambient = createAmbient(logger);
    const merger = new WorkerMerger(builtProgram('documentWorker.cjs'));
    const files = createDiskFiles({ folder, ignore: [], logger });
    const session = await WorkspaceFolder.open(folder, {
      ambient: {
        ...ambient,
        clock: options.clock ?? ambient.clock,
        scheduler: options.wrapScheduler?.(ambient.scheduler) ?? ambient.scheduler,
      },
      settings: {
        displayName: 'test',
        ignore: [],
        heartbeatMs: HEARTBEAT_MS,
        timeoutMs: 15_000,
        infoVersion: 'ask',
        watchesNewFolders: false,
      },
      stateDir,
      files: options.wrapFiles?.(files) ?? files,
      merger,
      finder: merger,
      texts: merger,
      gitPath: () => 'git',
      readSecret: options.readSecret ?? (() => Promise.resolve(undefined)),
      workers: { log: builtProgram('logWorker.cjs'), replica: builtProgram('replicaWorker.cjs') },
    });
    return new LocalPeer(session, stateDir, merger);
  }

  get status(): FolderStatus {
    return this.session.status;
  }

  /** Resolves when the condition holds; it is looked at whenever the status changes. */
  until(what: string, condition: (status: FolderStatus) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        subscription.dispose();
        reject(new Error(`${what} did not come true: ${JSON.stringify(this.status)}`));
      }, WAIT_MS);
      const look = (): void => {
        if (!condition(this.status)) return;
        clearTimeout(timer);
        subscription.dispose();
        resolve();
      };
      const subscription = this.session.onDidChangeStatus(look);
      look();
    });
  }

  untilInStep(documentCount: number): Promise<void> {
    return this.until(
      'in step',
      ({ phase, connection, documents }) =>
        phase === 'running' &&
        connection === 'connected' &&
        documents.length === documentCount &&
        documents.every((document) => document.state === 'inStep'),
    );
  }

  record(): Promise<FolderRecord> {
    return readFolderRecord(this.#stateDir, this.session.folder);
  }

  /** Whether a file of that path is there. */
  has(path: string): Promise<boolean> {
    return access(join(this.session.folder, path)).then(
      () => true,
      () => false,
    );
  }

  read(path: string): Promise<string> {
    return readFile(join(this.session.folder, path), 'utf8');
  }

  async edit(path: string, change: (text: string) => string): Promise<void> {
    await writeFile(join(this.session.folder, path), change(await this.read(path)));
  }

  async close(): Promise<void> {
    this.session.dispose();
    await this.session.closed();
    this.#merger.dispose();
  }
}

/** The code of what was not done; undefined where it was. */
export function problemCode(outcome: Outcome): string | undefined {
  return outcome.isDone ? undefined : outcome.problem.code;
}
