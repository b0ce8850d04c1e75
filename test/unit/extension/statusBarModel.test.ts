import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandIds, paletteConditions, type ContextKey } from '../../../src/extension/commandTable.ts';
import { contextKeyValues } from '../../../src/extension/contextKeys.ts';
import { statusActions, statusReason } from '../../../src/extension/statusActions.ts';
import type { FolderView, StatusBarInput } from '../../../src/extension/statusBarModel.ts';
import { statusBarView } from '../../../src/extension/statusBarModel.ts';
import { documentStatus, folderStatus, peer } from './fakeSession.ts';

describe('status bar', () => {
  it('is hidden where nothing runs and no API is looked at', () => {
    assert.equal(statusBarView(input([folder({})])), undefined);
    assert.equal(statusBarView(input([])), undefined);
  });

  it('asks where a neighbour or the open file gives reason to', () => {
    const asleep = folder({});
    assert.equal(statusBarView({ ...input([asleep]), isApiInView: true })?.text, '$(sync) API: Keep in Step?');
    assert.match(tooltip(input([{ ...asleep, hasOffer: true }])), /Another window has this API/);
  });

  it('says role and number of peers when in step', () => {
    const view = statusBarView(input([running({ role: 'leader', peers: [peer('alice'), peer('bob')] })]));
    assert.equal(view?.text, '$(check) API: in step · leader · 2 peers');
    assert.equal(view.accessibilityLabel, 'API Live Sync: in step, leader, 2 peers');
    assert.equal(view.background, 'none');
    assert.match(
      tooltip(input([running({ role: 'follower', peers: [peer('alice')] })])),
      /This window follows. With alice \(backend\)\./,
    );
  });

  it('is not in step while first documents still come in', () => {
    const view = statusBarView(
      input([running({ isCaughtUp: false, documents: [documentStatus('a.yaml', 'inStep')] })]),
    );
    assert.match(view?.text ?? '', /syncing/);
    assert.equal(view?.isPassing, true);
  });

  it('counts no folder of this window among the peers', () => {
    const backend = running({ role: 'leader', peerId: peer('me').peerId, peers: [peer('mine'), peer('alice')] });
    const frontend = running({ role: 'leader', peerId: peer('mine').peerId, peers: [peer('me'), peer('alice')] });
    assert.match(statusBarView(input([backend, frontend]))?.text ?? '', / · 1 peer$/);
  });

  it('counts conflicts over all folders and warns', () => {
    const one = running({ conflictCount: 1, documents: [documentStatus('a.yaml', 'held', { conflictCount: 1 })] });
    const two = running({ conflictCount: 2, documents: [documentStatus('b.yaml', 'held', { conflictCount: 2 })] });
    const view = statusBarView(input([one, two]));
    assert.match(view?.text ?? '', /^\$\(warning\) API: 3 conflicts/);
    assert.equal(view?.background, 'warning');
  });

  it('shows what needs a person before what only takes time', () => {
    const states = (...names: Parameters<typeof documentStatus>[1][]): string | undefined =>
      statusBarView(input([running({ documents: names.map((name, at) => documentStatus(`${at}.yaml`, name)) })]))?.text;
    assert.match(states('inStep', 'syncing') ?? '', /syncing/);
    assert.match(states('syncing', 'waiting') ?? '', /waiting for your save/);
    assert.match(states('waiting', 'invalid') ?? '', /invalid file/);
    assert.match(states('invalid', 'invalid') ?? '', /2 invalid files/);
    assert.match(states('invalid', 'unwritable') ?? '', /1 file not writable/);
    assert.match(states('behind') ?? '', /1 file behind/);
    assert.match(states('missing') ?? '', /1 file gone/);
  });

  it('says offline, connecting, paused, observing, attached, stopped and failed', () => {
    const text = (status: Parameters<typeof folderStatus>[0]): string | undefined =>
      statusBarView(input([folder(status)]))?.text;
    assert.match(text({ phase: 'running', connection: 'offline' }) ?? '', /offline/);
    assert.match(text({ phase: 'running', connection: 'connecting' }) ?? '', /connecting/);
    assert.match(text({ phase: 'paused' }) ?? '', /paused/);
    assert.match(text({ phase: 'observing', observing: 'branch feature/x has not joined' }) ?? '', /observing/);
    assert.match(text({ phase: 'attached' }) ?? '', /another window keeps this folder in step/);
    assert.match(text({ phase: 'asleep', hasConsent: true }) ?? '', /stopped/);
    const failed = statusBarView(
      input([folder({ phase: 'failed', problem: { code: 'x', message: 'The log is damaged.' } })]),
    );
    assert.equal(failed?.background, 'error');
  });

  it('says nothing of a folder that never joined while another one runs', () => {
    const view = statusBarView(input([running({}), folder({})]));
    assert.match(view?.text ?? '', /in step/);
  });

  it('lists what needs a person first and keeps the tooltip short', () => {
    const documents = Array.from({ length: 3000 }, (_, at) =>
      documentStatus(`${at}.yaml`, at === 2999 ? 'invalid' : 'inStep'),
    );
    const lines = statusBarView(input([running({ documents })]))?.tooltip ?? [];
    const items = lines.filter((line) => line.kind === 'item').map((line) => line.text);
    assert.match(items[0] ?? '', /^2999\.yaml/);
    assert.equal(items.at(-1), 'and 2,990 more');
  });

  it('says so in Restricted Mode, whatever the folder holds', () => {
    const view = statusBarView({ ...input([running({})]), isTrusted: false });
    assert.match(view?.text ?? '', /restricted/);
    assert.deepEqual(
      statusActions({ ...input([running({})]), isTrusted: false }).map((action) => action.label),
      ['Show Log'],
    );
  });

  it('offers what makes sense now', () => {
    const commands = (view: FolderView): string[] =>
      statusActions(input([view])).flatMap((action) => ('command' in action.run ? [action.run.command] : []));
    assert.deepEqual(commands(folder({})), [commandIds.keepInStep, commandIds.join, commandIds.showLog]);
    assert.ok(commands(running({ conflictCount: 1 })).includes(commandIds.showConflicts));
    assert.ok(commands(running({ documents: [documentStatus('a.yaml', 'waiting')] })).includes(commandIds.mergeNow));
    const elsewhere = folder({ phase: 'observing', hasConsent: true, unjoinedBranch: 'feature/x' });
    for (const id of [commandIds.keepInStep, commandIds.join]) assert.ok(commands(elsewhere).includes(id));
    assert.match(tooltip(input([elsewhere])), /Keep in Step/);
    const rebasing = folder({ phase: 'observing', hasConsent: true, observing: 'a git rebase is under way' });
    assert.ok(!commands(rebasing).includes(commandIds.keepInStep));
    assert.equal(statusReason(input([rebasing])), 'Nothing is sent or written: a git rebase is under way.');
    assert.equal(statusReason(input([running({})])), undefined);
    assert.ok(commands(folder({ phase: 'paused', hasConsent: true })).includes(commandIds.resume));
    assert.ok(!commands(folder({ phase: 'paused', hasConsent: true })).includes(commandIds.pause));
    assert.ok(commands(folder({ phase: 'asleep', hasConsent: true })).includes(commandIds.start));
    assert.ok(commands({ ...running({}), canUndoResolution: true }).includes(commandIds.undoResolution));
  });

  it('leaves to the other window what only that one can do, and offers the palette the same', () => {
    const attached = folder({ phase: 'attached', hasConsent: true });
    const commands = statusActions(input([attached])).flatMap((action) =>
      'command' in action.run ? [action.run.command] : [],
    );
    assert.deepEqual(commands, [commandIds.leave, commandIds.showLog]);
    assert.match(tooltip(input([attached])), /Another window keeps this folder in step\./);
    const keys = contextKeyValues(true, [{ status: attached.status, canUndoResolution: false }], {
      runningCount: 0,
      pausedCount: 0,
      toAllowCount: 0,
    });
    const offered = Object.entries(paletteConditions).flatMap(([id, when]) =>
      when.split(' || ').some((key) => keys.get(key as ContextKey) === true) ? [id] : [],
    );
    assert.deepEqual(offered, [commandIds.leave]);
  });

  it('asks again about a file that was set back', () => {
    const actions = statusActions(input([running({ documents: [documentStatus('a.yaml', 'behind')] })]));
    assert.ok(
      actions.some((action) => 'decideAbout' in action.run && action.run.decideAbout === '/work/petstore/a.yaml'),
    );
  });

  it('leads to files that need a person', () => {
    const view = running({ documents: [documentStatus('a.yaml', 'invalid'), documentStatus('b.yaml', 'inStep')] });
    const files = statusActions(input([view])).flatMap((action) =>
      'openFile' in action.run ? [action.run.openFile] : [],
    );
    assert.deepEqual(files, ['/work/petstore/a.yaml']);
  });
});

function folder(status: Parameters<typeof folderStatus>[0]): FolderView {
  return { folderName: 'petstore', status: folderStatus(status), canUndoResolution: false, hasOffer: false };
}

function running(status: Parameters<typeof folderStatus>[0]): FolderView {
  return folder({ phase: 'running', hasConsent: true, connection: 'connected', ...status });
}

function input(folders: readonly FolderView[]): StatusBarInput {
  return { isTrusted: true, hasFolder: true, folders, isApiInView: false };
}

function tooltip(of: StatusBarInput): string {
  return (
    statusBarView(of)
      ?.tooltip.map((line) => line.text)
      .join('\n') ?? ''
  );
}
