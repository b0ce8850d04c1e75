import { waitFor } from '../../harness/waitFor.ts';
import type { WorkbenchWindow } from '../../harness/window.ts';
import { replaceOnce, type ThreePeers } from './threePeers.ts';
import { SPEC, status } from './twoWindows.ts';

export const PROBLEM = 'shared/problem.yaml';

/** What one of the others and bob make of the same place. */
export interface Clash {
  readonly file: string;
  readonly before: string;
  readonly bob: string;
  readonly who: 'alice' | 'carol';
  readonly theirs: string;
  /** Where theirs stands, if it is not the same place. */
  readonly theirsBefore?: string;
}

const checks = (...names: readonly string[]): string => `x-checks:\n${names.map((name) => `    - ${name}\n`).join('')}`;
const LICENSE = 'license: { name: MIT, identifier: MIT }';
const MAX_DURATION = `        - name: maxDuration
          in: query
          description: Leave out tours that take longer, in minutes.
          schema: { type: integer, minimum: 15 }
`;
const FORGET_GUEST = `    delete:
      operationId: forgetGuest
      tags: [guests]
      summary: Forget a guest
      description: Their bookings stay, without a name.
      responses:
        '204': { description: Forgotten }
`;
const TOUR_PAGE_END = '        nextPageToken: { type: string }\n\n    Photo:';

/** One conflict, and beside it a list that bob has not touched. */
export const firstClash: readonly Clash[] = [
  {
    file: SPEC,
    before: 'name: The booking desk',
    bob: 'name: The back desk',
    who: 'alice',
    theirs: 'name: The front desk',
  },
  {
    file: SPEC,
    before: LICENSE,
    bob: LICENSE,
    who: 'alice',
    theirs: `${LICENSE}\n  ${checks('rigging', 'engine', 'radio').trimEnd()}`,
  },
];

/** Twelve conflicts of all kinds, in two files, with two others; on top of the first one. */
export const clashes: readonly Clash[] = [
  {
    file: SPEC,
    before: 'title: Harbor Tours',
    bob: 'title: Lake Tours',
    who: 'alice',
    theirs: 'title: Quay Tours',
  },
  {
    file: SPEC,
    before: "description: 'For the skipper: names, ages and how to reach somebody on land.'",
    bob: "description: 'For the skipper: names and whom to call on land.'",
    who: 'carol',
    theirs: "description: 'For the skipper and the mate: names and ages.'",
  },
  {
    file: SPEC,
    before: 'description: Boats and those who sail them',
    bob: 'description: Boats, crews and their papers',
    who: 'alice',
    theirs: 'description: The boats and whoever sails them',
  },
  { file: SPEC, before: MAX_DURATION, bob: MAX_DURATION.replace('15', '30'), who: 'alice', theirs: '' },
  {
    file: SPEC,
    before: FORGET_GUEST,
    bob: '',
    who: 'carol',
    theirs: FORGET_GUEST.replace('without a name', 'their name goes'),
  },
  {
    file: SPEC,
    before: checks('rigging', 'engine', 'radio'),
    bob: checks('radio', 'rigging', 'engine'),
    who: 'alice',
    theirs: checks('engine', 'rigging', 'radio'),
  },
  {
    file: SPEC,
    before: TOUR_PAGE_END,
    bob: TOUR_PAGE_END.replace('\n\n', '\n        total: { type: integer }\n\n'),
    who: 'carol',
    theirs: TOUR_PAGE_END.replace('\n\n', '\n        total: { type: string }\n\n'),
  },
  {
    file: SPEC,
    before:
      "seats: { type: integer, minimum: 1, maximum: 12 }\n        contact: { $ref: '#/components/schemas/Guest' }\n        wishes: { type: string, maxLength: 500 }",
    bob: "seats: { type: integer, minimum: 1, maximum: 10 }\n        contact: { $ref: '#/components/schemas/Guest' }\n        wishes: { type: string, maxLength: 500 }",
    who: 'alice',
    theirs:
      "seats: { type: integer, minimum: 1, maximum: 20 }\n        contact: { $ref: '#/components/schemas/Guest' }\n        wishes: { type: string, maxLength: 500 }",
  },
  // Each alone is right: together they give one name to two operations.
  {
    file: SPEC,
    before: 'operationId: listPiers',
    bob: 'operationId: allPlaces',
    who: 'alice',
    theirsBefore: 'operationId: getTides',
    theirs: 'operationId: allPlaces',
  },
  // An ordered set takes what both add: no conflict.
  {
    file: SPEC,
    before: 'enum: [en, fr, de, es]',
    bob: 'enum: [en, fr, de, es, nl]',
    who: 'carol',
    theirs: 'enum: [en, fr, de, es, it]',
  },
  { file: PROBLEM, before: 'minimum: 400', bob: 'minimum: 300', who: 'carol', theirs: 'minimum: 100' },
  {
    file: PROBLEM,
    before: "default: 'about:blank'",
    bob: 'default: /problems',
    who: 'alice',
    theirs: 'default: /errors',
  },
];

/** Bob types, the others save, then bob saves: what clashes is in his window. */
export async function clash(peers: ThreePeers, list: readonly Clash[], expected: RegExp): Promise<void> {
  const { bob, alice, carol } = peers;
  const files = [...new Set(list.map(({ file }) => file))];
  for (const file of files) {
    const ofFile = list.filter((one) => one.file === file);
    await typeAtOnce(
      bob,
      file,
      ofFile.map(({ before, bob: after }) => [before, after]),
    );
    for (const [name, peer] of [
      ['alice', alice],
      ['carol', carol],
    ] as const) {
      const edits = ofFile.filter(({ who }) => who === name);
      if (edits.length === 0) continue;
      await peer.edit(file, (text) =>
        edits.reduce((now, { before, theirs, theirsBefore }) => replaceOnce(now, theirsBefore ?? before, theirs), text),
      );
      await waitFor(
        `${file} of ${name} at the other one`,
        async () => (await alice.read(file)) === (await carol.read(file)),
      );
    }
  }
  await bob.host.evaluate(({ vscode }) => vscode.workspace.saveAll(false));
  await status(bob, expected);
}

/** Edits a file in the window's own buffers and leaves it unsaved. */
async function typeAtOnce(
  window: WorkbenchWindow,
  file: string,
  edits: readonly (readonly [before: string, after: string])[],
): Promise<void> {
  await window.editor.open(file);
  const text = edits.reduce((now, [before, after]) => replaceOnce(now, before, after), await window.editor.text(file));
  await window.host.evaluate(async ({ vscode, argument }) => {
    const document = vscode.window.activeTextEditor?.document;
    if (document === undefined) throw new Error('No editor is active.');
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), argument);
    await vscode.workspace.applyEdit(edit);
  }, text);
  await window.editor.waitForDirty(file, true);
}
