import * as z from 'zod/mini';
import type { Proposal } from '../core/advice/askAdvisor.ts';

/** Under this key VS Code keeps what was proposed in this workspace, so that a reload loses none of it. */
const STORAGE_KEY = 'aiProposals';
/** The newest are kept, so many at most and of so many characters in all. */
const MAX_KEPT = 200;
const MAX_KEPT_CHARACTERS = 500_000;

const check = z.object({
  name: z.enum(['parses', 'references', 'validity', 'outside', 'kept', 'addresses']),
  outcome: z.enum(['passed', 'failed', 'skipped']),
  sentence: z.string(),
});
const resolution = z.discriminatedUnion('choice', [
  z.object({ choice: z.enum(['base', 'ours', 'theirs', 'both']) }),
  z.object({ choice: z.literal('custom'), text: z.string() }),
]);
const proposal = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('proposal'),
    resolution,
    reason: z.string(),
    confidence: z.enum(['high', 'medium', 'low']),
    checks: z.readonly(z.array(check)),
  }),
  z.object({ kind: z.literal('declined'), reason: z.string() }),
  z.object({
    kind: z.literal('failed'),
    problem: z.object({ code: z.string(), message: z.string(), remedy: z.exactOptional(z.string()) }),
  }),
]);
const remembered = z.object({ key: z.string(), fingerprint: z.string(), proposal, by: z.string() });
const memory = z.object({ proposals: z.array(z.unknown()), asking: z.array(z.unknown()) });
const asked = z.object({ key: z.string(), fingerprint: z.string() });

/** What came of asking about a conflict, for the texts that were asked about. */
export interface RememberedProposal {
  readonly key: string;
  readonly fingerprint: string;
  readonly proposal: Proposal;
  /** Whom was asked. */
  readonly by: string;
}

/** A conflict about which somebody is being asked. */
export type AskedConflict = z.infer<typeof asked>;

/** Of VS Code's `Memento`, what is used. */
export interface ProposalStore {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** Keeps proposals over a reload of the window. */
export class ProposalMemory {
  readonly #memento: ProposalStore;

  constructor(memento: ProposalStore) {
    this.#memento = memento;
  }

  /** What was kept. Who was being asked when the window went away has not answered, and that is said. */
  read(): readonly RememberedProposal[] {
    const stored = memory.safeParse(this.#memento.get(STORAGE_KEY)).data;
    // An older or newer version may have written it: what cannot be read is left out, one by one.
    const proposals = (stored?.proposals ?? []).flatMap((one) => remembered.safeParse(one).data ?? []);
    const answered = new Set(
      proposals
        .filter((one) => one.proposal.kind !== 'failed')
        .map(({ key, fingerprint }) => JSON.stringify([key, fingerprint])),
    );
    const interrupted = (stored?.asking ?? [])
      .flatMap((one) => asked.safeParse(one).data ?? [])
      .filter(({ key, fingerprint }) => !answered.has(JSON.stringify([key, fingerprint])))
      .map((one): RememberedProposal => ({ ...one, proposal: { kind: 'failed', problem: windowReloaded }, by: '' }));
    return [...proposals, ...interrupted];
  }

  async write(proposals: readonly RememberedProposal[], asking: readonly AskedConflict[]): Promise<void> {
    const kept: RememberedProposal[] = [];
    let left = MAX_KEPT_CHARACTERS;
    for (const one of proposals.slice(-MAX_KEPT).toReversed()) {
      left -= JSON.stringify(one).length;
      if (left < 0) break;
      kept.unshift(one);
    }
    await this.#memento.update(STORAGE_KEY, { proposals: kept, asking });
  }
}

const windowReloaded = {
  code: 'ai-interrupted',
  message: 'The window was reloaded before the AI had answered.',
  remedy: 'Nothing was changed. Ask again.',
};
