import * as vscode from 'vscode';
import { isGood } from '../core/advice/resolutionCheck.ts';
import type { Resolution } from '../core/merge/types.ts';
import type { Logger } from '../core/ports.ts';
import type { UserProblem } from '../peer/folderSession.ts';
import type { Choice, Decision } from '../protocol/conflictPanel.ts';
import type { ConflictDocuments } from './conflictDocuments.ts';
import type { ConflictDrafts } from './conflictDrafts.ts';
import { type ConflictFinder, type FoundConflict, untilMerged } from './conflictFinder.ts';
import type { ConflictProposals } from './conflictProposals.ts';
import { conflictFingerprint, heldGroups } from './conflictViewModel.ts';
import { problemSentence } from './problems.ts';
import { count } from './words.ts';

export interface ConflictActionsOptions {
  readonly finder: ConflictFinder;
  readonly proposals: ConflictProposals;
  readonly drafts: ConflictDrafts;
  readonly documents: ConflictDocuments;
  readonly logger: Logger;
}

/** How an action ended, in one sentence for the person who asked for it. */
export interface ActionOutcome {
  readonly isDone: boolean;
  readonly sentence: string;
}

/** What a document's decisions come to. */
interface DocumentDecisions {
  readonly found: readonly FoundConflict[];
  readonly resolutions: ReadonlyMap<string, Resolution>;
  readonly choices: readonly Choice[];
  readonly refusals: readonly string[];
}

/** Everything that settles conflicts, for the panel and for what stands beside it. */
export class ConflictActions {
  readonly #options: ConflictActionsOptions;

  constructor(options: ConflictActionsOptions) {
    this.#options = options;
  }

  /** Settles conflicts; what belongs to one document in one step, which one Undo takes back. */
  async apply(decisions: readonly Decision[]): Promise<ActionOutcome> {
    let appliedCount = 0;
    const refusals: string[] = [];
    for (const ofDocument of await this.#byDocument(decisions)) {
      refusals.push(...ofDocument.refusals);
      const [first] = ofDocument.found;
      if (first === undefined) continue;
      const outcome = await first.session.resolveConflicts(first.held.docId, ofDocument.resolutions);
      this.#options.logger.info('Conflicts were decided.', {
        document: first.held.path,
        choices: [...new Set(ofDocument.choices)].join(' '),
        count: ofDocument.resolutions.size,
        isDone: outcome.isDone,
      });
      if (outcome.isDone) appliedCount += ofDocument.resolutions.size;
      else refusals.push(problemSentence(outcome.problem));
    }
    const [refusal] = refusals;
    if (refusal !== undefined) return { isDone: false, sentence: refusal };
    const sentence = appliedCount === 0 ? 'It was settled meanwhile.' : `${count(appliedCount, 'conflict')} settled.`;
    return { isDone: true, sentence };
  }

  /** Settles all conflicts of one file in favour of one side, after a question. */
  async takeAll(file: string, choice: 'ours' | 'theirs'): Promise<ActionOutcome | undefined> {
    const found = this.#options.finder.all().filter(({ held }) => held.file === file);
    const [first] = found;
    if (first === undefined) return { isDone: true, sentence: 'It was settled meanwhile.' };
    const names = new Set(found.map(({ held }) => held.theirsName));
    const theirs = names.size === 1 ? `what is from ${first.held.theirsName}` : 'what is from the others';
    const what = choice === 'ours' ? 'your version' : theirs;
    const button = choice === 'ours' ? 'Keep Yours' : 'Take Theirs';
    const detail =
      choice === 'ours'
        ? `Everybody gets your version of them. Undo brings the question back.`
        : `Your version of them is replaced in your file. Undo brings the question back.`;
    const question = `Settle ${count(found.length, 'conflict')} in ${first.held.path} with ${what}?`;
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) !== button)
      return undefined;
    return this.apply(found.map(({ key, held }) => ({ key, fingerprint: conflictFingerprint(held), choice })));
  }

  /** Shows in the editor's difference view what decisions would make of the file. */
  async preview(decisions: readonly Decision[]): Promise<ActionOutcome | undefined> {
    for (const { found, resolutions, refusals } of await this.#byDocument(decisions)) {
      const [first] = found;
      const [refusal] = refusals;
      if (first === undefined) return { isDone: false, sentence: refusal ?? 'It was settled meanwhile.' };
      const checked = await first.session.checkResolutions(first.held.docId, resolutions);
      if (checked === undefined) return { isDone: false, sentence: problemSentence(changedMeanwhile) };
      await this.#options.documents.openPreview(first, checked.text);
    }
    return undefined;
  }

  async undo(): Promise<ActionOutcome> {
    const folder = this.#options.finder.folders.find(({ session }) => session.canUndoResolution);
    if (folder === undefined) return { isDone: false, sentence: 'There is no choice to take back.' };
    let outcome = await folder.session.undoResolution();
    if (!outcome.isDone && outcome.problem.code === 'not-yet') {
      // What was chosen a moment ago is still on its way to the others.
      await untilMerged(folder.session);
      outcome = await folder.session.undoResolution();
    }
    return outcome.isDone
      ? { isDone: true, sentence: 'The last choice was taken back.' }
      : { isDone: false, sentence: problemSentence(outcome.problem) };
  }

  async #byDocument(decisions: readonly Decision[]): Promise<readonly DocumentDecisions[]> {
    const { finder } = this.#options;
    const decided: { readonly decision: Decision; readonly found: FoundConflict }[] = [];
    for (const decision of decisions) {
      const found = await finder.findWhenMerged(decision.key);
      // Without one it was settled meanwhile, by somebody else or by equal edits.
      if (found !== undefined) decided.push({ decision, found });
    }
    const documents = Map.groupBy(decided, ({ found }) => JSON.stringify([found.folder.path, found.held.docId]));
    return Promise.all([...documents.values()].map((members) => this.#decide(members)));
  }

  async #decide(
    members: readonly { readonly decision: Decision; readonly found: FoundConflict }[],
  ): Promise<DocumentDecisions> {
    const good: { readonly found: FoundConflict; readonly resolution: Resolution; readonly choice: Choice }[] = [];
    const refusals: string[] = [];
    for (const { decision, found } of members) {
      const resolution = this.#resolutionFor(found, decision.choice);
      const { label } = found.held.conflict;
      if (conflictFingerprint(found.held) !== decision.fingerprint)
        refusals.push(`${label} has changed meanwhile. Look at it again.`);
      else if (resolution === undefined)
        refusals.push(`What you chose for ${label} is not there any more. Choose again.`);
      else good.push({ found, resolution, choice: decision.choice });
    }
    // The document may have changed since the proposal was checked (I11).
    const bad = await this.#badProposals(good.filter(({ choice }) => choice === 'ai'));
    const taken = good.filter(({ found }) => !bad.has(found.held.conflict.id));
    return {
      found: taken.map(({ found }) => found),
      resolutions: new Map(taken.map(({ found, resolution }) => [found.held.conflict.id, resolution])),
      choices: taken.map(({ choice }) => choice),
      refusals: [...refusals, ...bad.values()],
    };
  }

  #resolutionFor(found: FoundConflict, choice: Choice): Resolution | undefined {
    switch (choice) {
      case 'ours':
      case 'theirs':
        return { choice };
      case 'both':
        return found.held.conflict.canTakeBoth ? { choice } : undefined;
      case 'ai':
        return this.#options.proposals.resolution(found);
      case 'edit':
        return this.#options.drafts.resolution(found);
    }
  }

  /** By conflict id, why a proposal cannot be applied. */
  async #badProposals(
    proposed: readonly { readonly found: FoundConflict; readonly resolution: Resolution }[],
  ): Promise<ReadonlyMap<string, string>> {
    const bad = new Map<string, string>();
    const byId = new Map(proposed.map((one) => [one.found.held.conflict.id, one]));
    for (const group of heldGroups(proposed.map(({ found }) => found.held))) {
      const [first] = group;
      const session = first === undefined ? undefined : byId.get(first.conflict.id)?.found.session;
      if (first === undefined || session === undefined) continue;
      const resolutions = new Map(
        group.flatMap(({ conflict: { id } }) => {
          const one = byId.get(id);
          return one === undefined ? [] : [[id, one.resolution] as const];
        }),
      );
      const checks = (await session.checkResolutions(first.docId, resolutions))?.checks ?? [];
      if (isGood(checks)) continue;
      const why = checks.find(({ outcome }) => outcome === 'failed')?.sentence ?? problemSentence(changedMeanwhile);
      for (const { conflict } of group)
        bad.set(conflict.id, `The proposal for ${conflict.label} does not fit any more. ${why}`);
    }
    return bad;
  }
}

const changedMeanwhile: UserProblem = {
  code: 'conflict-changed',
  message: 'This conflict has changed meanwhile.',
  remedy: 'Look at it again, then choose.',
};
