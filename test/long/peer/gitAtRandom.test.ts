import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { DocumentState } from '../../../src/peer/folderSession.ts';
import { clones, git, hasGit } from '../../integration/support/clones.ts';
import { Machine, until } from '../../integration/support/headlessPeer.ts';
import { LocalPeer } from '../../integration/support/localPeer.ts';
import { SeededRandom } from '../../simulation/seededRandom.ts';

const PATH = 'openapi.yaml';
const SPEC =
  'openapi: 3.1.0\ninfo:\n  title: Shop\n  version: 1.0.0\npaths:\n  /start:\n    get:\n      summary: start\n';
const ROUNDS = Number(process.env['API_LIVE_SYNC_GIT_ROUNDS'] ?? 5);
const STEPS = 60;
const FIRST_SEED = Number(process.env['API_LIVE_SYNC_SEED'] ?? 1);

const options = { skip: !hasGit && 'git is not installed' };
for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed++) {
  test(
    `[I1] [I2] seed ${String(seed)}: git commands in real clones at random moments take nothing out of the library`,
    options,
    () => round(new SeededRandom(seed)),
  );
}

/** Two people who only ever add; so nobody's work goes out of the library but by their own hand. */
async function round(random: SeededRandom): Promise<void> {
  const machine = await Machine.create();
  const peers: LocalPeer[] = [];
  try {
    for (const folder of await clones(machine, { [PATH]: SPEC, '.gitattributes': '* -text\n' }, [
      'alice',
      'bob',
    ] as const)) {
      const peer = await LocalPeer.open(machine, folder);
      peers.push(peer);
      await peer.session.keepInStep();
      await peer.untilInStep(1);
    }
    for (let step = 1; step <= STEPS; step++) {
      await act(random, random.pick(peers), `t${String(step)}`);
      await delay(random.between(0, 900));
    }
    for (const peer of peers) await comeHome(peer);
    await until('all are in step', async () => {
      for (const peer of peers) await bringBack(peer);
      return isInStep(peers);
    }).catch(async (error: unknown) => {
      const texts = await Promise.all(peers.map((peer) => peer.read(PATH)));
      throw new Error(JSON.stringify([peers.map(({ status }) => status), texts], undefined, 1), { cause: error });
    });
    await assertNobodyLost(peers);
  } finally {
    for (const peer of peers) await peer.close();
    await machine.dispose();
  }
}

async function isInStep(peers: readonly LocalPeer[]): Promise<boolean> {
  const texts = new Set(await Promise.all(peers.map((peer) => peer.read(PATH))));
  return texts.size === 1 && peers.every((peer) => peer.status.phase === 'running' && stateOf(peer) === 'inStep');
}

/** One thing that somebody does; git may refuse any of it, and then nothing happens. */
async function act(random: SeededRandom, peer: LocalPeer, token: string): Promise<void> {
  const { folder } = peer.session;
  const tryGit = (...args: string[]): Promise<string | undefined> => git(folder, ...args).catch(() => undefined);
  const doing = random.pick([
    'add',
    'add',
    'add',
    'commit',
    'stash',
    'pop',
    'reset',
    'away',
    'home',
    'pull',
    'bringBack',
  ] as const);
  if (doing === 'add') {
    // Appending overwrites nothing that was written in between.
    if ((await tryGit('branch', '--show-current'))?.trim() === 'main')
      await appendFile(join(folder, PATH), `  /${token}:\n    get:\n      summary: ${token}\n`);
  } else if (doing === 'commit') {
    await tryGit('commit', '-qam', token);
    await tryGit('push', '-q', 'origin', 'HEAD:main');
  } else if (doing === 'stash') await tryGit('stash', '-q');
  else if (doing === 'pop') {
    if ((await tryGit('stash', 'pop', '-q')) === undefined) await tryGit('reset', '-q', '--hard');
  } else if (doing === 'reset') await tryGit('reset', '-q', '--hard', random.pick(['HEAD', 'HEAD~1']));
  else if (doing === 'away') await tryGit('checkout', '-q', '-B', 'away', 'HEAD~1');
  else if (doing === 'home') await tryGit('checkout', '-q', 'main');
  else if (doing === 'pull') await peer.session.pullSyncedChanges();
  else await bringBack(peer);
}

/** Back on the branch that has joined, with git at rest. */
async function comeHome({ session: { folder } }: LocalPeer): Promise<void> {
  if ((await git(folder, 'branch', '--show-current')).trim() === 'main') return;
  await git(folder, 'checkout', '-q', '-f', 'main');
}

async function bringBack(peer: LocalPeer): Promise<void> {
  if (stateOf(peer) === 'behind') await peer.session.leaveBehind(join(peer.session.folder, PATH), 'bringBack');
}

function stateOf(peer: LocalPeer): DocumentState | undefined {
  return peer.status.documents[0]?.state;
}

async function assertNobodyLost([peer]: readonly LocalPeer[]): Promise<void> {
  const docId = peer?.status.documents[0]?.docId;
  assert.ok(peer !== undefined && docId !== undefined);
  const tokensOf = (text: string): ReadonlySet<string> => new Set(text.match(/summary: \w+/g));
  /** By token: who brought it. Going back over one's own work is everybody's right. */
  const owners = new Map<string, string>();
  let before: ReadonlySet<string> = new Set();
  for (const { hash, index, authorName } of [...(await peer.session.history.entries(docId, 1_000))].reverse()) {
    const text = hash === undefined ? undefined : await peer.session.history.textOf(docId, hash);
    assert.ok(text !== undefined);
    const now = tokensOf(text);
    for (const token of now) if (!before.has(token)) owners.set(token, authorName);
    const lost = [...before].filter((token) => !now.has(token) && owners.get(token) !== authorName);
    assert.deepEqual(lost, [], `entry ${String(index)} by ${authorName}`);
    before = now;
  }
}
