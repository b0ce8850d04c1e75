import * as z from 'zod/mini';
import type { MergeConflict, Resolution } from '../merge/types.ts';
import type { AdviceRequest } from './adviceRequest.ts';

/** Bounds are looked at apart: not every provider takes them in a schema. */
const proposalShape = z.object({
  conflict: z.string(),
  decision: z.enum(['yours', 'theirs', 'both', 'text', 'declined']),
  text: z.string(),
  reason: z.string(),
  confidence: z.enum(['high', 'medium', 'low']),
});
const answerShape = z.object({ proposals: z.array(proposalShape) });

type RawProposal = z.infer<typeof proposalShape>;
export type Confidence = RawProposal['confidence'];

/** What a model proposes for one conflict: checked for its form, not yet for what it does to the document. */
export type Advice =
  | {
      readonly kind: 'proposal';
      readonly resolution: Resolution;
      readonly reason: string;
      readonly confidence: Confidence;
    }
  | { readonly kind: 'declined'; readonly reason: string };

export interface ReadAnswer {
  /** By conflict id. */
  readonly advice: ReadonlyMap<string, Advice>;
  /** What is wrong with the answer, as the model is told in the repair round. */
  readonly problems: readonly string[];
}

/** The JSON schema of an answer, in the subset that strict structured output takes. */
export function answerSchema(): Record<string, unknown> {
  const entries = Object.entries(z.toJSONSchema(answerShape)).filter(([key]) => key !== '$schema');
  return Object.fromEntries(entries);
}

/** An answer has nothing to say that is longer than what was asked, twice over. */
const MAX_ANSWER_CHARACTERS = 200_000;
const MAX_REASON_CHARACTERS = 600;
const MAX_TEXT_CHARACTERS = 100_000;
/** Control characters, and those that turn the direction of a text or cannot be seen: what is shown has to be what is written. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for.
const DECEPTIVE = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/;

/** Reads what a model answered; whatever it is, never throws. */
export function readAnswer(answer: string, request: AdviceRequest): ReadAnswer {
  if (answer.length > MAX_ANSWER_CHARACTERS) return { advice: new Map(), problems: ['The answer is far too long.'] };
  const parsed = answerShape.safeParse(parseJson(answer));
  if (!parsed.success)
    return { advice: new Map(), problems: ['The answer is not a JSON object of the form that was asked for.'] };
  const advice = new Map<string, Advice>();
  const problems: string[] = [];
  for (const proposal of parsed.data.proposals) {
    const question = request.questions.get(proposal.conflict);
    if (question === undefined) {
      problems.push('It has a proposal for something that was not asked about.');
      continue;
    }
    const { id } = question.conflict;
    if (advice.has(id)) {
      problems.push(`It has two proposals for ${proposal.conflict}.`);
      continue;
    }
    const problem = problemOf(proposal, question.conflict);
    if (problem === undefined) advice.set(id, toAdvice(proposal, question.conflict));
    else problems.push(`${proposal.conflict}: ${problem}`);
  }
  for (const [name, { conflict }] of request.questions) {
    if (!advice.has(conflict.id) && !problems.some((problem) => problem.startsWith(`${name}:`)))
      problems.push(`${name}: There is no proposal for it.`);
  }
  return { advice, problems };
}

function problemOf(proposal: RawProposal, conflict: MergeConflict): string | undefined {
  if (proposal.decision === 'both' && !conflict.canTakeBoth) return 'Both cannot be taken here.';
  if (proposal.decision !== 'text') return undefined;
  if (proposal.text.trim() === '') return 'The decision is "text", but there is no text.';
  if (proposal.text.length > MAX_TEXT_CHARACTERS) return 'The text is far too long.';
  if (DECEPTIVE.test(proposal.text.replaceAll('\r\n', '\n'))) return 'The text has characters that cannot be seen.';
  return undefined;
}

function toAdvice({ decision, text, reason, confidence }: RawProposal, conflict: MergeConflict): Advice {
  const said = cleanSentence(reason);
  if (decision === 'declined') return { kind: 'declined', reason: said };
  const choice = { yours: 'ours', theirs: 'theirs', both: 'both' } as const;
  const resolution: Resolution =
    decision === 'text' ? { choice: 'custom', text: likeTheSides(text, conflict) } : { choice: choice[decision] };
  return { kind: 'proposal', resolution, reason: said, confidence };
}

/** Ends as the element's own text does: the line end belongs to the element in block YAML only. */
function likeTheSides(text: string, conflict: MergeConflict): string {
  const trimmed = text.replaceAll('\r\n', '\n').replace(/\n+$/, '');
  const side = conflict.ours ?? conflict.theirs ?? conflict.base;
  return side?.text.endsWith('\n') === true ? `${trimmed}\n` : trimmed;
}

/** A model's words as one short line of plain text. */
export function cleanSentence(text: string): string {
  const line = text.replace(new RegExp(DECEPTIVE, 'g'), '').replace(/\s+/g, ' ').trim();
  return line.length <= MAX_REASON_CHARACTERS ? line : `${line.slice(0, MAX_REASON_CHARACTERS)}…`;
}

/** Models without structured output like to put a sentence before the JSON, and a fence around it. */
function parseJson(answer: string): unknown {
  const start = answer.indexOf('{');
  const end = answer.lastIndexOf('}');
  if (start === -1 || end < start) return undefined;
  try {
    return JSON.parse(answer.slice(start, end + 1));
  } catch {
    // What is no JSON is said as such by the caller; the text itself may be anything.
    return undefined;
  }
}
