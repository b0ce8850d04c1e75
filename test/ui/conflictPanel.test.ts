import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frame } from 'playwright-core';
import { AiServer, proposes } from '../harness/aiServer.ts';
import { untilShown } from '../harness/shown.ts';
import { waitFor } from '../harness/waitFor.ts';
import type { WorkbenchWindow } from '../harness/window.ts';
import { checkAccessibility } from './support/accessibility.ts';
import { clash, clashes, firstClash, PROBLEM } from './support/clashes.ts';
import { untilKept } from './support/keptPanel.ts';
import { closeBesidePanel, focusList } from './support/panelKeys.ts';
import { partsOf } from './support/parts.ts';
import { replaceOnce, untilAllEqual, withThreePeers, type ThreePeers } from './support/threePeers.ts';
import { SPEC, status } from './support/twoWindows.ts';

/**
 * One window for all of it, as a person has one: each part begins where the one before it ended, and the first that fails ends the
 * test.
 */
test('[I1][I2][I11][I12] twelve conflicts of all kinds with two others, settled by keyboard in every way there is', async (t) => {
  const server = await AiServer.start();
  try {
    await withThreePeers(async (peers) => {
      const part = partsOf(t);
      await part('from the notice to a settled conflict in three actions', () => threeActions(peers));
      await part('a notice that is turned off does not come, and there is never more than one', () => notices(peers));
      await part('[I1] twelve at once: one notice, and marks that lead to the panel', () => marks(peers));
      const { bob } = peers;
      await part('the panel says what clashes, with whom and how', () => rows(bob));
      await part('no serious finding of axe-core in any theme, narrow, or at 200 %', () => looks(bob));
      await part('both sides, and each with the base, in the editor’s own difference view', () => differences(bob));
      await part('[I1] choices change nothing, and stay over a reload', () => reload(bob));
      await part('[I1] what comes in meanwhile is followed and said', () => meanwhile(peers));
      await part('[I2][I12] each way to settle one: equal everywhere, taken back, done again', () =>
        eachWay(peers, server),
      );
      await part('[I2][I12] a whole file at once, after a question', () => wholeFile(peers));
      await part('[I2][I12] all that is chosen at once', () => allAtOnce(peers));
      await part('of a thousand conflicts only those in sight are drawn', () => thousand(bob));
    });
  } finally {
    await server.close();
  }
});

async function threeActions(peers: ThreePeers): Promise<void> {
  const { bob } = peers;
  await clash(peers, firstClash, /1 conflict/);
  const notice = await bob.notifications.waitFor(/conflict/);
  assert.equal(
    notice.message,
    '1 conflict in openapi.yaml: you and alice (backend) both changed info · contact · name.',
  );
  let actions = 0;
  const act = async (action: () => Promise<void>): Promise<void> => {
    actions++;
    await action();
  };
  await act(() => bob.notifications.click(/1 conflict/, 'Show'));
  const panel = await bob.webviews.waitFor('.row');
  await untilShown(panel.locator('.list:focus'));
  await act(() => bob.page.keyboard.press('2'));
  await untilShown(panel.getByText('1 of 1 chosen'));
  await act(() => bob.page.keyboard.press('Enter'));
  await untilShown(panel.getByText('No conflicts. Everything is in step.'));
  await untilAllEqual(peers, SPEC, (text) => text.includes('name: The front desk'));
  assert.equal(actions, 3);
  await bob.page.keyboard.press('ControlOrMeta+W');
}

async function notices(peers: ThreePeers): Promise<void> {
  const { bob, alice } = peers;
  await bob.updateSetting('apiLiveSync.notices.conflicts', false);
  const before = 'description: The real thing';
  await clash(
    peers,
    [{ file: SPEC, before, bob: 'description: For real', who: 'alice', theirs: 'description: For guests' }],
    /1 conflict/,
  );
  await bob.updateSetting('apiLiveSync.notices.conflicts', true);
  const again = 'description: On your own machine';
  await clash(
    peers,
    [{ file: SPEC, before: again, bob: 'description: At home', who: 'carol', theirs: 'description: On this machine' }],
    /2 conflicts/,
  );
  // The first one that there is: the clash before was not announced, and is not announced later by itself.
  await bob.notifications.waitFor(/2 conflicts/);
  const third = 'email: desk@harbor-tours.example';
  await clash(
    peers,
    [{ file: SPEC, before: third, bob: 'email: us@example.com', who: 'alice', theirs: 'email: you@example.com' }],
    /3 conflicts/,
  );
  await settleAll(bob, 'Keep All Yours', 'Keep Yours');
  await untilAllEqual(peers, SPEC, (text) => text.includes('At home') && text.includes('us@example.com'));
  const messages = await bob.notifications.list();
  assert.deepEqual(
    messages.filter(({ message }) => message.includes('conflict')).map(({ message }) => message),
    ['2 conflicts in openapi.yaml: both sides are kept until you choose.'],
  );
  await bob.notifications.click(/2 conflicts/, 'Later');
  assert.match(await alice.read(SPEC), /For real/);
}

async function settleAll(bob: WorkbenchWindow, link: string, answer: string): Promise<void> {
  await bob.runCommand('API Live Sync: Show Conflicts');
  const panel = await bob.webviews.waitFor('.row');
  await panel.getByRole('button', { name: link }).press('Enter');
  await bob.dialog.click(answer);
  await untilShown(panel.getByText('No conflicts. Everything is in step.'));
  await bob.page.keyboard.press('ControlOrMeta+W');
}

async function marks(peers: ThreePeers): Promise<void> {
  const { bob } = peers;
  await clash(peers, clashes, /12 conflicts/);
  const { message } = await bob.notifications.waitFor(/conflict/);
  assert.equal(message, '12 conflicts in 2 files: both sides are kept until you choose.');
  await bob.editor.open(SPEC);
  const file = bob.page.locator('.explorer-folders-view .monaco-icon-label', { hasText: SPEC }).first();
  await waitFor('the file to be marked', async () =>
    file.evaluate((label) =>
      (globalThis as unknown as { getComputedStyle(of: unknown, part: string): { content: string } })
        .getComputedStyle(label, '::after')
        .content.includes('!'),
    ),
  );
  await bob.page.keyboard.press('ControlOrMeta+Home');
  const lens = bob.page.locator('.codelens-decoration a', { hasText: 'Resolve: You and alice (backend) both' }).first();
  await untilShown(lens);
  const line = (await bob.editor.text(SPEC)).split('\n').findIndex((text) => text.includes('title: Lake Tours'));
  await bob.editor.placeCaret(SPEC, { line, character: 4 });
  await bob.page.keyboard.press('ControlOrMeta+K');
  await bob.page.keyboard.press('ControlOrMeta+I');
  await untilShown(bob.page.locator('.monaco-hover .hover-row', { hasText: 'title: Quay Tours' }).first());
  await bob.screenshot('conflict-hover');
  await bob.page.keyboard.press('Escape');
  const fix = bob.page.locator('.action-widget', { hasText: 'Resolve Conflict: info · title' }).first();
  await waitFor('the quick fix', async () => {
    // A key that comes while the hover still gives the focus back to the editor is lost.
    await bob.page.keyboard.press('ControlOrMeta+.');
    await untilShown(fix, { timeout: 2000 });
    return true;
  });
  await bob.screenshot('conflict-quick-fix');
  await bob.page.keyboard.press('Enter');
  const panel = await bob.webviews.waitFor('.row');
  await untilShown(panel.locator('.row[aria-selected="true"]', { hasText: 'info · title' }));

  // Beside git's changes, where VS Code shows an extension's view closed at first.
  await bob.page.keyboard.press('ControlOrMeta+Shift+G');
  const tree = bob.page.locator('.pane', { has: bob.page.locator('.pane-header', { hasText: 'API Conflicts' }) });
  await tree.locator('.pane-header').click();
  const row = tree.locator('.monaco-list-row', { hasText: '/tides/{date}' });
  await untilShown(row);
  await untilShown(bob.page.locator('.activitybar .badge-content', { hasText: '14' }).first());
  await bob.screenshot('conflict-tree');
  await row.click();
  await untilShown(panel.locator('.row[aria-selected="true"]', { hasText: '/tides/{date}' }));
  await bob.page.keyboard.press('ControlOrMeta+Shift+E');
}

async function rows(bob: WorkbenchWindow): Promise<void> {
  const panel = await bob.webviews.waitFor('.row');
  await untilShown(panel.getByText('12 conflicts in 2 documents'));
  const shown = await panel
    .locator('.row')
    .evaluateAll((all) =>
      (all as unknown as { querySelector(part: string): { textContent: string } }[]).map((row) =>
        ['.row-label', '.row-kind'].map((part) => row.querySelector(part).textContent).join(': '),
      ),
    );
  assert.deepEqual(shown, [
    '/piers: Your change does not fit with the one from alice (backend)',
    '/tides/{date}: Your change does not fit with the one from alice (backend)',
    'DELETE /guests/{guestId}: carol (docs) changed it, you deleted it',
    'GET /departures/{departureId}/manifest · description: You and carol (docs) both changed this',
    'GET /tours · parameter maxDuration: You changed it, alice (backend) deleted it',
    'info · title: You and alice (backend) both changed this',
    'info · x-checks: You and alice (backend) both moved this, to different places',
    'schema NewBooking · property seats · maximum: You and alice (backend) both changed this',
    'schema TourPage · property total · type: You and carol (docs) both added this, differently',
    'tag fleet · description: You and alice (backend) both changed this',
    'Problem · property status · minimum: You and carol (docs) both changed this',
    'Problem · property type · default: You and alice (backend) both changed this',
  ]);
}

async function looks(bob: WorkbenchWindow): Promise<void> {
  const panel = await bob.webviews.waitFor('.row');
  await focusList(panel);
  await goTo(bob, panel, 'maxDuration');
  await bob.page.keyboard.press('1');
  assert.ok((await panel.locator('.code-key').count()) > 3 && (await panel.locator('mark .code-number').count()) > 0);
  await checkAccessibility(bob, panel, 'panel');
  await bob.page.keyboard.press('1');
}

async function differences(bob: WorkbenchWindow): Promise<void> {
  let panel = await bob.webviews.waitFor('.row');
  await focusList(panel);
  await goTo(bob, panel, 'info · title');
  const compared = async (title: RegExp, before: string, after: string): Promise<void> => {
    await untilShown(bob.page.locator('.tab.active', { hasText: title }));
    await untilShown(bob.page.locator('.monaco-diff-editor .original .view-line', { hasText: before }).first());
    await untilShown(bob.page.locator('.monaco-diff-editor .modified .view-line', { hasText: after }).first());
    await bob.screenshot(`conflict-diff-${after}`);
    panel = await closeBesidePanel(bob, title);
  };
  await bob.page.keyboard.press('d');
  await compared(/title: Yours ↔ From alice \(backend\)/, 'Lake', 'Quay');
  await panel.getByRole('button', { name: 'Compare Yours with the Base' }).press('Enter');
  await compared(/title: Base ↔ Yours/, 'Harbor', 'Lake');
  await panel.getByRole('button', { name: 'Compare Theirs with the Base' }).press('Enter');
  await compared(/title: Base ↔ From alice \(backend\)/, 'Harbor', 'Quay');

  await panel.getByRole('button', { name: SPEC, exact: true }).press('Enter');
  await waitFor('the caret at the title', async () => {
    const line = await bob.host.evaluate(({ vscode }) => {
      const editor = vscode.window.activeTextEditor;
      return editor?.document.lineAt(editor.selection.active.line).text;
    });
    return line?.includes('title: Lake Tours');
  });
  await bob.page.keyboard.press('ControlOrMeta+W');
}

async function reload(bob: WorkbenchWindow): Promise<void> {
  const disk = [await bob.editor.onDisk(SPEC), await bob.editor.onDisk(PROBLEM)];
  let panel = await bob.webviews.waitFor('.row');
  await focusList(panel);
  await goTo(bob, panel, '/piers');
  await bob.page.keyboard.press('2');
  await untilShown(panel.getByText('2 of 12 chosen'));
  await goTo(bob, panel, 'total');
  await bob.page.keyboard.press('2');
  await goTo(bob, panel, 'info · title');
  await bob.page.keyboard.press('1');
  await untilShown(panel.getByText('4 of 12 chosen'));
  await untilKept(bob, ['"choice":"theirs"', '"choice":"ours"']);
  await bob.reload();
  panel = await bob.webviews.waitFor('.row');
  await untilShown(panel.getByText('4 of 12 chosen'));
  await waitFor('the same conflict to be selected', async () => (await selected(panel)).includes('info · title'));
  assert.deepEqual([await bob.editor.onDisk(SPEC), await bob.editor.onDisk(PROBLEM)], disk);
  assert.deepEqual(
    (await bob.notifications.list()).filter(({ message }) => message.includes('conflict')),
    [],
    'a reload announces nothing twice',
  );
}

async function meanwhile({ bob, alice, carol }: ThreePeers): Promise<void> {
  const panel = await bob.webviews.waitFor('.row');
  await focusList(panel);
  // What clashes with nothing does not disturb.
  await alice.edit(SPEC, (text) => replaceOnce(text, 'summary: Book a seat on a boat', 'summary: Book a seat'));
  await bob.editor.waitForDisk(SPEC, 'summary: Book a seat\n');
  await untilShown(panel.getByText('4 of 12 chosen'));
  assert.equal(await panel.locator('.note').innerText(), '');
  // What was chosen was chosen for another text.
  await waitFor('carol to have it', async () => (await carol.read(SPEC)).includes('summary: Book a seat\n'));
  await carol.edit(SPEC, (text) => replaceOnce(text, 'title: Quay Tours', 'title: Pier Tours'));
  await untilShown(panel.getByText('info · title has changed meanwhile: choose again.'));
  await untilShown(panel.getByText('3 of 12 chosen'));
  await untilShown(
    panel.locator('.row', { hasText: 'info · title' }).getByText('You and carol (docs) both changed this'),
  );
  assert.match(await panel.locator('.side', { hasText: 'From carol (docs)' }).innerText(), /title: Pier Tours/);
}

async function eachWay(peers: ThreePeers, server: AiServer): Promise<void> {
  const { bob } = peers;
  const panel = await bob.webviews.waitFor('.row');
  await focusList(panel);
  const settle = async (label: string, keys: readonly string[], left: number, isDone: (text: string) => boolean) => {
    await goTo(bob, panel, label);
    for (const key of keys) await bob.page.keyboard.press(key);
    await untilShown(panel.locator('.row[aria-selected="true"] .row-mark .codicon-check'));
    await applyTakeBackApply(peers, panel, { label, keys, left, isDone });
  };
  await settle('DELETE /guests', ['1'], 11, (text) => !text.includes('operationId: forgetGuest'));
  await settle('maxDuration', ['2'], 10, (text) => !text.includes('name: maxDuration'));
  // Typed without waiting for what the first key does.
  for (const key of ['u', '1', 'Enter']) await bob.page.keyboard.press(key);
  await settledEverywhere(peers, (text) => text.includes('name: maxDuration') && text.includes('minimum: 30'));
  await untilShown(panel.getByText('1 conflict settled. 10 are left.'));
  await settle('x-checks', ['3'], 9, (text) => text.includes('x-checks:\n    - engine\n    - rigging\n    - radio\n'));

  // By hand, in an editor of its own; wrong first, and said so there.
  await goTo(bob, panel, 'info · title');
  await bob.page.keyboard.press('e');
  // The tab is there before its editor takes keys.
  await untilShown(bob.page.locator('.monaco-editor.focused[data-uri^="api-live-sync-edit:"]'));
  await bob.page.keyboard.press('ControlOrMeta+A');
  await bob.page.keyboard.type('title: A\ndeprecated: true');
  await waitFor('what is wrong to be marked', async () =>
    bob.host.evaluate(({ vscode }) =>
      vscode.languages
        .getDiagnostics()
        .flatMap(([uri, found]) => (uri.scheme === 'api-live-sync-edit' ? found : []))
        .some(({ message }) => message.startsWith('It would also change')),
    ),
  );
  await bob.page.keyboard.press('ControlOrMeta+A');
  await bob.page.keyboard.type('title: Lake and Pier Tours');
  await bob.page.keyboard.press('ControlOrMeta+S');
  await untilShown(panel.locator('.row', { hasText: 'info · title' }).getByText('Edited'));
  // What the panel shows is saved: closing it asks nothing.
  await closeBesidePanel(bob, 'Your Edit');

  // What it would make of the file, before it does.
  await focusList(panel);
  await bob.page.keyboard.press('p');
  await untilShown(bob.page.locator('.tab.active', { hasText: 'Now ↔ With Your Choices' }));
  await untilShown(bob.page.locator('.monaco-diff-editor .modified .view-line', { hasText: 'Lake and Pier Tours' }));
  const again = await closeBesidePanel(bob, 'Now ↔ With Your Choices');
  assert.doesNotMatch(await bob.editor.onDisk(SPEC), /Lake and Pier/);
  await focusList(again);
  await applyTakeBackApply(peers, again, {
    label: 'info · title',
    // What was written comes back with the conflict, and is chosen.
    keys: [],
    left: 8,
    isDone: (text) => text.includes('title: Lake and Pier Tours'),
  });

  // Left for later, which settles nothing; the next one for which nothing is chosen follows.
  await goTo(bob, again, 'seats');
  await bob.page.keyboard.press('s');
  await waitFor('the next conflict to be selected', async () => (await selected(again)).includes('tag fleet'));

  // Set as a person sets them: what names the AI belongs to the machine, where no repository can change it.
  await bob.updateSetting('apiLiveSync.ai.provider', 'openai');
  await bob.updateSetting('apiLiveSync.ai.baseUrl', server.baseUrl);
  await bob.updateSetting('apiLiveSync.ai.model', 'test-model');
  server.play(
    proposes(({ yours }) => ({ decision: 'text', text: (yours ?? '').replace('on land', 'on land, and their ages') })),
  );
  await goTo(bob, again, 'manifest');
  await bob.page.keyboard.press('a');
  assert.match(await bob.dialog.text(), /^Send 1 conflict to test-model/);
  await bob.dialog.click(/^Send$/);
  await untilShown(again.getByText('AI proposal: A text of its own'));
  await bob.screenshot('panel-proposal');
  await focusList(again);
  await bob.page.keyboard.press('4');
  await untilShown(again.locator('.row[aria-selected="true"] .row-mark .codicon-check'));
  await applyTakeBackApply(peers, again, {
    label: 'manifest',
    keys: ['4'],
    left: 7,
    isDone: (text) => text.includes('on land, and their ages'),
  });
}

/** Applies what is chosen, takes it back with one key, and does it again: all three have the same each time. */
async function applyTakeBackApply(
  peers: ThreePeers,
  panel: Frame,
  step: {
    readonly label: string;
    readonly keys: readonly string[];
    readonly left: number;
    readonly isDone: (text: string) => boolean;
  },
): Promise<void> {
  const { bob, alice, carol } = peers;
  const { keyboard } = bob.page;
  const disks = async (): Promise<string[]> =>
    Promise.all([bob.editor.onDisk(SPEC), alice.read(SPEC), carol.read(SPEC)]);
  const before = await disks();
  const settled = panel.getByText(`1 conflict settled. ${String(step.left)} are left.`);
  await keyboard.press('Enter');
  await untilShown(settled);
  await settledEverywhere(peers, step.isDone);
  await keyboard.press('u');
  await untilShown(panel.getByText('The last choice was taken back.'));
  await waitFor('it to be taken back everywhere', async () => JSON.stringify(await disks()) === JSON.stringify(before));
  await waitFor('it to be selected', async () => (await selected(panel)).includes(step.label));
  for (const key of step.keys) await keyboard.press(key);
  await untilShown(panel.locator('.row[aria-selected="true"] .row-mark .codicon-check'));
  await keyboard.press('Enter');
  await untilShown(settled);
  await settledEverywhere(peers, step.isDone);
}

/** While others are held, the files differ there; what was settled is the same everywhere. */
async function settledEverywhere({ bob, alice, carol }: ThreePeers, isDone: (text: string) => boolean): Promise<void> {
  await waitFor('it to be settled everywhere', async () =>
    (await Promise.all([bob.editor.onDisk(SPEC), alice.read(SPEC), carol.read(SPEC)])).every(isDone),
  );
}

async function wholeFile(peers: ThreePeers): Promise<void> {
  const { bob } = peers;
  const panel = await bob.webviews.waitFor('.row');
  await focusList(panel);
  await bob.page.keyboard.press('End');
  const takeAll = async (link: string, question: RegExp, answer: string): Promise<void> => {
    await panel.getByRole('button', { name: link }).press('Enter');
    assert.match(await bob.dialog.text(), question);
    await bob.dialog.click(answer);
    await untilShown(panel.getByText('2 conflicts settled. 5 are left.'));
  };
  await takeAll('Keep All Yours', /^Settle 2 conflicts in shared\/problem\.yaml with your version\?/, 'Keep Yours');
  await untilAllEqual(peers, PROBLEM, (text) => text.includes('minimum: 300') && text.includes('/problems'));
  await focusList(panel);
  await bob.page.keyboard.press('u');
  await untilShown(panel.getByText('7 conflicts in 2 documents'));
  // What is brought back is shown before Undo has come to its end.
  await untilShown(panel.getByText('The last choice was taken back.'));
  await bob.page.keyboard.press('End');
  await takeAll(
    'Take All Theirs',
    /^Settle 2 conflicts in shared\/problem\.yaml with what is from the others\?/,
    'Take Theirs',
  );
  await untilAllEqual(peers, PROBLEM, (text) => text.includes('minimum: 100') && text.includes('/errors'));
}

async function allAtOnce(peers: ThreePeers): Promise<void> {
  const { bob } = peers;
  const panel = await bob.webviews.waitFor('.row');
  await focusList(panel);
  const choose = async (): Promise<void> => {
    for (const [label, key] of [
      ['tag fleet', '3'],
      ['seats', '1'],
      ['total', '2'],
      ['/piers', '2'],
    ] as const) {
      await goTo(bob, panel, label);
      if ((await panel.locator('.row[aria-selected="true"] .row-mark .codicon-check').count()) === 0)
        await bob.page.keyboard.press(key);
    }
    await untilShown(panel.getByText('5 of 5 chosen'));
  };
  await choose();
  await bob.page.keyboard.press('Shift+Enter');
  const empty = panel.getByText('No conflicts. Everything is in step.');
  await untilShown(empty);
  const isDone = (text: string): boolean =>
    text.includes('Boats, crews and their papers\n\n      The boats and whoever sails them') &&
    text.includes('minimum: 1, maximum: 10') &&
    text.includes('total: { type: string }') &&
    text.includes('operationId: listPiers') &&
    text.includes('operationId: allPlaces') &&
    /enum: \[en, fr, de, es, (nl, it|it, nl)\]/.test(text);
  const settled = await untilAllEqual(peers, SPEC, isDone);
  await bob.page.keyboard.press('u');
  await untilShown(panel.getByText('5 conflicts in 1 document'));
  await untilShown(panel.getByText('The last choice was taken back.'));
  // The list was away while it was empty; nobody has to click to go on.
  await untilShown(panel.locator('.list:focus'));
  await choose();
  await bob.page.keyboard.press('Shift+Enter');
  await untilShown(empty);
  assert.equal(await untilAllEqual(peers, SPEC, isDone), settled);
  await status(bob, /in step/);
}

async function thousand(bob: WorkbenchWindow): Promise<void> {
  await bob.runCommand('API Live Sync: Show Conflicts');
  const panel = await bob.webviews.waitFor('.panel');
  const conflicts = Array.from({ length: 1000 }, (_, at) => ({
    key: `key${at}`,
    fingerprint: `${at}`,
    documentKey: `document${Math.floor(at / 150)}`,
    documentName: `services/s${Math.floor(at / 150)}/openapi.yaml`,
    label: `GET /things/${at} · summary`,
    kind: 'edit-edit',
    kindText: 'You and alice both changed this',
    base: `summary: thing ${at}`,
    ours: `summary: my thing ${at}`,
    theirs: `summary: a thing ${at}`,
    theirsName: 'alice',
    canTakeBoth: false,
    theirsAt: Date.now(),
  }));
  const times = await panel.evaluate(
    async (message) => {
      interface Page {
        dispatchEvent(event: Event): void;
        requestAnimationFrame(run: () => void): void;
        MessageEvent: new (type: string, init: { data: unknown }) => Event;
        document: {
          querySelectorAll(selector: string): Iterable<{ checkVisibility(options: object): boolean }>;
          querySelector(selector: string): { scrollTop: number; scrollHeight: number };
        };
      }
      const page = globalThis as unknown as Page;
      const frame = async (): Promise<void> =>
        new Promise((resolve) => page.requestAnimationFrame(() => setTimeout(resolve, 0)));
      const start = performance.now();
      page.dispatchEvent(new page.MessageEvent('message', { data: message }));
      await frame();
      const shown = performance.now() - start;
      const list = page.document.querySelector('.list');
      const frames: number[] = [];
      for (let at = 0; at < 60; at++) {
        const before = performance.now();
        list.scrollTop = (list.scrollHeight * at) / 60;
        await frame();
        frames.push(performance.now() - before);
      }
      frames.sort((one, other) => one - other);
      const rows = [...page.document.querySelectorAll('.row-label')];
      const drawn = rows.filter((label) => label.checkVisibility({ contentVisibilityAuto: true }));
      return { shown, median: frames[30], worst: frames[59], rows: rows.length, drawn: drawn.length };
    },
    { type: 'state', isReady: true, emptyText: '', canUndo: false, conflicts },
  );
  const { shown, median = 0, worst = 0 } = times;
  console.log(
    `1,000 conflicts shown in ${shown.toFixed(0)} ms; scrolled from end to end in 60 frames: ${median.toFixed(0)} ms each, the slowest ${worst.toFixed(0)} ms`,
  );
  assert.equal(times.rows, 1000);
  // What makes it fast is that the browser lays out and draws only what is in sight, and a little around it.
  assert.ok(times.drawn > 0 && times.drawn < 150, `${times.drawn} rows are drawn`);
  await focusList(panel);
  await bob.page.keyboard.press('End');
  await untilShown(panel.locator('.row[aria-selected="true"]', { hasText: '/things/999' }));
  await bob.screenshot('panel-thousand');
}

/** Selects a conflict with the keys alone; the list has the focus. */
async function goTo(bob: WorkbenchWindow, panel: Frame, label: string): Promise<void> {
  const all = await panel.locator('.row-label').allInnerTexts();
  await bob.page.keyboard.press('Home');
  for (const [at, name] of all.entries()) {
    await waitFor(`"${name}" to be selected`, async () => (await selected(panel)) === name);
    if (name.includes(label)) return;
    await bob.page.keyboard.press(at % 2 === 0 ? 'F7' : 'ArrowDown');
  }
  assert.fail(`"${label}" is not in the list.`);
}

async function selected(panel: Frame): Promise<string> {
  return await panel.locator('.row[aria-selected="true"] .row-label').innerText();
}
