import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, PeerId, ProposalId, RevisionHash } from '../../../src/core/ids.ts';
import { diffSplices } from '../../../src/core/merge/splices.ts';
import { threeWayMerge } from '../../../src/core/merge/threeWayMerge.ts';
import type { DocumentEntry } from '../../../src/core/replication/entry.ts';
import type { StoredRevision } from '../../../src/core/replication/replicaStore.ts';
import { LibraryAuthors } from '../../../src/peer/replica/libraryAuthors.ts';

const BASE = `openapi: 3.1.0
info:
  title: Tours
  version: 1.0.0
paths:
  /a:
    get:
      operationId: a
      summary: One
      description: First
  /b:
    get:
      operationId: b
      summary: Two
  /c:
    get:
      operationId: c
      summary: Three
`;

/** What several people make of the base, one after the other. */
function library(...steps: readonly (readonly [name: string, before: string, after: string])[]): {
  readonly authors: LibraryAuthors;
  readonly head: string;
} {
  const authors = new LibraryAuthors();
  let head = BASE;
  steps.forEach(([name, before, after], at) => {
    assert.ok(head.includes(before), before);
    const next = head.replace(before, after);
    authors.add(entry(name, at + 1, head, next));
    head = next;
  });
  return { authors, head };
}

function entry(name: string, at: number, before: string, after: string): DocumentEntry {
  return {
    index: at as LogIndex,
    term: { number: 1, leaderId: 'p' as PeerId },
    kind: 'edit',
    proposalId: `p:${at}` as ProposalId,
    docId: 'd' as DocId,
    baseHash: before as RevisionHash,
    hash: after as RevisionHash,
    patch: diffSplices(before, after),
    changes: [],
    author: { peerId: 'p' as PeerId, name },
    at,
  };
}

function revision(text: string): StoredRevision {
  return { text, hash: text as RevisionHash, index: 0 as LogIndex };
}

/** By label, who made the other side of each conflict. */
function attributed({ authors, head }: ReturnType<typeof library>, ours: string): Record<string, string | undefined> {
  const { conflicts } = threeWayMerge({ base: BASE, ours, theirs: head }, 'yaml');
  const found = authors.authorsOf(conflicts, revision(BASE), revision(head), true);
  return Object.fromEntries(conflicts.map(({ id, label }) => [label, found.get(id)?.name]));
}

test('each conflict is attributed to who made its other side, whoever came last', () => {
  const made = library(
    ['alice', 'title: Tours', 'title: Sails'],
    ['carol', 'summary: Two', 'summary: Second'],
    ['dave', 'openapi: 3.1.0\n', 'openapi: 3.1.0\nx-team: tours\n'],
    ['alice', 'summary: Three', 'summary: Third, by alice'],
    ['carol', 'Third, by alice', 'Third, by carol'],
  );
  const ours = BASE.replace('title: Tours', 'title: Boats').replace('Two', 'Zwei').replace('Three', 'Drei');
  assert.deepEqual(attributed(made, ours), {
    'info · title': 'alice',
    'GET /b · summary': 'carol',
    'GET /c · summary': 'carol',
  });
});

test('a deletion is attributed to who deleted, and a broken rule to who caused the other half of it', () => {
  const made = library(
    ['alice', '      description: First\n', ''],
    ['carol', 'operationId: c', 'operationId: places'],
    ['dave', 'title: Tours', 'title: Tours!'],
  );
  const ours = BASE.replace('description: First', 'description: The first').replace(
    'operationId: b',
    'operationId: places',
  );
  assert.deepEqual(attributed(made, ours), {
    'GET /a · description': 'alice',
    '/b': 'carol',
    '/c': 'carol',
  });
});

test('nobody is guessed: without the entries that led to the head, none is named', () => {
  const { authors, head } = library(['alice', 'title: Tours', 'title: Sails']);
  const later = head.replace('title: Sails', 'title: Sailing');
  assert.deepEqual(attributed({ authors, head: later }, BASE.replace('title: Tours', 'title: Boats')), {
    'info · title': undefined,
  });
});

test('[I10] what is kept is bounded', () => {
  const authors = new LibraryAuthors();
  const texts = Array.from({ length: 700 }, (_, at) => BASE.replace('Tours', `Tours ${at}`));
  texts.forEach((text, at) => authors.add(entry('alice', at, texts[at - 1] ?? BASE, text)));
  const head = texts.at(-1) ?? '';
  const ours = BASE.replace('title: Tours', 'title: Boats');
  assert.deepEqual(attributed({ authors, head }, ours), { 'info · title': undefined });
});
