import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach } from 'node:test';
import { Machine } from './headlessPeer.ts';
import { LocalPeer, problemCode, type LocalPeerOptions } from './localPeer.ts';

/** A machine for tests with the windows that they open there; all of it is gone when the hooks that made it have ended. */
export class TestMachine {
  #machine: Machine | undefined;
  #windows: LocalPeer[] = [];

  get machine(): Machine {
    assert.ok(this.#machine !== undefined, 'a machine is there while a test runs');
    return this.#machine;
  }

  /** A window on a folder; nobody has said yes there yet. */
  async open(folder: string, options?: LocalPeerOptions): Promise<LocalPeer> {
    const window = await LocalPeer.open(this.machine, folder, options);
    this.#windows.push(window);
    return window;
  }

  /** A window on a folder, where somebody says yes. */
  async keep(folder: string, options?: LocalPeerOptions): Promise<LocalPeer> {
    const window = await this.open(folder, options);
    assert.equal(problemCode(await window.session.keepInStep()), undefined);
    return window;
  }

  /** The same on a new folder with these files; resolves when they are in step. @param name of the folder. */
  async keepNew(name: string, files: Readonly<Record<string, string>>, options?: LocalPeerOptions): Promise<LocalPeer> {
    const window = await this.keep(await this.machine.workspace(name, files), options);
    await window.untilInStep(Object.keys(files).length);
    return window;
  }

  async begin(): Promise<void> {
    this.#machine = await Machine.create();
  }

  async end(): Promise<void> {
    // One that a test has closed itself is closed already.
    await Promise.all(this.#windows.map((window) => window.close()));
    this.#windows = [];
    await this.machine.dispose();
    this.#machine = undefined;
  }
}

/** Each test of the file gets a machine of its own. */
export function machineForEachTest(): TestMachine {
  const own = new TestMachine();
  beforeEach(() => own.begin());
  afterEach(() => own.end());
  return own;
}

/**
 * The tests of the file go on where the one before has left the machine.
 * @param setUp what is there before the first of them. Not in a hook of its own: those of a file begin all at once.
 */
export function machineForAllTests(setUp: (own: TestMachine) => Promise<void>): TestMachine {
  const own = new TestMachine();
  before(async () => {
    await own.begin();
    await setUp(own);
  });
  after(() => own.end());
  return own;
}
