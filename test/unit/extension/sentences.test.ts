import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pairWith } from '../../../src/extension/pairs.ts';
import { problemSentence, problems } from '../../../src/extension/problems.ts';
import {
  appliedSentence,
  commitSentence,
  offerSentence,
  pairsSentence,
  pulledSentence,
  readySentence,
} from '../../../src/extension/sentences.ts';
import { count, listNames } from '../../../src/extension/words.ts';
import type { DocId } from '../../../src/core/ids.ts';
import type { DocumentPair } from '../../../src/peer/folderSession.ts';

describe('sentences', () => {
  it('ask for consent with name and size', () => {
    assert.equal(
      offerSentence({ libraryId: undefined, name: 'petstore', neighbour: 'frontend', documentCount: 2 }),
      'Another window has this API (petstore, 2 documents). Keep them in step?',
    );
  });

  it('say what to do next, on a branch that joins beside another one, too', () => {
    assert.match(readySentence('backend', 2, undefined), /second window: it is offered there\.$/);
    // A window that has joined on another branch is not asked again.
    assert.match(
      readySentence('backend', 2, 'feature/x'),
      /on branch feature\/x \(2 documents\)\..*chooses Keep in Step there\.$/,
    );
  });

  it('say what a peer changed', () => {
    const change = {
      docId: 'd1' as DocId,
      file: '/a.yaml',
      path: 'a.yaml',
      authorName: 'alice',
      changes: ['GET /pets', 'POST /pets'],
      isDeletion: false,
    };
    assert.equal(appliedSentence(change), 'alice changed GET /pets and POST /pets in a.yaml');
    assert.equal(appliedSentence({ ...change, changes: [] }), 'alice changed a.yaml');
    assert.equal(appliedSentence({ ...change, changes: [], isDeletion: true }), 'alice deleted a.yaml');
  });

  it('say whose changes a commit includes', () => {
    const notice = { paths: ['a.yaml'], authorNames: ['alice', 'bob'], isMade: false };
    assert.equal(
      commitSentence(notice),
      'What you are about to commit includes uncommitted changes from alice and bob, in a.yaml.',
    );
    assert.match(commitSentence({ ...notice, isMade: true }), /^Your commit includes/);
  });

  it('say what was pulled, and what was left alone', () => {
    const pulled = { isDone: true, commitCount: 2, held: ['a.yaml'], changedSince: ['a.yaml'] } as const;
    assert.equal(
      pulledSentence(pulled),
      'Pulled 2 commits. a.yaml held it already. What a.yaml has beside that stays there, uncommitted.',
    );
    assert.equal(pulledSentence({ ...pulled, commitCount: 0 }), 'There is nothing to pull.');
  });

  it('count and list as people do', () => {
    assert.equal(count(1, 'conflict'), '1 conflict');
    assert.equal(count(1000, 'conflict'), '1,000 conflicts');
    assert.equal(listNames(['alice', 'alice', 'bob']), 'alice and bob');
    assert.equal(listNames(['a', 'b', 'c', 'd', 'e']), 'a, b and 3 others');
  });

  it('carry the code and the next step of a problem', () => {
    assert.equal(
      problemSentence(problems.saveFailed('openapi.yaml')),
      'The editor could not save openapi.yaml. Save it yourself, or look whether the file may be written. [save-failed]',
    );
  });
});

describe('pairs', () => {
  const pairs: readonly DocumentPair[] = [
    { libraryPath: 'openapi.yaml', title: 'Petstore', localPath: 'api/openapi.yaml', matchedBy: 'title' },
    { libraryPath: 'users.yaml', title: undefined, localPath: undefined, matchedBy: undefined },
  ];

  it('are told in one line', () => {
    assert.equal(pairsSentence(pairs), 'openapi.yaml ↔ api/openapi.yaml · users.yaml ↔ not in this folder');
  });

  it('never give one file to two documents', () => {
    const changed = pairWith(pairs, 'users.yaml', 'api/openapi.yaml');
    assert.deepEqual(
      changed.map((pair) => pair.localPath),
      [undefined, 'api/openapi.yaml'],
    );
    assert.deepEqual(
      pairWith(changed, 'users.yaml', undefined).map((pair) => pair.localPath),
      [undefined, undefined],
    );
  });
});
