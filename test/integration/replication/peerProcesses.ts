import { execFileSync, fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LibraryId } from '../../../src/core/ids.ts';
import { createLibrary, libraryDirectory } from '../../../src/node/libraryDirectory.ts';
import { until } from '../../unit/replication/fakes.ts';

export type PeerCommand =
  { readonly kind: 'write'; readonly count: number; readonly startAt: number } | { readonly kind: 'stop' };

export type PeerReport =
  | { readonly kind: 'status'; readonly role: string | undefined; readonly connection: string; readonly peers: number }
  | { readonly kind: 'answered'; readonly proposalId: string; readonly result: string; readonly index: number }
  /** Also once at the start, where the replica stands then. */
  | { readonly kind: 'applied'; readonly index: number; readonly runningHash: string }
  | { readonly kind: 'written' };

const PROGRAM = fileURLToPath(new URL('./peerProcess.ts', import.meta.url));

/** Limits what may be written, and becomes the program; `bash` counts in KiB. The hard limit stays, so that the soft one can be lifted. */
const LIMITED = 'ulimit -S -f "$0" && exec "$@"';

/** Lifts the limit on the size of files from a running peer: there is room on the disk again. */
export function liftFileLimit(peer: PeerProcess): void {
  execFileSync('prlimit', ['--pid', String(peer.process.pid), '--fsize=unlimited']);
}

/** One peer in a process of its own, and what it has reported. */
export class PeerProcess {
  readonly name: string;
  readonly process: ChildProcess;
  readonly answered = new Map<string, { readonly result: string; readonly index: number }>();
  role: string | undefined;
  connection = 'connecting';
  peers = 0;
  appliedIndex = 0;
  runningHash = '';
  writesFinished = 0;
  /** When it began to lead for the last time, by the clock of this process. */
  leadsSince = 0;
  onAnswered: () => void = () => undefined;

  constructor(name: string, process: ChildProcess) {
    this.name = name;
    this.process = process;
    process.on('message', (report: PeerReport) => {
      this.#note(report);
    });
  }

  send(command: PeerCommand): void {
    this.process.send(command);
  }

  /** Whether the replica stands at this place of this log. One that was there when it started has nothing to apply. */
  stands(index: number, runningHash: string): boolean {
    return this.appliedIndex === index && this.runningHash === runningHash;
  }

  get isAlive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async kill(): Promise<void> {
    if (!this.isAlive) return;
    const gone = new Promise<void>((resolve) =>
      this.process.once('exit', () => {
        resolve();
      }),
    );
    this.process.kill('SIGKILL');
    await gone;
  }

  #note(report: PeerReport): void {
    switch (report.kind) {
      case 'status':
        if (report.role === 'leader' && this.role !== 'leader') this.leadsSince = performance.now();
        this.role = report.role;
        this.connection = report.connection;
        this.peers = report.peers;
        return;
      case 'answered':
        this.answered.set(report.proposalId, { result: report.result, index: report.index });
        this.onAnswered();
        return;
      case 'applied':
        this.appliedIndex = report.index;
        this.runningHash = report.runningHash;
        return;
      case 'written':
        this.writesFinished += 1;
    }
  }
}

export interface PeerOptions {
  readonly maxFileKib?: number;
  readonly heartbeatMs?: number;
  readonly timeoutMs?: number;
}

/** A library in a folder of its own and the processes that serve it. `dispose` ends all of it. */
export class PeerGroup {
  readonly directory: string;
  readonly libraryId: LibraryId;
  readonly peers: PeerProcess[] = [];
  readonly #stateDir: string;

  private constructor(stateDir: string, libraryId: LibraryId) {
    this.#stateDir = stateDir;
    this.libraryId = libraryId;
    this.directory = libraryDirectory(stateDir, libraryId);
  }

  static async create(): Promise<PeerGroup> {
    const stateDir = mkdtempSync(join(tmpdir(), 'als-peers-'));
    return new PeerGroup(stateDir, await createLibrary(stateDir, { name: 'petstore', hints: [] }));
  }

  /**
   * Starts a peer and waits until it is connected. The same name again goes on where that replica was. With
   * `maxFileKib` no file of its can grow beyond that, which SQLite meets like a full disk. Silence counts soon, if
   * nothing else is said.
   */
  async start(name: string, options: PeerOptions = {}): Promise<PeerProcess> {
    const journal = join(this.#stateDir, `${name}.journal`);
    const { heartbeatMs = 300, timeoutMs = 1_500 } = options;
    const args = [PROGRAM, name, this.libraryId, this.directory, journal, String(heartbeatMs), String(timeoutMs)];
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
    const child =
      options.maxFileKib === undefined
        ? fork(PROGRAM, args.slice(1), { stdio: [...stdio] })
        : spawn('bash', ['-c', LIMITED, String(options.maxFileKib), process.execPath, ...args], { stdio: [...stdio] });
    const peer = new PeerProcess(name, child);
    this.peers.push(peer);
    await until(() => peer.connection === 'connected' || !peer.isAlive, `${name} is connected`);
    return peer;
  }

  get alive(): readonly PeerProcess[] {
    return this.peers.filter((peer) => peer.isAlive);
  }

  leader(): PeerProcess | undefined {
    return this.alive.find((peer) => peer.role === 'leader');
  }

  async dispose(): Promise<void> {
    await Promise.all(this.peers.map((peer) => peer.kill()));
    rmSync(this.#stateDir, { recursive: true, force: true });
  }
}
