import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { clones, git } from './clones.ts';
import { Machine, until } from './headlessPeer.ts';
import { LocalPeer } from './localPeer.ts';
import { SeededRandom } from '../../simulation/seededRandom.ts';

const PATHS = ['openapi.yaml', 'api/orders.yaml', 'users.yaml'] as const;
const NAMES = ['alice', 'bob', 'carol'] as const;
const SPEC =
  'openapi: 3.1.0\ninfo:\n  title: Shop\n  version: 1.0.0\npaths:\n  /start:\n    get:\n      summary: start\n';
const MAX_PAUSE_MS = 900;
/** What is added on a branch that has not joined begins so, and must never be seen by anybody else. */
const AWAY = 'w';

/** What one person does next; git may refuse any of it, and then nothing happens. */
interface Doing {
  readonly random: SeededRandom;
  readonly peer: LocalPeer;
  /** Not used before. */
  readonly token: string;
  /** Runs git; answers whether it succeeded. */
  readonly run: (...args: string[]) => Promise<boolean>;
  /** Closes the person's window for as long as the work takes. */
  readonly whileClosed: (work: () => Promise<void>) => Promise<void>;
  /** Adds an operation to one of the documents. */
  readonly add: (token: string) => Promise<void>;
}

const DOINGS = {
  add: ({ add, token }) => add(`t${token}`),
  addAgain: ({ add, token }) => add(`t${token}`),
  addAndCommit: async ({ add, token, run }) => {
    await add(`t${token}`);
    await run('commit', '-qam', token);
  },
  commit: async ({ peer, token, run }) => {
    const isHome = (await branchOf(peer)) === 'main';
    await run('commit', '-qam', token);
    if (isHome) await run('push', '-q', 'origin', 'HEAD:main');
  },
  amend: ({ run }) => run('commit', '-qa', '--amend', '--no-edit'),
  stage: ({ run }) => run('add', '-A'),
  stash: ({ run }) => run('stash', '-q'),
  pop: async ({ run }) => (await run('stash', 'pop', '-q')) || run('reset', '-q', '--hard'),
  reset: ({ random, run }) =>
    run('reset', '-q', random.pick(['--hard', '--mixed', '--keep']), random.pick(['HEAD', 'HEAD~1'])),
  checkoutFile: ({ random, run }) => run('checkout', '-q', '--', random.pick(PATHS)),
  away: async ({ peer, random, token, run, add }) => {
    const isAway = await run('checkout', '-q', ...random.pick([['-B', 'away', 'HEAD~1'], ['--detach']]));
    if (!isAway || (await branchOf(peer)) === 'main') return;
    await delay(random.between(0, MAX_PAUSE_MS));
    await add(`${AWAY}${token}`);
    // Committed there, or the person would carry it home.
    await run('commit', '-qam', 'away');
  },
  home: ({ run }) => run('checkout', '-q', 'main'),
  side: async ({ peer, random, token, run, add }) => {
    if ((await branchOf(peer)) !== 'main' || !(await run('checkout', '-q', '-B', 'side'))) return;
    await delay(random.between(0, MAX_PAUSE_MS));
    await add(`s${token}`);
    await run('commit', '-qam', 'side');
    await delay(random.between(0, MAX_PAUSE_MS));
    await run('checkout', '-q', 'main');
  },
  merge: orAbort('merge', (what) => ['-q', '--no-edit', what]),
  rebase: orAbort('rebase', (what, random) => ['-q', ...random.pick([[], ['--autostash']]), what]),
  cherryPick: orAbort('cherry-pick', (what) => [what]),
  gitPull: async ({ peer, random, run }) => {
    if ((await branchOf(peer)) !== 'main') return;
    const how = random.pick([['--ff-only'], ['--rebase'], ['--rebase', '--autostash'], ['--no-rebase', '--no-edit']]);
    if (await run('pull', '-q', ...how)) return;
    await run('rebase', '--abort');
    await run('merge', '--abort');
  },
  closed: ({ random, token, run, add, whileClosed }) =>
    whileClosed(async () => {
      await run(
        ...random.pick([
          ['stash', '-q'],
          ['checkout', '-q', '--', '.'],
          ['reset', '-q', '--hard'],
          ['pull', '-q', '--ff-only'],
        ]),
      );
      if (random.chance(0.7)) await add(`t${token}`);
      if (random.chance(0.3))
        await run(
          ...random.pick([
            ['add', '-A'],
            ['commit', '-qam', token],
          ]),
        );
    }),
  pull: ({ peer }) => peer.session.pullSyncedChanges(),
  bringBack: ({ peer }) => bringBack(peer),
} satisfies Readonly<Record<string, (doing: Doing) => Promise<unknown>>>;

export type What = keyof typeof DOINGS;

export const EVERYTHING = Object.keys(DOINGS) as readonly What[]; // Its own keys, and no others.

/** A command that may stop in the middle: it is taken back after a while. */
function orAbort(
  command: string,
  argsFor: (what: string, random: SeededRandom) => readonly string[],
): (doing: Doing) => Promise<void> {
  return async ({ peer, random, run }) => {
    if ((await branchOf(peer)) !== 'main') return;
    if (await run(command, ...argsFor(random.pick(['side', 'origin/main']), random))) return;
    await delay(random.between(0, MAX_PAUSE_MS));
    await run(command, '--abort');
  };
}

export interface RoundOptions {
  readonly seed: number;
  readonly steps: number;
  /** What people do, one of them picked at each step. */
  readonly doings: readonly What[];
}

/**
 * Two or three people with a clone and three documents each, who run git commands at random moments and only ever add; so
 * nobody's work goes out of the library but by their own hand, and nothing of a branch that has not joined comes in.
 */
export async function gitAtRandom({ seed, steps, doings }: RoundOptions): Promise<void> {
  const random = new SeededRandom(seed);
  const machine = await Machine.create();
  const peers: LocalPeer[] = [];
  const story: string[] = [];
  try {
    const files = { ...Object.fromEntries(PATHS.map((path) => [path, SPEC])), '.gitattributes': '* -text\n' };
    for (const folder of await clones(machine, files, NAMES.slice(0, 2 + random.below(2)))) {
      const peer = await LocalPeer.open(machine, folder);
      peers.push(peer);
      await peer.session.keepInStep();
      await peer.untilInStep(PATHS.length);
    }
    for (let step = 1; step <= steps; step++) {
      const what = random.pick(doings);
      const at = random.below(peers.length);
      const reopen = async (closed: LocalPeer, work: () => Promise<void>): Promise<void> => {
        await closed.close();
        await work();
        const opened = await LocalPeer.open(machine, closed.session.folder);
        peers[at] = opened;
        await opened.session.start();
      };
      const peer = peers[at];
      if (peer !== undefined)
        await act(what, { random, peer, token: String(step), whileClosed: (work) => reopen(peer, work) }, story);
      await delay(random.between(0, MAX_PAUSE_MS));
    }
    for (const peer of peers) await comeHome(peer);
    await until('all are in step', async () => {
      for (const peer of peers) await bringBack(peer);
      return isInStep(peers);
    });
    await assertNothingLost(peers);
  } catch (error) {
    const states = peers.map((peer) => [peer.session.folder, peer.status.problem, peer.status.documents]);
    const texts = await Promise.all(
      peers.map((peer) => Promise.all(PATHS.map((path) => peer.read(path).catch(String)))),
    );
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\n${story.join('\n')}\n${JSON.stringify([states, texts], undefined, 1)}`, {
      cause: error,
    });
  } finally {
    for (const peer of peers) await peer.close();
    await machine.dispose();
  }
}

async function act(what: What, given: Omit<Doing, 'run' | 'add'>, story: string[]): Promise<void> {
  const { random, peer, token } = given;
  const { folder } = peer.session;
  const told: string[] = [];
  const run = async (...args: string[]): Promise<boolean> => {
    const isDone = await git(folder, '-c', 'core.editor=true', ...args).then(
      () => true,
      () => false,
    );
    told.push(`git ${args.join(' ')}${isDone ? '' : ' (refused)'}`);
    return isDone;
  };
  const add = async (name: string): Promise<void> => {
    const isAway = name.startsWith(AWAY);
    const branch = await branchOf(peer);
    if (isAway ? branch === 'main' : branch !== 'main' && branch !== 'side') return;
    const path = random.pick(PATHS);
    told.push(`adds ${name} to ${path}`);
    // Appending overwrites nothing that was written in between.
    await appendFile(join(folder, path), `  /${name}:\n    get:\n      summary: ${name}\n`);
  };
  const before = performance.now();
  await DOINGS[what]({ ...given, run, add });
  story.push(`${(before / 1000).toFixed(2)} ${folder.split('/').at(-1) ?? ''} ${token} ${what}: ${told.join(', ')}`);
}

async function branchOf({ session: { folder } }: LocalPeer): Promise<string> {
  return (await git(folder, 'branch', '--show-current')).trim();
}

/** Back on the branch that has joined, with git at rest. */
async function comeHome(peer: LocalPeer): Promise<void> {
  if ((await branchOf(peer)) !== 'main') await git(peer.session.folder, 'checkout', '-q', '-f', 'main');
}

async function bringBack({ session, status }: LocalPeer): Promise<void> {
  for (const { state, file } of status.documents) if (state === 'behind') await session.leaveBehind(file, 'bringBack');
}

async function isInStep(peers: readonly LocalPeer[]): Promise<boolean> {
  for (const path of PATHS)
    if (new Set(await Promise.all(peers.map((peer) => peer.read(path)))).size !== 1) return false;
  return peers.every(
    ({ status: { phase, documents } }) => phase === 'running' && documents.every(({ state }) => state === 'inStep'),
  );
}

async function assertNothingLost([peer]: readonly LocalPeer[]): Promise<void> {
  assert.ok(peer !== undefined);
  for (const { docId, path } of peer.status.documents) {
    /** By token: who brought it. Going back over one's own work is everybody's right. */
    const owners = new Map<string, string>();
    let before: ReadonlySet<string> = new Set();
    for (const { hash, index, authorName } of [...(await peer.session.history.entries(docId, 1_000))].reverse()) {
      const text = hash === undefined ? undefined : await peer.session.history.textOf(docId, hash);
      assert.ok(text !== undefined);
      const now: ReadonlySet<string> = new Set([...text.matchAll(/summary: (\w+)/g)].map((match) => match[1] ?? ''));
      const place: string = `entry ${String(index)} of ${path} by ${authorName}`;
      for (const token of now) if (!before.has(token)) owners.set(token, authorName);
      const lost: readonly string[] = [...before].filter(
        (token) => !now.has(token) && owners.get(token) !== authorName,
      );
      assert.deepEqual(lost, [], `${place} takes nothing of others out`);
      assert.deepEqual(
        [...now].filter((token) => token.startsWith(AWAY)),
        [],
        `${place} brings nothing of another branch`,
      );
      before = now;
    }
  }
}
