import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { type AdvicePlan, type AdviceQuestion, planAdvice } from '../core/advice/adviceRequest.ts';
import { askAdvisor, type Proposal } from '../core/advice/askAdvisor.ts';
import { isGood } from '../core/advice/resolutionCheck.ts';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Resolution } from '../core/merge/types.ts';
import type { AdviceProgress, Disposable, Logger } from '../core/ports.ts';
import type { ProposalView } from '../protocol/conflictPanel.ts';
import type { AiAdvisors } from './aiAdvisors.ts';
import type { AiRequests } from './aiRequests.ts';
import type { ConflictFinder, FoundConflict } from './conflictFinder.ts';
import { conflictFingerprint, kindText } from './conflictViewModel.ts';
import { realFileInside } from '../node/files/insideFolder.ts';
import { problemSentence } from './problems.ts';
import { ProposalMemory, type RememberedProposal } from './proposalMemory.ts';
import { askingNote, toProposalView } from './proposalViewModel.ts';

/** The project's own rules for its API, if it has them. It is sent with what is in conflict. */
const RULES_FILE = join('.api-live-sync', 'rules.md');
/** The panel is told how far an answer is at most this often. */
const PROGRESS_INTERVAL_MS = 250;

/** Requests for conflicts of one document. */
interface Work {
  readonly found: readonly FoundConflict[];
  readonly plan: AdvicePlan;
}

export interface ConflictProposalsOptions {
  readonly finder: ConflictFinder;
  readonly advisors: AiAdvisors;
  readonly requests: AiRequests;
  readonly memento: vscode.Memento;
  readonly logger: Logger;
}

/** Asks an AI about conflicts when a person wants that, and keeps what it proposes. Writes nothing (I11). */
export class ConflictProposals implements Disposable {
  readonly #options: ConflictProposalsOptions;
  readonly #store = new DisposableStore();
  readonly #changed = this.#store.add(new vscode.EventEmitter<void>());
  readonly #memory: ProposalMemory;
  readonly #kept: Map<string, RememberedProposal>;
  #asking: { readonly keys: ReadonlySet<string>; readonly cancel: AbortController; note: string } | undefined;
  #progressTimer: NodeJS.Timeout | undefined;

  constructor(options: ConflictProposalsOptions) {
    this.#options = options;
    this.#memory = new ProposalMemory(options.memento);
    this.#kept = new Map(this.#memory.read().map((one) => [one.key, one]));
    this.#store.add({ dispose: () => this.cancel() });
  }

  get onDidChange(): vscode.Event<void> {
    return this.#changed.event;
  }

  get isAsking(): boolean {
    return this.#asking !== undefined;
  }

  /** What the panel shows for each conflict that was asked about. A proposal for other texts is none any more. */
  views(): ReadonlyMap<string, ProposalView> {
    const views = new Map<string, ProposalView>();
    for (const [key, { fingerprint, proposal, by }] of this.#kept) {
      const found = this.#options.finder.find(key);
      if (found !== undefined && conflictFingerprint(found.held) === fingerprint)
        views.set(key, toProposalView(proposal, found.held, by));
    }
    for (const key of this.#asking?.keys ?? []) views.set(key, { state: 'asking', note: this.#asking?.note ?? '' });
    return views;
  }

  /** What a proposal says, where it may be applied; undefined otherwise. */
  resolution({ key, held }: FoundConflict): Resolution | undefined {
    const kept = this.#kept.get(key);
    if (kept?.fingerprint !== conflictFingerprint(held) || kept.proposal.kind !== 'proposal') return undefined;
    return isGood(kept.proposal.checks) ? kept.proposal.resolution : undefined;
  }

  /** Asks about conflicts, and about those that are decided together with them. A sentence where nobody could be asked. */
  async ask(keys: readonly string[]): Promise<string | undefined> {
    const { finder, advisors, requests, logger } = this.#options;
    if (this.#asking !== undefined) return undefined;
    const chosen = await advisors.choose();
    if (chosen === undefined) return undefined;
    if ('problem' in chosen) return problemSentence(chosen.problem);
    const work = await this.#plan(keys);
    const sent = work.flatMap(({ plan }) => plan.requests);
    if (sent.length > 0 && !(await requests.confirm(chosen, sent))) return undefined;
    // Somebody else may have begun while the person was asked.
    if (this.isAsking) return undefined;
    const found = work.flatMap((one) => one.found);
    const cancel = new AbortController();
    this.#asking = { keys: new Set(found.map(({ key }) => key)), cancel, note: askingNote(undefined) };
    this.#changed.fire();
    this.#remember(found);
    const { advisor } = chosen;
    const startedAt = performance.now();
    try {
      for (const { plan, found: members } of work) {
        for (const { conflict } of plan.tooLong) this.#keep(members, conflict.id, tooLong, advisor.name);
        for (const request of plan.requests) {
          if (cancel.signal.aborted) return undefined;
          const [first] = members;
          if (first === undefined) continue;
          const proposals = await askAdvisor(advisor, request, {
            signal: cancel.signal,
            onProgress: (progress) => this.#progressed(progress),
            check: async (resolutions) =>
              (await first.session.checkResolutions(first.held.docId, resolutions))?.checks ?? goneChecks,
          });
          for (const [id, proposal] of proposals) this.#keep(members, id, proposal, advisor.name);
        }
      }
    } finally {
      clearTimeout(this.#progressTimer);
      this.#progressTimer = undefined;
      this.#asking = undefined;
      for (const key of [...this.#kept.keys()]) if (finder.find(key) === undefined) this.#kept.delete(key);
      this.#remember([]);
      this.#changed.fire();
    }
    const results = found.map(({ key }) => this.#kept.get(key)?.proposal);
    logger.info('An AI was asked about conflicts.', {
      count: found.length,
      proposed: results.filter((one) => one?.kind === 'proposal').length,
      milliseconds: Math.round(performance.now() - startedAt),
    });
    return undefined;
  }

  cancel(): void {
    this.#asking?.cancel.abort();
  }

  /** Opens what would be sent for a conflict. */
  async showRequest(key: string): Promise<void> {
    const work = await this.#plan([key]);
    await this.#options.requests.show(
      work.flatMap(({ plan }) => plan.requests),
      undefined,
    );
  }

  dispose(): void {
    this.#store.dispose();
  }

  async #plan(keys: readonly string[]): Promise<readonly Work[]> {
    const { finder } = this.#options;
    const all = new Map<string, FoundConflict>();
    for (const key of keys) {
      const found = finder.find(key);
      if (found === undefined || all.has(key)) continue;
      for (const partner of finder.partnersOf(found)) all.set(partner.key, partner);
    }
    const documents = Map.groupBy(all.values(), ({ folder, held }) => JSON.stringify([folder.path, held.docId]));
    const work: Work[] = [];
    for (const found of documents.values()) {
      const [first] = found;
      if (first === undefined) continue;
      const ids = found.map(({ held }) => held.conflict.id);
      const context = await first.session.adviceContext(first.held.docId, ids);
      if (context === undefined) continue;
      const questions = found.map(({ held }): AdviceQuestion => {
        return { conflict: held.conflict, kindText: kindText(held), theirsName: held.theirsName };
      });
      work.push({ found, plan: planAdvice(questions, context, await this.#readRules(first.session.folder)) });
    }
    return work;
  }

  async #readRules(folder: string): Promise<string | undefined> {
    // A repository may hold a link to anywhere; what lies outside of it is nobody's rules.
    const file = realFileInside(folder, join(folder, RULES_FILE));
    if (file === undefined) return undefined;
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      // Most projects have no such file.
      this.#options.logger.debug('No rules of the project.', { error: String(error) });
      return undefined;
    }
  }

  #keep(members: readonly FoundConflict[], id: string, proposal: Proposal, by: string): void {
    const found = members.find(({ held }) => held.conflict.id === id);
    if (found === undefined) return;
    const { key, held } = found;
    // The newest last.
    this.#kept.delete(key);
    this.#kept.set(key, { key, fingerprint: conflictFingerprint(held), proposal, by });
  }

  /** Keeps what is known over a reload of the window. @param asking those about which somebody is being asked now. */
  #remember(asking: readonly FoundConflict[]): void {
    const asked = asking.map(({ key, held }) => ({ key, fingerprint: conflictFingerprint(held) }));
    this.#memory.write([...this.#kept.values()], asked).catch((error: unknown) => {
      // What was proposed is still shown; only a reload would lose it.
      this.#options.logger.warn('Proposals could not be kept.', { error: String(error) });
    });
  }

  #progressed(progress: AdviceProgress): void {
    if (this.#asking === undefined) return;
    this.#asking.note = askingNote(progress);
    this.#progressTimer ??= setTimeout(() => {
      this.#progressTimer = undefined;
      this.#changed.fire();
    }, PROGRESS_INTERVAL_MS);
  }
}

const tooLong: Proposal = {
  kind: 'failed',
  problem: {
    code: 'ai-too-much',
    message: 'This element is too long to be sent.',
    remedy: 'Choose a side yourself, or edit it.',
  },
};

const goneChecks = [
  { name: 'parses', outcome: 'failed', sentence: 'The conflict has changed meanwhile. Ask again.' },
] as const;
