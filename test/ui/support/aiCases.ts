import type { ModelPlay } from '../../harness/modelPlay.ts';

/** What a person sees of it, whoever provides the model. */
export interface AiCase {
  readonly name: string;
  readonly play: ModelPlay;
  /** `ready`: a proposal that can be taken; `unfit`: one that failed a check; `none`: a sentence. */
  readonly ends: 'ready' | 'unfit' | 'none';
  readonly says: RegExp | { readonly openAi: RegExp; readonly vsCode: RegExp };
}

/** The answer of a model about one conflict, `c1`. */
export function answer(proposal: Readonly<Record<string, string>>): string {
  const usual = { conflict: 'c1', decision: 'text', text: '', reason: 'Both names are good.', confidence: 'high' };
  return JSON.stringify({ proposals: [{ ...usual, ...proposal }] });
}

export const goodAnswer = answer({ text: 'title: Lake and Quay Tours' });
const unusable = /gave no answer that could be used for this conflict/;

/** The same for every provider. In this order each says something else than the one before it, so that no old answer passes for a new one. */
export const aiCases: readonly AiCase[] = [
  {
    name: 'malformed JSON, and again when asked to mend it',
    play: { kind: 'says', text: '{"proposals": [{"conflict": "c1", "decision": ' },
    ends: 'none',
    says: unusable,
  },
  {
    name: 'a good answer',
    play: { kind: 'says', text: goodAnswer },
    ends: 'ready',
    says: /AI proposal: A text of its own/,
  },
  {
    name: 'the wrong element',
    play: { kind: 'says', text: answer({ conflict: 'c7', text: 'title: Lake' }) },
    ends: 'none',
    says: unusable,
  },
  {
    name: 'a slow stream',
    play: { kind: 'saysSlowly', text: goodAnswer },
    ends: 'ready',
    says: /AI proposal: A text of its own/,
  },
  {
    name: 'a reference to something that is not there',
    play: { kind: 'says', text: answer({ text: 'title:\n  $ref: "#/components/schemas/Nothing"' }) },
    ends: 'unfit',
    says: /#\/components\/schemas\/Nothing points to nothing/,
  },
  {
    name: 'a refusal',
    play: { kind: 'refuses', words: 'I would rather not.' },
    ends: 'none',
    // VS Code's models have no way of their own to refuse: whatever they say is an answer.
    says: { openAi: /I would rather not\./, vsCode: unusable },
  },
  {
    name: 'a key or a consent that is refused',
    play: { kind: 'fails', how: 'notAllowed' },
    ends: 'none',
    says: { openAi: /did not accept the key/, vsCode: /VS Code does not let Open Model be used here/ },
  },
  {
    name: 'a choice that only a person can make',
    play: { kind: 'says', text: answer({ decision: 'declined', reason: 'Only you can know.' }) },
    ends: 'none',
    says: /Only you can know\./,
  },
  {
    name: 'too many requests',
    play: { kind: 'fails', how: 'tooManyRequests' },
    ends: 'none',
    says: {
      openAi: /takes no more requests at the moment.*in 60 minutes/,
      vsCode: /Open Model takes no more requests at the moment/,
    },
  },
  {
    name: 'a provider that fails',
    play: { kind: 'fails', how: 'broken' },
    ends: 'none',
    says: { openAi: /has a problem of its own \(500\)/, vsCode: /Open Model could not answer/ },
  },
  {
    name: 'a connection that is cut in the middle of the stream',
    play: { kind: 'breaksOff', text: '{"proposals": [' },
    ends: 'none',
    says: /broke off in the middle of its answer/,
  },
  {
    name: '100,000 tokens',
    play: { kind: 'saysTooMuch' },
    ends: 'none',
    says: /wrote more than it was asked for and was stopped/,
  },
];
