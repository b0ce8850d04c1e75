import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
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
  mergeByHand: byHand('merge', ['-q', '--no-edit']),
  rebaseByHand: byHand('rebase', ['-q', '--autostash']),
  cherryPickByHand: byHand('cherry-pick', []),
  popByHand: async ({ peer, random, token, run, add }) => {
    if ((await branchOf(peer)) !== 'main') return;
    if (!(await run('stash', '-q'))) return;
    await delay(random.between(0, MAX_PAUSE_MS));
    await add(`t${token}`);
    if (random.chance(0.5)) await run('commit', '-qam', token);
    await delay(random.between(0, MAX_PAUSE_MS));
    if (await run('stash', 'pop', '-q')) return;
    // Refused, or stopped in the middle with marks in the files, which git calls nothing under way.
    await delay(random.between(0, MAX_PAUSE_MS));
    await keepBoth(peer);
    await delay(random.between(0, MAX_PAUSE_MS));
    await run('reset', '-q');
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

/** The same, brought to an end by the person, who keeps what both sides have. */
function byHand(command: string, args: readonly string[]): (doing: Doing) => Promise<void> {
  return async ({ peer, random, run }) => {
    if ((await branchOf(peer)) !== 'main') return;
    if (await run(command, ...args, random.pick(['side', 'origin/main']))) return;
    for (let stops = 0; stops < 5; stops++) {
      await delay(random.between(0, MAX_PAUSE_MS));
      await keepBoth(peer);
      await run('add', '-A');
      if (await run(command, '--continue')) return;
    }
    await run(command, '--abort');
  };
}

/** Takes git's marks out of the files and leaves what both sides have, each operation once. */
async function keepBoth({ session: { folder }, status: { documents } }: LocalPeer, isMending = false): Promise<void> {
  for (const path of PATHS) {
    const file = join(folder, path);
    const text = await readFile(file, 'utf8');
    const isInvalid = isMending && documents.some((one) => one.path === path && one.state === 'invalid');
    if (!isInvalid && !/^<{7}/m.test(text)) continue;
    const tokens = new Set([...text.matchAll(/summary: (\w+)/g)].map((match) => match[1] ?? ''));
    tokens.delete('start');
    await writeFile(file, SPEC + [...tokens].map(operation).join(''));
  }
}

const operation = (name: string): string => `  /${name}:\n    get:\n      summary: ${name}\n`;

export interface RoundOptions {
  readonly seed: number;
  /** For each of them, all at the same time. */
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
  const work: Work = { added: new Set(), takenByGit: new Set() };
  try {
    const files = { ...Object.fromEntries(PATHS.map((path) => [path, SPEC])), '.gitattributes': '* -text\n' };
    for (const folder of await clones(machine, files, NAMES.slice(0, 2 + random.below(2)))) {
      const peer = await LocalPeer.open(machine, folder);
      peers.push(peer);
      await peer.session.keepInStep();
      await peer.untilInStep(PATHS.length);
    }
    const step = async (at: number, token: string): Promise<void> => {
      const what = random.pick(doings);
      const reopen = async (closed: LocalPeer, doing: () => Promise<void>): Promise<void> => {
        await closed.close();
        await doing();
        const opened = await LocalPeer.open(machine, closed.session.folder);
        peers[at] = opened;
        await opened.session.start();
      };
      const peer = peers[at];
      if (peer !== undefined)
        await act(what, { random, peer, token, whileClosed: (doing) => reopen(peer, doing) }, story, work);
      await delay(random.between(0, MAX_PAUSE_MS));
    };
    const live = async (at: number): Promise<void> => {
      for (let turn = 1; turn <= steps; turn++) await step(at, `${String(at)}x${String(turn)}`);
    };
    await Promise.all(peers.map((_, at) => live(at)));
    for (const [at, peer] of peers.entries()) {
      const before = await tokensIn(peer.session.folder);
      await comeHome(peer);
      const left = await tokensIn(peer.session.folder);
      // What a person has committed on another branch stays there.
      for (const name of before) if (name.startsWith(`t${String(at)}x`) && !left.has(name)) work.takenByGit.add(name);
    }
    await until('all are in step', async () => {
      for (const peer of peers) await settle(peer);
      return isInStep(peers);
    });
    await assertNothingLost(peers);
    const there = await tokensIn(peers[0]?.session.folder ?? '');
    const lost = [...work.added].filter((token) => !there.has(token) && !work.takenByGit.has(token));
    assert.deepEqual(lost, [], 'what somebody added is there, unless git took it out of their own files');
  } catch (error) {
    const states = peers.map(({ session: { folder }, status: { phase, observing, problem, documents } }) => [
      folder,
      phase,
      observing,
      problem,
      documents,
    ]);
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

/** What people have added on the branch that has joined, and what of that their own git commands took out of their files. */
interface Work {
  readonly added: Set<string>;
  readonly takenByGit: Set<string>;
}

async function act(what: What, given: Omit<Doing, 'run' | 'add'>, story: string[], work: Work): Promise<void> {
  const { random, peer, token } = given;
  const { folder } = peer.session;
  const told: string[] = [];
  const own = new Set<string>();
  const run = async (...args: string[]): Promise<boolean> => {
    for (const name of await tokensIn(folder)) if (name.startsWith(`t${token.split('x')[0] ?? ''}x`)) own.add(name);
    const isDone = await git(folder, '-c', 'core.editor=true', ...args).then(
      () => true,
      () => false,
    );
    const left = await tokensIn(folder);
    for (const name of own) if (!left.has(name)) work.takenByGit.add(name);
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
    await appendFile(join(folder, path), operation(name));
    if (branch === 'main') work.added.add(name);
  };
  const before = performance.now();
  await DOINGS[what]({ ...given, run, add });
  story.push(`${(before / 1000).toFixed(2)} ${folder.split('/').at(-1) ?? ''} ${token} ${what}: ${told.join(', ')}`);
}

async function tokensIn(folder: string): Promise<ReadonlySet<string>> {
  const texts = await Promise.all(PATHS.map((path) => readFile(join(folder, path), 'utf8').catch(() => '')));
  return new Set(texts.flatMap((text) => [...text.matchAll(/summary: (\w+)/g)].map((match) => match[1] ?? '')));
}

async function branchOf({ session: { folder } }: LocalPeer): Promise<string> {
  return (await git(folder, 'branch', '--show-current')).trim();
}

/** Back on the branch that has joined, with git at rest. */
async function comeHome(peer: LocalPeer): Promise<void> {
  const { folder } = peer.session;
  for (const command of ['rebase', 'merge', 'cherry-pick'])
    // Most often it is not under way.
    await git(folder, command, '--abort').catch(() => undefined);
  if ((await branchOf(peer)) !== 'main') await git(folder, 'checkout', '-q', '-f', 'main');
}

/** What a person is asked, and what git has put together to something that cannot be read, is mended. */
async function settle(peer: LocalPeer): Promise<void> {
  if (peer.status.documents.some(({ state }) => state === 'invalid')) await keepBoth(peer, true);
  await bringBack(peer);
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
