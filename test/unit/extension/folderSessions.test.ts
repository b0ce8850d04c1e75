import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Logger } from '../../../src/core/ports.ts';
import type { WorkingFiles } from '../../../src/core/workingFiles.ts';
import { FolderSessions } from '../../../src/extension/folderSessions.ts';
import type { UserProblem } from '../../../src/peer/folderSession.ts';
import type { Peer } from '../../../src/peer/index.ts';
import { FakeSession } from './fakeSession.ts';

const backend = { path: '/work/backend', name: 'backend' };
const frontend = { path: '/work/frontend', name: 'frontend' };

describe('the sessions of a window', () => {
  it('loads the peer with the first folder, not before', async () => {
    const world = makeWorld();
    assert.equal(world.loads, 0);
    await world.sessions.setFolders([]);
    assert.equal(world.loads, 0);
    await world.sessions.setFolders([backend, frontend]);
    assert.equal(world.loads, 1);
    assert.deepEqual(
      world.sessions.folders.map((folder) => folder.name),
      ['backend', 'frontend'],
    );
  });

  it('follows folders that come and go, and opens none twice', async () => {
    const world = makeWorld();
    await Promise.all([world.sessions.setFolders([backend]), world.sessions.setFolders([backend, frontend])]);
    const [first] = world.opened;
    await world.sessions.setFolders([frontend]);
    assert.equal(world.opened.length, 2);
    assert.equal(first?.isDisposed, true);
    assert.equal(world.disposedFiles, 1);
    assert.deepEqual(
      world.sessions.folders.map((folder) => folder.name),
      ['frontend'],
    );
  });

  it('opens anew with new settings, and lets start what was not stopped by the person', async () => {
    const world = makeWorld();
    const mayStart: boolean[] = [];
    world.sessions.onDidOpen((folder) => mayStart.push(folder.mayStart));
    await world.sessions.setFolders([backend, frontend, { path: '/work/other', name: 'other' }]);
    world.opened[0]?.setStatus({ phase: 'running', hasConsent: true });
    world.opened[1]?.setStatus({ phase: 'asleep', hasConsent: true });
    await world.sessions.restart();
    assert.equal(world.loads, 2);
    assert.equal(world.closedPeers, 1);
    assert.deepEqual(mayStart, [true, true, true, true, false, true]);
    assert.deepEqual(
      world.opened.map((session) => session.isDisposed),
      [true, true, true, false, false, false],
    );
  });

  it('says that a folder could not be opened, and opens the others', async () => {
    const world = makeWorld();
    world.failFor = backend.path;
    await world.sessions.setFolders([backend, frontend]);
    assert.deepEqual(
      world.problems.map((problem) => problem.code),
      ['folder-not-opened'],
    );
    assert.deepEqual(
      world.sessions.folders.map((folder) => folder.name),
      ['frontend'],
    );
  });

  it('closes everything and says when that is done', async () => {
    const world = makeWorld();
    await world.sessions.setFolders([backend]);
    world.sessions.dispose();
    await world.sessions.closed;
    assert.equal(world.closedPeers, 1);
    assert.equal(world.opened[0]?.isDisposed, true);
    await world.sessions.setFolders([frontend]);
    assert.equal(world.opened.length, 1);
  });

  it('tells of every change of a session', async () => {
    const world = makeWorld();
    await world.sessions.setFolders([backend]);
    let changes = 0;
    world.sessions.onDidChange(() => (changes += 1));
    world.opened[0]?.setStatus({ phase: 'running' });
    assert.equal(changes, 1);
  });
});

class World {
  loads = 0;
  closedPeers = 0;
  disposedFiles = 0;
  failFor: string | undefined;
  readonly opened: FakeSession[] = [];
  readonly problems: UserProblem[] = [];
  readonly sessions: FolderSessions = new FolderSessions({
    loadPeer: () => Promise.resolve({ createPeer: () => this.#peer() }),
    peerOptions: () => ({
      logger: silent,
      settings: {
        displayName: undefined,
        ignore: [],
        heartbeatMs: 1,
        timeoutMs: 3,
        infoVersion: 'ask',
        watchesNewFolders: false,
      },
      workers: { log: '', replica: '', documents: '' },
    }),
    createFiles: () => noFiles(() => (this.disposedFiles += 1)),
    logger: silent,
    onProblem: (problem) => this.problems.push(problem),
  });

  #peer(): Peer {
    this.loads += 1;
    return {
      openFolder: (folder) => {
        if (folder === this.failFor) return Promise.reject(new Error('no such folder'));
        const session = new FakeSession(folder);
        this.opened.push(session);
        return Promise.resolve(session);
      },
      dispose: () => (this.closedPeers += 1),
      closed: Promise.resolve(),
    };
  }
}

function makeWorld(): World {
  return new World();
}

function noFiles(onDispose: () => void): WorkingFiles {
  const nothing = { dispose: (): void => undefined };
  return {
    hasUnsavedEdits: () => false,
    unsavedText: () => undefined,
    write: () => Promise.resolve({ kind: 'written' }),
    remove: () => Promise.resolve({ kind: 'written' }),
    move: () => Promise.resolve({ kind: 'written' }),
    editBuffer: () => Promise.resolve(false),
    onDidSave: () => nothing,
    onDidChangeUnsaved: () => nothing,
    findCandidates: () => Promise.resolve([]),
    dispose: onDispose,
  };
}

const silent: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
