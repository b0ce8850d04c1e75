import type { AdviceMessage, AdviceProgress, AdviceReply, ConflictAdvisor } from '../ports.ts';
import { conflictGroups } from '../merge/conflictGroups.ts';
import type { Resolution } from '../merge/types.ts';
import type { UserProblem } from '../workingFiles.ts';
import {
  type Advice,
  answerSchema,
  cleanSentence,
  type Confidence,
  readAnswer,
  type ReadAnswer,
} from './adviceAnswer.ts';
import type { AdviceRequest } from './adviceRequest.ts';
import { isGood, type ResolutionCheck } from './resolutionCheck.ts';

/** What comes of asking about one conflict. Only a `proposal` whose checks are good may be applied. */
export type Proposal =
  | {
      readonly kind: 'proposal';
      readonly resolution: Resolution;
      readonly reason: string;
      readonly confidence: Confidence;
      readonly checks: readonly ResolutionCheck[];
    }
  | { readonly kind: 'declined'; readonly reason: string }
  | { readonly kind: 'failed'; readonly problem: UserProblem };

export interface AskOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: AdviceProgress) => void;
  /** Looks at resolutions that belong together; writes nothing. */
  readonly check: (resolutions: ReadonlyMap<string, Resolution>) => Promise<readonly ResolutionCheck[]>;
}

/** By conflict id; empty where the person cancelled. */
export type Proposals = ReadonlyMap<string, Proposal>;

/**
 * Asks about the conflicts of one request, checks the answer, and gives the model one chance to mend it. Applies nothing.
 * Never rejects for what an advisor does; `check` may reject.
 */
export async function askAdvisor(
  advisor: ConflictAdvisor,
  request: AdviceRequest,
  options: AskOptions,
): Promise<Proposals> {
  const messages: AdviceMessage[] = [
    { role: 'system', text: request.instructions },
    { role: 'user', text: request.data },
  ];
  const first = await ask(advisor, messages, options);
  if (first.kind !== 'text') return withoutAnswer(first, request);
  const answer = readAnswer(first.text, request);
  const proposals = await checked(answer, request, options);
  const faults = faultsOf(answer, proposals, request);
  if (faults.length === 0) return proposals;
  const second = await ask(
    advisor,
    [...messages, { role: 'assistant', text: first.text.slice(0, MAX_REPAIR_CHARACTERS) }, repairMessage(faults)],
    options,
  );
  if (second.kind === 'cancelled') return new Map();
  // The first answer may be good in parts: what the repair does not give, it still does.
  if (second.kind !== 'text') return proposals;
  const repaired = await checked(readAnswer(second.text, request), request, options);
  return new Map(
    [...request.questions.values()].map(({ conflict: { id } }) => {
      const [before, after] = [proposals.get(id), repaired.get(id)];
      const best = isUsable(before) || after === undefined || after.kind === 'failed' ? (before ?? after) : after;
      return [id, best ?? { kind: 'failed', problem: unusable }];
    }),
  );
}

/** A first answer is shown to the model again up to this length only. */
const MAX_REPAIR_CHARACTERS = 20_000;
const MAX_FAULTS = 20;

async function ask(
  advisor: ConflictAdvisor,
  messages: readonly AdviceMessage[],
  { signal, onProgress }: AskOptions,
): Promise<AdviceReply> {
  if (signal.aborted) return { kind: 'cancelled' };
  return advisor.ask(messages, answerSchema(), { signal, onProgress });
}

function withoutAnswer(reply: Exclude<AdviceReply, { kind: 'text' }>, request: AdviceRequest): Proposals {
  if (reply.kind === 'cancelled') return new Map();
  const proposal: Proposal =
    reply.kind === 'refused'
      ? { kind: 'declined', reason: cleanSentence(reply.reason) || 'The model gave no reason.' }
      : { kind: 'failed', problem: reply.problem };
  return new Map([...request.questions.values()].map(({ conflict }) => [conflict.id, proposal]));
}

async function checked(answer: ReadAnswer, request: AdviceRequest, { check }: AskOptions): Promise<Proposals> {
  const proposals = new Map<string, Proposal>();
  for (const group of conflictGroups([...request.questions.values()].map(({ conflict }) => conflict))) {
    const resolutions = new Map<string, Resolution>();
    for (const conflict of group) {
      const advice = answer.advice.get(conflict.id);
      if (advice?.kind === 'proposal') resolutions.set(conflict.id, advice.resolution);
    }
    const checks = resolutions.size === 0 ? [] : await check(resolutions);
    for (const conflict of group) {
      const advice = answer.advice.get(conflict.id);
      proposals.set(
        conflict.id,
        advice === undefined ? { kind: 'failed', problem: unusable } : withChecks(advice, checks),
      );
    }
  }
  return proposals;
}

function withChecks(advice: Advice, checks: readonly ResolutionCheck[]): Proposal {
  if (advice.kind === 'declined') return { kind: 'declined', reason: advice.reason || 'The model gave no reason.' };
  return { ...advice, checks };
}

function faultsOf(answer: ReadAnswer, proposals: Proposals, { questions }: AdviceRequest): readonly string[] {
  const failed = [...questions].flatMap(([name, { conflict }]) => {
    const proposal = proposals.get(conflict.id);
    if (proposal?.kind !== 'proposal') return [];
    return proposal.checks.filter(({ outcome }) => outcome === 'failed').map(({ sentence }) => `${name}: ${sentence}`);
  });
  return [...answer.problems, ...failed].slice(0, MAX_FAULTS);
}

function repairMessage(faults: readonly string[]): AdviceMessage {
  const list = faults.map((fault) => `- ${fault}`).join('\n');
  return {
    role: 'user',
    text: `Your answer cannot be used:\n${list}\nGive the whole answer again as one JSON object {"proposals": [...]} and nothing else. Decline where you cannot mend it.`,
  };
}

function isUsable(proposal: Proposal | undefined): boolean {
  return proposal?.kind === 'proposal' && isGood(proposal.checks);
}

const unusable: UserProblem = {
  code: 'ai-answer-unusable',
  message: 'The AI gave no answer that could be used for this conflict.',
  remedy: 'Ask again, or choose a side yourself.',
};
