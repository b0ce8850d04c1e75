import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planAdvice } from '../../../src/core/advice/adviceRequest.ts';
import { readAiAddress } from '../../../src/extension/aiAddress.ts';
import { AiKeys } from '../../../src/extension/aiKeys.ts';
import { requestText } from '../../../src/extension/aiRequestText.ts';
import { toConflictViews } from '../../../src/extension/conflictViewModel.ts';
import { draftProblem, draftSeverity } from '../../../src/extension/draftChecks.ts';
import { askingNote, toProposalView } from '../../../src/extension/proposalViewModel.ts';
import { heldConflict } from './fakeSession.ts';

describe('the address of an AI service', () => {
  it('may be anywhere over https, and on this machine over http', () => {
    for (const [address, origin] of [
      ['https://api.openai.com/v1', 'https://api.openai.com'],
      [' http://localhost:11434/v1 ', 'http://localhost:11434'],
      ['http://127.0.0.1:8000/v1', 'http://127.0.0.1:8000'],
      ['http://[::1]:8000/v1', 'http://[::1]:8000'],
    ] as const) {
      const read = readAiAddress(address);
      assert.ok('origin' in read && read.origin === origin, address);
    }
  });

  it('is refused in a sentence where a key or a text could go astray', () => {
    for (const address of [
      '',
      'api.openai.com',
      'http://api.openai.com/v1',
      'http://localhost.evil.example/v1',
      'http://127.0.0.1.evil.example',
      'https://key@api.openai.com/v1',
      'file:///etc/passwd',
      'javascript:alert(1)',
    ]) {
      const read = readAiAddress(address);
      assert.ok('code' in read, address);
      assert.match(read.message, /apiLiveSync\.ai\.baseUrl .*\.$/);
    }
  });
});

describe('keys for AI services', () => {
  it('belong to one origin each', async () => {
    const kept = new Map<string, string>();
    const keys = new AiKeys({
      get: (name) => Promise.resolve(kept.get(name)),
      store: (name, value) => Promise.resolve(void kept.set(name, value)),
      delete: (name) => Promise.resolve(void kept.delete(name)),
    });
    await keys.set('https://a.example', ' one ');
    assert.equal(await keys.get('https://a.example'), 'one');
    assert.equal(await keys.get('https://a.example:8443'), undefined);
    assert.equal(await keys.get('http://a.example'), undefined);
    await keys.set('https://a.example', '');
    assert.equal(kept.size, 0);
  });
});

describe('what a person reads about a proposal', () => {
  it('is everything that is sent, out of whose fence no text breaks', () => {
    const conflict = { ...heldConflict({}).conflict, label: '``` ~~~ ````' };
    const { requests } = planAdvice(
      [{ conflict, kindText: 'Both', theirsName: 'alice' }],
      { neighbours: {}, ourChanges: [], theirChanges: [] },
      undefined,
    );
    const text = requestText(requests, 'a model');
    assert.ok(text.includes(requests[0]?.data ?? '?') && text.includes(requests[0]?.instructions ?? '?'));
    assert.match(text, /^`````$/m);
  });

  it('says what it would do and whether it may', () => {
    const held = heldConflict({});
    const checks = [{ name: 'parses' as const, outcome: 'passed' as const, sentence: 'Fine.' }];
    const view = toProposalView(
      { kind: 'proposal', resolution: { choice: 'custom', text: 'x\n' }, reason: 'R', confidence: 'low', checks },
      held,
      'a model',
    );
    assert.deepEqual(view, {
      state: 'ready',
      title: 'A text of its own',
      text: 'x',
      reason: 'R',
      confidence: 'low',
      by: 'a model',
      checks: [{ outcome: 'passed', sentence: 'Fine.' }],
      canTake: true,
    });
    const unchecked = toProposalView(
      { kind: 'proposal', resolution: { choice: 'theirs' }, reason: 'R', confidence: 'low', checks: [] },
      held,
      'a model',
    );
    assert.ok(unchecked.state === 'ready' && !unchecked.canTake && unchecked.title === 'Take the one from alice');
  });

  it('says how far an answer is', () => {
    assert.match(askingNote(undefined), /Waiting/);
    assert.match(askingNote({ kind: 'receiving', characters: 1200 }), /1,200 characters/);
    assert.match(askingNote({ kind: 'waiting', seconds: 1 }), /in 1 second…/);
  });
});

describe('what a person writes themself', () => {
  it('has to be the one element and readable; the rest is told', () => {
    const failed = (
      name: 'parses' | 'outside' | 'references' | 'validity' | 'kept' | 'addresses',
    ): string | undefined => draftSeverity({ name, outcome: 'failed', sentence: '' });
    assert.deepEqual([failed('parses'), failed('outside')], ['error', 'error']);
    assert.deepEqual([failed('references'), failed('validity')], ['warning', 'warning']);
    assert.deepEqual([failed('kept'), failed('addresses')], [undefined, undefined]);
    assert.equal(draftProblem([{ name: 'parses', outcome: 'failed', sentence: 'No.' }]), 'No.');
    assert.equal(draftProblem([{ name: 'validity', outcome: 'failed', sentence: 'No.' }]), undefined);
    assert.match(draftProblem(undefined) ?? '', /changed meanwhile/);
  });
});

describe('conflicts that are decided together', () => {
  it('have one group, also over a chain of explanations, and others have none', () => {
    const semantic = (id: string, pointer: string, explanation: string): ReturnType<typeof heldConflict> =>
      heldConflict({ id, pointer, explanation, kind: 'semantic', label: id });
    const pet = 'The reference #/components/schemas/Pet points to nothing.';
    const cat = 'The reference #/components/schemas/Cat points to nothing.';
    const views = toConflictViews([
      {
        folder: '/a',
        folderName: 'a',
        conflicts: [
          semantic('1', '/paths/~1a/get', pet),
          heldConflict({ id: '2', label: '2' }),
          semantic('3', '/paths/~1b/get', cat),
          semantic('4', '/components', cat),
          semantic('5', '/paths/~1c', 'The operationId "a" is given to 2 operations.'),
        ],
      },
    ]);
    const groups = views.map(({ groupKey }) => groupKey);
    assert.equal(new Set([groups[0], groups[2], groups[3]]).size, 1);
    assert.notEqual(groups[0], undefined);
    assert.deepEqual([groups[1], groups[4]], [undefined, undefined]);
  });
});
