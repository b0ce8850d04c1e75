import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { diagnosticsText } from '../../../src/extension/diagnosticsText.ts';
import { until } from '../support/headlessPeer.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const PATH = 'contracts/secretproject.yaml';
const SPEC = `openapi: 3.1.0
info:
  title: Confidential harbour
  version: 1.0.0
paths:
  /undisclosed:
    get:
      summary: Launch plan
      responses:
        '200': { description: OK }
`;

const here = machineForEachTest();

test('[I10] diagnostics hold figures and states of both sides, and no text, name, path, id or token', async () => {
  const { machine } = here;
  const leader = await here.keepNew('backendfolder', { [PATH]: SPEC });
  const follower = await here.keepNew('frontendfolder', { [PATH]: SPEC });
  await follower.edit(PATH, (text) => text.replace('Launch plan', 'Launch plans'));
  await until('the change is with the leader', async () => (await leader.read(PATH)).includes('Launch plans'));
  await follower.edit(PATH, (text) => text.replace('responses:', '"unfinished'));
  await follower.until('the file is invalid', ({ documents }) => documents.some(({ state }) => state === 'invalid'));
  await until('everything is taken in and acknowledged', () => {
    const { lastIndex, metrics } = leader.session.diagnostics;
    const isAcknowledged = metrics?.followers.length === 2 && metrics.followers.every(({ lag }) => lag === 0);
    return Promise.resolve(isAcknowledged && follower.session.diagnostics.metrics?.entriesTaken === lastIndex);
  });

  const environment = { extension: '1.2.3', editor: 'desktop 1.125.0', node: 'v24', platform: 'linux x64' };
  const text = diagnosticsText({ ...environment, remote: undefined, isTrusted: true }, [
    leader.session,
    follower.session,
  ]);
  const libraries = join(machine.stateDir, 'libraries');
  const [libraryId = ''] = await readdir(libraries);
  const token = (await readFile(join(libraries, libraryId, 'token'), 'utf8')).trim();
  const record = await leader.record();
  const secrets = [
    ...SPEC.split('\n').map((line) => line.trim()),
    ...['Confidential', 'undisclosed', 'Launch', 'unfinished', 'contracts', 'secretproject', 'example.test', 'main'],
    ...['backendfolder', 'frontendfolder', 'test', userInfo().username, homedir(), machine.root],
    ...[token, libraryId, record.replicas[0]?.replicaId ?? '', leader.status.documents[0]?.docId ?? ''],
    ...leader.status.peers.flatMap(({ peerId, name }) => [peerId, name]),
    basename(machine.root),
  ].filter((secret) => secret !== '');
  assert.ok(secrets.length > SPEC.split('\n').length, 'there is something to look for');
  for (const secret of secrets) assert.ok(!text.includes(secret), `holds ${JSON.stringify(secret)}`);

  const { folders } = JSON.parse(text.slice(text.indexOf('{'))) as { readonly folders: readonly Folder[] };
  const [ofLeader, ofFollower] = folders;
  assert.equal(ofLeader?.role, 'leader');
  assert.equal(ofLeader.metrics.elections, 1);
  assert.equal(ofLeader.metrics.followers.length, 2);
  for (const { lag, sentUnits, receivedUnits } of ofLeader.metrics.followers) {
    assert.equal(lag, 0);
    assert.ok(sentUnits > 0 && receivedUnits > 0);
  }
  assert.equal(ofFollower?.role, 'follower');
  assert.deepEqual([ofFollower.metrics.elections, ofFollower.metrics.lag], [0, 0]);
  assert.equal(ofFollower.metrics.entriesTaken, ofLeader.lastIndex);
  const [document] = ofFollower.documents;
  assert.equal(document?.state, 'invalid');
  assert.match(document.problemCode ?? '', /^[\w-]+$/);
});

interface Folder {
  readonly role: string;
  readonly lastIndex: number;
  readonly documents: readonly { readonly state: string; readonly problemCode?: string }[];
  readonly metrics: {
    readonly lag: number;
    readonly elections: number;
    readonly entriesTaken: number;
    readonly followers: readonly {
      readonly lag: number;
      readonly sentUnits: number;
      readonly receivedUnits: number;
    }[];
  };
}
