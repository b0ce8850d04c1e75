import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import type { AppliedBulk, AppliedChange, FolderStatus, UserProblem } from '../../../src/peer/folderSession.ts';
import type { SourceState } from '../../../src/peer/sources/liveSyncService.ts';
import { builtProgram } from '../../harness/builtPrograms.ts';

/** Longer than anything a healthy peer needs; a test that waits so long has failed. */
const WAIT_MS = 30_000;

/** What a headless peer prints of a source. */
export interface SourceLine {
  readonly sourceId: string;
  readonly state: SourceState;
  readonly changes: readonly string[];
  readonly conflictCount: number;
  readonly leaderName?: string;
  readonly problem?: UserProblem;
}

export type StatusLine = FolderStatus & {
  readonly conflicts: readonly { readonly path: string; readonly label: string; readonly id: string }[];
};

/** A peer in a process of its own, as `api-live-sync serve` runs it. */
export class HeadlessPeer {
  readonly folder: string;
  readonly process: ChildProcess;
  status: StatusLine | undefined;
  /** Why it gave up. */
  problem: UserProblem | undefined;
  /** Every change of another peer that was written into a file. */
  readonly applied: AppliedChange[] = [];
  /** The same of bulks. */
  readonly appliedTogether: AppliedBulk[] = [];
  /** What it has said of damaged files of its own. */
  readonly putAside: UserProblem[] = [];
  /** The last line of each source. */
  readonly sources = new Map<string, SourceLine>();
  stderr = '';
  readonly #waiting = new Set<() => void>();

  constructor(folder: string, process: ChildProcess) {
    this.folder = folder;
    this.process = process;
    if (process.stdout === null || process.stderr === null) throw new Error('The peer has no output.');
    process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    createInterface({ input: process.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as { event: string };
      if (event.event === 'status') this.status = event as unknown as StatusLine;
      if (event.event === 'applied') this.applied.push(event as unknown as AppliedChange);
      if (event.event === 'appliedTogether') this.appliedTogether.push(event as unknown as AppliedBulk);
      if (event.event === 'putAside')
        this.putAside.push((event as unknown as { readonly problem: UserProblem }).problem);
      if (event.event === 'failed') this.problem = (event as unknown as { readonly problem: UserProblem }).problem;
      if (event.event === 'source') {
        const source = event as unknown as SourceLine;
        this.sources.set(source.sourceId, source);
      }
      for (const look of [...this.#waiting]) look();
    });
  }

  /** Resolves when the condition holds; it is looked at after each line that the peer prints. */
  async until(what: string, condition: (status: StatusLine) => boolean): Promise<StatusLine> {
    await this.#until(what, () => this.status !== undefined && condition(this.status));
    if (this.status === undefined) throw new Error('The peer has no status.');
    return this.status;
  }

  /** The same of a source. */
  async untilSource(sourceId: string, what: string, condition: (source: SourceLine) => boolean): Promise<void> {
    await this.#until(what, () => {
      const source = this.sources.get(sourceId);
      return source !== undefined && condition(source);
    });
  }

  async untilApplied(what: string, condition: (change: AppliedChange) => boolean): Promise<void> {
    await this.#until(what, () => this.applied.some(condition));
  }

  #until(what: string, isTrue: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(
          new Error(
            `${this.folder}: ${what} did not come true.\n${JSON.stringify([this.status, ...this.sources.values(), this.applied], undefined, 1)}\n${this.stderr}`,
          ),
        );
      }, WAIT_MS);
      const look = (): void => {
        if (!isTrue()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  untilInStep(documentCount: number): Promise<StatusLine> {
    return this.until(
      'in step',
      (status) =>
        status.phase === 'running' &&
        status.connection === 'connected' &&
        status.documents.length === documentCount &&
        status.documents.every((document) => document.state === 'inStep'),
    );
  }

  read(path: string): Promise<string> {
    return readFile(join(this.folder, path), 'utf8');
  }

  write(path: string, text: string): Promise<void> {
    return writeFile(join(this.folder, path), text);
  }

  async edit(path: string, change: (text: string) => string): Promise<void> {
    await this.write(path, change(await this.read(path)));
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exit = once(this.process, 'exit');
    this.process.kill(signal);
    await exit;
  }
}

export interface ServeOptions {
  readonly name: string;
  readonly args?: readonly string[];
  /** The command line of another release; without it this one's runs. */
  readonly cli?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A machine of its own: a state directory, workspaces, and the peers that serve them. */
export class Machine {
  readonly root: string;
  readonly stateDir: string;
  readonly #peers: HeadlessPeer[] = [];

  private constructor(root: string) {
    this.root = root;
    this.stateDir = join(root, 'state');
  }

  static async create(): Promise<Machine> {
    return new Machine(await realpath(await mkdtemp(join(tmpdir(), 'api-live-sync-'))));
  }

  /** Makes a workspace folder that looks like a git checkout of one remote on `main`. */
  async workspace(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const folder = join(this.root, name);
    const git = {
      '.git/HEAD': 'ref: refs/heads/main\n',
      '.git/config': '[remote "origin"]\n\turl = https://example.test/team/api.git\n',
    };
    for (const [path, text] of Object.entries({ ...git, ...files })) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return folder;
  }

  serve(folder: string, options: ServeOptions): HeadlessPeer {
    const args = [
      options.cli ?? builtProgram('cli.js'),
      'serve',
      folder,
      '--name',
      options.name,
      '--state-dir',
      this.stateDir,
      ...(options.args ?? ['--keep-in-step']),
    ];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', ...options.env },
    });
    const peer = new HeadlessPeer(folder, child);
    this.#peers.push(peer);
    return peer;
  }

  /** Serves a new workspace folder with these files; resolves when they are in step. @param name of the folder and of the person. */
  async serveNew(
    name: string,
    files: Readonly<Record<string, string>>,
    options: Omit<ServeOptions, 'name'> = {},
  ): Promise<HeadlessPeer> {
    const peer = this.serve(await this.workspace(name, files), { ...options, name });
    await peer.untilInStep(Object.keys(files).length);
    return peer;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.end('SIGKILL')));
    await rm(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface LoggedEntry {
  readonly index: number;
  readonly kind: string;
  readonly proposalId: string;
}

/** The entries of the machine's one library, without those that only mark a new term. */
export async function readLog(
  machine: Machine,
): Promise<{ readonly changes: readonly LoggedEntry[]; readonly hasHoles: boolean }> {
  const [libraryId] = await readdir(join(machine.stateDir, 'libraries'));
  if (libraryId === undefined) throw new Error('The machine has no library.');
  const database = new DatabaseSync(join(machine.stateDir, 'libraries', libraryId, 'log.sqlite'), { readOnly: true });
  const rows = database.prepare('SELECT idx, body FROM entries ORDER BY idx').all();
  database.close();
  const entries = rows.map((row) => ({
    ...(JSON.parse(String(row['body'])) as LoggedEntry),
    index: Number(row['idx']),
  }));
  return {
    changes: entries.filter((entry) => entry.kind !== 'leader'),
    hasHoles: entries.some((entry, at) => entry.index !== at + 1),
  };
}

/** What the machine's one library was told, in order. */
export async function kindsInLog(machine: Machine): Promise<readonly string[]> {
  return (await readLog(machine)).changes.map(({ kind }) => kind);
}

/** How many documents the bulk entries of the machine's one library hold together. */
export async function countBulkDocuments(machine: Machine): Promise<number> {
  const [libraryId = ''] = await readdir(join(machine.stateDir, 'libraries'));
  const database = new DatabaseSync(join(machine.stateDir, 'libraries', libraryId, 'log.sqlite'), { readOnly: true });
  const row = database.prepare('SELECT count(*) AS count FROM bulk_documents').get();
  database.close();
  return Number(row?.['count']);
}

/** Resolves when the condition holds, looking again every 20 ms. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + WAIT_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not come true.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
