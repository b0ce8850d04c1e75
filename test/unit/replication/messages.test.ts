import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LibraryId, LogIndex, PeerId } from '../../../src/core/ids.ts';
import type { DocumentHead } from '../../../src/core/replication/entry.ts';
import { encodeMessage, parseMessage } from '../../../src/core/replication/messages.ts';
import type { MessageBody, SyncMessage } from '../../../src/core/replication/messages.ts';
import { authorOf, createOf, deleteOf, editOf, hashOf, peerInfo, renameOf } from './fakes.ts';

const leaderId = 'peer-leader' as PeerId;
const envelope = { libraryId: 'library-1' as LibraryId, term: { number: 3, leaderId }, sender: leaderId };
const index = 7 as LogIndex;
const docId = 'doc-1' as DocId;
const hash = hashOf('x');
const head: DocumentHead = { docId, path: 'a.yaml', hash, index, author: authorOf('bob'), at: 1 };
const entry = { ...editOf('b', 'doc-1', 'a\n', 'b\n'), index, term: envelope.term, author: authorOf('bob'), at: 1 };

const bodies: readonly MessageBody[] = [
  {
    kind: 'hello',
    requestId: 0,
    protocolMin: 1,
    protocolMax: 1,
    name: 'bob',
    folderName: 'api',
    index,
    runningHash: hash,
  },
  { kind: 'welcome', requestId: 0, protocol: 1, index, runningHash: '', standing: 'onLog', peers: [peerInfo('bob')] },
  { kind: 'newEntries', from: index, to: index, count: 1, entries: [entry] },
  { kind: 'newEntries', from: index, to: index, count: 1 },
  { kind: 'fetchEntries', requestId: 1, since: index, limit: 100 },
  { kind: 'entriesResponse', requestId: 1, entries: [entry], hasMore: true },
  { kind: 'acknowledge', index },
  { kind: 'propose', requestId: 2, proposal: createOf('b', 'doc-1', 'a.yaml', 'x') },
  { kind: 'propose', requestId: 2, proposal: editOf('b', 'doc-1', 'x', 'y') },
  { kind: 'propose', requestId: 2, proposal: deleteOf('b', 'doc-1', 'a.yaml', 'x') },
  { kind: 'propose', requestId: 2, proposal: renameOf('b', 'doc-1', 'a.yaml', 'b.yaml', 'x') },
  { kind: 'committed', requestId: 2, index },
  { kind: 'stale', requestId: 2, head },
  { kind: 'stale', requestId: 2 },
  { kind: 'fetchHeads', requestId: 3 },
  { kind: 'heads', requestId: 3, heads: [head, { ...head, hash: undefined }], index, runningHash: hash },
  { kind: 'fetchRevision', requestId: 4, docId, hash },
  { kind: 'revision', requestId: 4, text: 'x\u0000\u2028é' },
  { kind: 'revision', requestId: 4 },
  { kind: 'fetchHistory', requestId: 5, docId, limit: 10 },
  { kind: 'history', requestId: 5, entries: [entry] },
  { kind: 'heartbeat', index, peers: [peerInfo('bob')] },
  { kind: 'heartbeat', index },
  { kind: 'syncRequired', reason: 'compacted', requestId: 6 },
  { kind: 'error', code: 'log-unavailable', message: 'The disk is full.', isFinal: false, requestId: 7 },
  { kind: 'bye', reason: 'shuttingDown' },
];

test('[REP-02] every message says the same after it went over the wire', () => {
  for (const body of bodies) {
    const message: SyncMessage = { ...envelope, ...body };
    const { value, problems } = parseMessage(encodeMessage(message));
    assert.deepEqual(problems, [], body.kind);
    assert.deepEqual(JSON.parse(JSON.stringify(value)), JSON.parse(JSON.stringify(message)), body.kind);
  }
});

test('[REP-02] a message with anything missing, more, too long or of another kind is refused, whichever it is', () => {
  for (const body of bodies) {
    const message = { ...envelope, ...body } as unknown as Record<string, unknown>;
    const bad: unknown[] = [
      { ...message, kind: 'gossip' },
      { ...message, kind: undefined },
      { ...message, libraryId: '' },
      { ...message, libraryId: 'x'.repeat(201) },
      { ...message, sender: 'peer with space' },
      { ...message, term: { number: -1, leaderId } },
      { ...message, term: { number: 1.5, leaderId } },
      { ...message, term: { number: 2 ** 60, leaderId } },
      { ...message, term: undefined },
      ...(body.kind === 'hello' ? [] : [{ ...message, surprise: 1 }]),
      ...('requestId' in body && body.kind !== 'error' && body.kind !== 'syncRequired'
        ? [{ ...message, requestId: undefined }]
        : []),
      ...('index' in body
        ? [
            { ...message, index: -1 },
            { ...message, index: '7' },
          ]
        : []),
    ];
    for (const value of bad)
      assert.equal(
        parseMessage(JSON.stringify(value)).value,
        undefined,
        `${body.kind} ${JSON.stringify(value).slice(0, 200)}`,
      );
  }
});

test('[I10] lists and texts are bounded, and nothing reaches the prototype', () => {
  const message = (body: object): string => JSON.stringify({ ...envelope, ...body });
  const bad = [
    message({
      kind: 'entriesResponse',
      requestId: 1,
      hasMore: false,
      entries: Array.from({ length: 101 }, () => ({})),
    }),
    message({ kind: 'heartbeat', index, peers: Array.from({ length: 1_001 }, () => peerInfo('x')) }),
    message({ kind: 'fetchHistory', requestId: 1, docId, limit: 1_001 }),
    message({ kind: 'fetchRevision', requestId: 1, docId, hash: 'x'.repeat(64) }),
    message({
      kind: 'propose',
      requestId: 1,
      proposal: { ...createOf('b', 'd', 'a.yaml', 'x'), changes: Array.from({ length: 1_001 }, () => '') },
    }),
    message({
      kind: 'propose',
      requestId: 1,
      proposal: { ...createOf('b', 'd', 'a.yaml', 'x'), path: 'x'.repeat(1_025) },
    }),
    message({ kind: 'propose', requestId: 1, proposal: { ...createOf('b', 'd', 'a.yaml', 'x'), kind: 'bulk' } }),
    message({
      kind: 'propose',
      requestId: 1,
      proposal: { ...createOf('b', 'd', 'a.yaml', 'x'), author: authorOf('mallory') },
    }),
    message({ kind: 'acknowledge', index }).replace('"index"', '"__proto__":{"polluted":true},"index"'),
    '['.repeat(100_000),
    '\ud800',
    '',
  ];
  for (const text of bad) assert.equal(parseMessage(text).value, undefined, text.slice(0, 120));
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});
