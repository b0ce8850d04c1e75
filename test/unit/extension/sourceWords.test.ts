import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ElementChange } from '../../../src/core/sources/elementChange.ts';
import { checkLiveSource, type LiveSourceConfig } from '../../../src/core/sources/liveSourceConfig.ts';
import { SourceApprovals } from '../../../src/extension/sources/sourceApprovals.ts';
import {
  agoWords,
  changedSentence,
  resultSentence,
  stateWords,
  waitingSentence,
} from '../../../src/extension/sources/sourceWords.ts';
import { newStatus } from '../../../src/peer/sources/sourceStatus.ts';

const config = configOf({});
const change = (kind: ElementChange['kind'], pointer: string, label: string): ElementChange => ({
  kind,
  pointer,
  label,
  details: [],
});

test('[SRC] a notice names what changed by operation, and a few things only', () => {
  const four = ['a', 'b', 'c', 'd'].map((name) => change('changed', `/paths/~1${name}/get`, `GET /${name}`));
  assert.equal(
    changedSentence(config, four),
    'localhost:8000 → api/openapi.yaml: changed GET /a, changed GET /b, changed GET /c and 1 more.',
  );
  const made = [change('added', '/openapi', 'openapi'), change('added', '/paths/~1a/get', 'GET /a')];
  assert.equal(changedSentence(config, made), 'api/openapi.yaml was made from localhost:8000: 1 operation.');
  assert.equal(
    waitingSentence(config, four.slice(0, 1)),
    'localhost:8000 differs from api/openapi.yaml: changed GET /a.',
  );
});

test('[SRC] a failed sync says what happened and what to do', () => {
  const problem = { code: 'x', message: 'localhost:8000 is not reachable.', remedy: 'Is the server started?' };
  const result = {
    sourceId: config.id,
    kind: 'failed',
    changes: [],
    conflictCount: 0,
    durationMs: 1,
    problem,
  } as const;
  assert.equal(resultSentence(config, result), 'localhost:8000 is not reachable. Is the server started?');
});

test('[SRC] a shared source says whose window follows it', () => {
  const status = { ...newStatus(config), state: 'atLeader' } as const;
  assert.equal(stateWords(status, 0), "followed by the leader's window");
  assert.equal(stateWords({ ...status, leaderName: 'backend' }, 0), "followed by the leader's window (backend)");
});

test('[SRC] ages are rounded', () => {
  assert.deepEqual([0, 40_000, 300_000, 8_000_000].map(agoWords), ['just now', '40 s ago', '5 min ago', '2 h ago']);
});

test('[SRC] [I10] a yes counts for one folder and one value', async () => {
  const values = new Map<string, unknown>();
  const approvals = new SourceApprovals({
    get: (key) => values.get(key),
    update: (key, value) => Promise.resolve(void values.set(key, value)),
  });
  await approvals.approve('/work/frontend', [config]);
  assert.equal(approvals.isApproved('/work/frontend', config), true);
  assert.equal(approvals.isApproved('/work/other', config), false);
  assert.equal(approvals.isApproved('/work/frontend', configOf({ url: 'http://evil.test/' })), false);
  assert.equal(approvals.isApproved('/work/frontend', configOf({ headers: { cookie: '${secret:token}' } })), false);
  assert.equal(approvals.isApproved('/work/frontend', configOf({ target: 'other.yaml', id: config.id })), false);
});

function configOf(source: object): LiveSourceConfig {
  const { value } = checkLiveSource({
    url: 'http://localhost:8000/openapi.json',
    target: 'api/openapi.yaml',
    ...source,
  });
  assert.ok(value !== undefined);
  return value;
}
