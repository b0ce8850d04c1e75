import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SourceMemory } from '../../../src/core/sources/sourceMemory.ts';
import { SharedSourcePlace } from '../../../src/node/sources/sharedSourcePlace.ts';
import { SourceStore } from '../../../src/node/sources/sourceStore.ts';
import { SharedMemories } from '../../../src/peer/sources/sharedMemories.ts';

const KEY = { sourceId: 'pets', target: 'openapi.yaml', branch: 'main' };
const memory = (revision: string): SourceMemory => ({
  revision,
  heldBase: undefined,
  answerHash: '',
  etag: undefined,
  lastModified: undefined,
  madeWith: '',
  resultHash: `result of ${revision}`,
  mergedAt: 0,
});

test('[SRC] another window goes on from what the log has, the one that merged last from its own; what the log never got is the base of nobody else', async () => {
  const root = await mkdtemp(join(tmpdir(), 'als-shared-'));
  try {
    const log = new Set<string>();
    const open = (folder: string): SharedMemories => {
      const place = new SharedSourcePlace(join(root, 'library'), 'openapi.yaml', 'http://localhost:8000/');
      return new SharedMemories({
        own: new SourceStore(join(root, folder)),
        place: () => place,
        hasRevision: (_target, hash) => Promise.resolve(log.has(hash)),
      });
    };
    const revisionOf = async (folder: string): Promise<string | undefined> => (await open(folder).load(KEY))?.revision;
    const alice = open('alice');
    await alice.save(KEY, memory('one'));
    assert.deepEqual([await revisionOf('alice'), await revisionOf('bob')], ['one', undefined]);
    // Committed as it was merged: known by its text.
    log.add('result of one');
    assert.equal(await revisionOf('bob'), 'one');
    await alice.save(KEY, memory('two'));
    assert.equal(await revisionOf('bob'), undefined, 'the log has no "two", and "one" was not confirmed');
    // Committed together with something else: found equal to the file later on.
    await alice.confirm();
    assert.equal(alice.isUnconfirmed, false);
    assert.equal(await revisionOf('bob'), 'two');
    await alice.save(KEY, memory('three'));
    assert.deepEqual([await revisionOf('alice'), await revisionOf('bob')], ['three', 'two']);
    // Alice was killed with "three" in her file only; what bob merged since counts for her too.
    const bob = open('bob');
    await bob.load(KEY);
    await bob.save(KEY, memory('four'));
    log.add('result of four');
    assert.deepEqual([await revisionOf('alice'), await revisionOf('bob')], ['four', 'four']);
  } finally {
    await rm(root, { recursive: true });
  }
});
