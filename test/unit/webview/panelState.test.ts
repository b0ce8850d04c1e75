import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConflictView, ExtrasMessage, ProposalView, StateMessage } from '../../../src/protocol/conflictPanel.ts';
import { readSavedPanelState } from '../../../src/protocol/conflictPanel.ts';
import type { Extra, PanelState } from '../../../src/webview/conflictPanel/panelState.ts';
import {
  choose,
  counterText,
  decisionsToApply,
  initialState,
  keysToAsk,
  progressText,
  receiveExtras,
  receiveOutcome,
  receiveState,
  select,
  selectBy,
  skip,
  startUndo,
  startWork,
  toSavedState,
} from '../../../src/webview/conflictPanel/panelState.ts';

describe('conflict panel', () => {
  it('selects the first conflict and counts', () => {
    const state = showing('a', 'b', 'c');
    assert.equal(state.selectedKey, 'a');
    assert.equal(counterText(state), '3 conflicts in 1 document');
  });

  it('walks with the keys and stops at the ends', () => {
    let state = showing('a', 'b', 'c');
    state = selectBy(state, 1);
    assert.equal(state.selectedKey, 'b');
    assert.equal(selectBy(state, Infinity).selectedKey, 'c');
    assert.equal(selectBy(state, -Infinity).selectedKey, 'a');
    assert.equal(select(state, 'gone').selectedKey, 'b');
  });

  it('keeps choices pending until they are applied, and takes one back by choosing it again', () => {
    let state = choose(showing('a', 'b'), 'a', 'ours');
    state = choose(state, 'b', 'theirs');
    assert.equal(progressText(state), '2 of 2 chosen');
    assert.deepEqual(decisionsToApply(state, 'selected'), [{ key: 'a', fingerprint: 'a1', choice: 'ours' }]);
    assert.equal(decisionsToApply(state, 'all').length, 2);
    assert.equal(progressText(choose(state, 'a', 'ours')), '1 of 2 chosen');
    assert.equal(decisionsToApply(startWork(state, []), 'all').length, 0);
  });

  it('goes on with the next conflict when one is settled', () => {
    const state = select(showing('a', 'b', 'c'), 'b');
    assert.equal(receiveState(state, message('a', 'c')).selectedKey, 'c');
    assert.equal(receiveState(select(state, 'c'), message('a', 'b')).selectedKey, 'b');
    assert.equal(receiveState(state, message()).selectedKey, undefined);
  });

  it('selects what Undo brings back, also after the answer, unless the person has gone on meanwhile', () => {
    const undoing = startUndo(select(showing('b', 'c'), 'c'));
    assert.equal(receiveState(undoing, message('a', 'b', 'c')).selectedKey, 'a');
    const answered = receiveOutcome(undoing, { type: 'outcome', isDone: true, sentence: 'Taken back.' });
    const back = receiveState(answered, message('a', 'b', 'c'));
    assert.equal(back.selectedKey, 'a');
    assert.equal(back.note?.text, 'Taken back.');
    assert.equal(receiveState(selectBy(answered, -1), message('a', 'b', 'c')).selectedKey, 'b');
    assert.equal(receiveState(back, message('a', 'b', 'c', 'd')).selectedKey, 'a');
    const refused = receiveOutcome(undoing, { type: 'outcome', isDone: false, sentence: 'No.' });
    assert.equal(receiveState(refused, message('a', 'b', 'c')).selectedKey, 'c');
  });

  it('drops a choice whose texts have changed, and says so', () => {
    const state = choose(showing('a', 'b'), 'a', 'ours');
    const next = receiveState(state, {
      ...message('b'),
      conflicts: [{ ...conflict('a'), fingerprint: 'a2' }, conflict('b')],
    });
    assert.equal(decisionsToApply(next, 'all').length, 0);
    assert.match(next.note?.text ?? '', /^label a has changed meanwhile: choose again\.$/);
  });

  it('says what came and went while it was open, but not what the person did', () => {
    const state = showing('a');
    assert.equal(receiveState(state, message('a', 'b', 'c')).note?.text, '2 new conflicts.');
    assert.equal(receiveState(state, message('b')).note?.text, '1 new conflict. 1 conflict settled meanwhile.');
    assert.equal(receiveState(startWork(state, []), message()).note, undefined);
    assert.equal(receiveState(initialState({ decisions: [] }), message('a')).note, undefined);
  });

  it('keeps a choice for a conflict that comes back as it was', () => {
    const state = choose(showing('a', 'b'), 'a', 'ours');
    const gone = receiveState(state, message('b'));
    assert.equal(decisionsToApply(gone, 'all').length, 0);
    assert.equal(decisionsToApply(receiveState(gone, message('a', 'b')), 'all').length, 1);
  });

  it('forgets a choice that was applied, also when Undo brings the conflict back', () => {
    const chosen = choose(showing('a', 'b'), 'a', 'ours');
    const settled = receiveState(startWork(chosen, decisionsToApply(chosen, 'all')), message('b'));
    const answered = receiveOutcome(settled, { type: 'outcome', isDone: true, sentence: '1 conflict settled.' });
    assert.equal(decisionsToApply(receiveState(answered, message('a', 'b')), 'all').length, 0);
    const refused = receiveOutcome(startWork(chosen, decisionsToApply(chosen, 'all')), {
      type: 'outcome',
      isDone: false,
      sentence: 'No.',
    });
    assert.equal(decisionsToApply(refused, 'all').length, 1);
  });

  it('[I11] takes a proposal only when it is there and its checks are good', () => {
    const state = showing('a', 'b');
    assert.equal(choose(state, 'a', 'ai'), state);
    for (const proposal of [
      { ...ready, canTake: false },
      { state: 'asking' as const, note: '' },
      { state: 'declined' as const, reason: 'No.', by: 'test' },
      { state: 'failed' as const, sentence: 'No.' },
    ])
      assert.equal(choose(receiveExtras(state, extras('a', { proposal })), 'a', 'ai').decisions.size, 0);
    const chosen = choose(receiveExtras(state, extras('a', { proposal: ready })), 'a', 'ai');
    assert.equal(decisionsToApply(chosen, 'all')[0]?.choice, 'ai');
    assert.deepEqual(keysToAsk(chosen), ['b']);
    const asked = receiveExtras(chosen, extras('a', { proposal: { state: 'asking', note: '' } }, true));
    assert.equal(asked.decisions.size, 0, 'who asks again has not chosen');
    assert.match(receiveExtras(asked, extras('a', { proposal: ready })).note?.text ?? '', /^1 proposal to look at\./);
  });

  it('chooses what a person has just written, unless it cannot be used or was there before', () => {
    const state = receiveExtras(showing('a', 'b'), { type: 'extras', isAsking: false, extras: [] });
    const written = receiveExtras(state, extras('a', { draft: { text: 'mine' } }));
    assert.equal(decisionsToApply(written, 'all')[0]?.choice, 'edit');
    assert.equal(receiveExtras(state, extras('a', { draft: { text: '[', problem: 'No.' } })).decisions.size, 0);
    assert.equal(receiveExtras(showing('a'), extras('a', { draft: { text: 'mine' } })).decisions.size, 0);
    const spoiled = receiveExtras(written, extras('a', { draft: { text: '[', problem: 'No.' } }));
    assert.equal(spoiled.decisions.size, 0);
  });

  it('decides alike what belongs together, and skips what is undecided', () => {
    const group = ['a', 'b'].map((key) => ({ ...conflict(key), groupKey: 'a' }));
    const state = receiveState(showing(), { ...message(), conflicts: [...group, conflict('c')] });
    const chosen = choose(state, 'b', 'theirs');
    assert.deepEqual([...chosen.decisions.keys()].sort(), ['a', 'b']);
    assert.equal(decisionsToApply(chosen, 'selected').length, 2);
    assert.equal(choose(chosen, 'a', 'theirs').decisions.size, 0);
    const skipped = skip(chosen);
    assert.equal(skipped.selectedKey, 'b');
    assert.equal(skipped.decisions.size, 0);
    assert.equal(choose(state, 'a', 'both'), state);
    const both = receiveState(state, { ...message(), conflicts: [{ ...conflict('a'), canTakeBoth: true }] });
    assert.equal(choose(both, 'a', 'both').decisions.get('a')?.choice, 'both');
  });

  it('keeps what is chosen where the person answers a question with no', () => {
    const chosen = choose(showing('a', 'b'), 'a', 'ours');
    const waiting = startWork(chosen, decisionsToApply(chosen, 'all'));
    const stopped = receiveOutcome(waiting, { type: 'outcome', isDone: false, sentence: '' });
    assert.equal(decisionsToApply(stopped, 'all').length, 1);
    assert.equal(stopped.note, undefined);
  });

  it('says how an action ended', () => {
    const done = receiveOutcome(startWork(showing('a', 'b'), []), {
      type: 'outcome',
      isDone: true,
      sentence: '1 conflict settled.',
    });
    assert.deepEqual(done.note, { text: '1 conflict settled. 2 are left.', isProblem: false });
    assert.equal(done.isBusy, false);
  });

  it('keeps selection and choices over a reload, also while folders are still being opened', () => {
    const state = choose(select(showing('a', 'b'), 'b'), 'b', 'theirs');
    const saved = readSavedPanelState(JSON.parse(JSON.stringify(toSavedState(state))));
    let next = initialState(saved);
    next = receiveState(next, { ...message(), isReady: false });
    next = receiveState(next, message('a', 'b'));
    assert.equal(next.selectedKey, 'b');
    assert.equal(decisionsToApply(next, 'selected').length, 1);
  });

  it('starts anew where what was kept cannot be read', () => {
    assert.deepEqual(readSavedPanelState({ decisions: 'all' }), { decisions: [] });
    assert.deepEqual(readSavedPanelState(undefined), { decisions: [] });
  });
});

function showing(...keys: readonly string[]): PanelState {
  return receiveState(initialState({ decisions: [] }), message(...keys));
}

function message(...keys: readonly string[]): StateMessage {
  return { type: 'state', isReady: true, emptyText: 'No conflicts.', canUndo: false, conflicts: keys.map(conflict) };
}

function conflict(key: string): ConflictView {
  return {
    key,
    fingerprint: `${key}1`,
    documentKey: 'document',
    documentName: 'openapi.yaml',
    label: `label ${key}`,
    kind: 'edit-edit',
    kindText: 'You and alice both changed this',
    theirsName: 'alice',
    canTakeBoth: false,
  };
}

const ready: ProposalView = {
  state: 'ready',
  title: 'Keep yours',
  reason: 'It says more.',
  confidence: 'high',
  by: 'test',
  checks: [],
  canTake: true,
};

function extras(key: string, extra: Extra, isAsking = false): ExtrasMessage {
  const { proposal, draft } = extra;
  return {
    type: 'extras',
    isAsking,
    extras: [{ key, ...(proposal === undefined ? {} : { proposal }), ...(draft === undefined ? {} : { draft }) }],
  };
}
