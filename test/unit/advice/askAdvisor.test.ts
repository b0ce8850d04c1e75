import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adviceContext } from '../../../src/core/advice/adviceContext.ts';
import { planAdvice } from '../../../src/core/advice/adviceRequest.ts';
import { askAdvisor, type Proposal } from '../../../src/core/advice/askAdvisor.ts';
import { checkResolutions } from '../../../src/core/advice/checkResolutions.ts';
import { isGood } from '../../../src/core/advice/resolutionCheck.ts';
import type { AdviceMessage, AdviceReply, ConflictAdvisor } from '../../../src/core/ports.ts';
import { BASE, clash, only, questions, requestFor, summaryClash, type Clash } from './documents.ts';

describe('[I11] AI proposals', () => {
  it('come with a reason, a confidence and their checks', async () => {
    const one = summaryClash();
    const { proposal } = await askOne(one, [answer({ decision: 'text', text: 'summary: All your pets' })]);
    assert.ok(proposal?.kind === 'proposal' && isGood(proposal.checks));
    assert.deepEqual(proposal.resolution, { choice: 'custom', text: 'summary: All your pets\n' });
    assert.equal(proposal.reason, 'It says both.');
    assert.equal(proposal.confidence, 'medium');
  });

  it('may be declined, and a refusal of the provider is one', async () => {
    const declined = await askOne(summaryClash(), [answer({ decision: 'declined', reason: 'I cannot tell.' })]);
    assert.deepEqual(declined.proposal, { kind: 'declined', reason: 'I cannot tell.' });
    const refused = await askOne(summaryClash(), [{ kind: 'refused', reason: 'No.\u202E\n' }]);
    assert.deepEqual(refused.proposal, { kind: 'declined', reason: 'No.' });
    assert.equal(refused.asked.length, 1);
  });

  it('are asked for again once where the answer cannot be used, and then said to be unusable', async () => {
    for (const bad of [
      '',
      'I would take yours.',
      '{"proposals": "none"}',
      '{"proposals": []}',
      JSON.stringify({ proposals: [raw({ conflict: 'c9' })] }),
      JSON.stringify({ proposals: [raw({ decision: 'text', text: '' })] }),
      JSON.stringify({ proposals: [raw({ decision: 'both' })] }),
      JSON.stringify({ proposals: [raw({})] }).slice(0, -3),
    ]) {
      const never = await askOne(summaryClash(), [text(bad), text(bad)]);
      assert.ok(never.proposal?.kind === 'failed', bad);
      assert.match(never.proposal.problem.message, /no answer that could be used/);
      assert.equal(never.asked.length, 2);
      const mended = await askOne(summaryClash(), [text(bad), answer({})]);
      assert.ok(mended.proposal?.kind === 'proposal', bad);
      assert.match(mended.asked[1]?.at(-1)?.text ?? '', /cannot be used/);
    }
  });

  it('are understood with words and a fence around them', async () => {
    const { proposal } = await askOne(summaryClash(), [
      text(`Sure!\n\`\`\`json\n${JSON.stringify({ proposals: [raw({})] })}\n\`\`\`\nAnything else?`),
    ]);
    assert.equal(proposal?.kind, 'proposal');
  });

  it('that fail a check are told to the model, and stay marked where it does not mend them', async () => {
    const bad = answer({ decision: 'text', text: 'summary: a\ndeprecated: true' });
    const still = await askOne(summaryClash(), [bad, bad]);
    assert.ok(still.proposal?.kind === 'proposal' && !isGood(still.proposal.checks));
    assert.match(still.asked[1]?.at(-1)?.text ?? '', /c1: It would also change/);
    const mended = await askOne(summaryClash(), [bad, answer({ decision: 'yours' })]);
    assert.ok(mended.proposal?.kind === 'proposal' && isGood(mended.proposal.checks));
  });

  it('say in a sentence what went wrong with the provider, and come to nothing when cancelled', async () => {
    const problem = { code: 'x', message: 'It cannot be reached.' };
    assert.deepEqual((await askOne(summaryClash(), [{ kind: 'problem', problem }])).proposal, {
      kind: 'failed',
      problem,
    });
    assert.equal((await askOne(summaryClash(), [{ kind: 'cancelled' }])).proposal, undefined);
    const afterFirst = await askOne(summaryClash(), [text('?'), { kind: 'cancelled' }]);
    assert.equal(afterFirst.proposal, undefined);
  });

  it('for what belongs together are checked together', async () => {
    const one = clash(
      [
        [
          '    Pet:\n      type: object\n      properties:\n        name: { type: string }\n',
          '    Cat: { type: object }\n',
        ],
        ["'#/components/schemas/Pet'", "'#/components/schemas/Cat'"],
      ],
      [['summary: List pets', "summary: List pets\n      x-more: { $ref: '#/components/schemas/Pet' }"]],
    );
    assert.ok(one.conflicts.length > 1 && one.conflicts.every(({ kind }) => kind === 'semantic'));
    const all = (decision: string): AdviceReply =>
      text(JSON.stringify({ proposals: one.conflicts.map((_, at) => raw({ conflict: `c${at + 1}`, decision })) }));
    const { proposals } = await ask(one, [all('theirs')]);
    assert.equal(proposals.size, one.conflicts.length);
    for (const proposal of proposals.values()) assert.ok(proposal.kind === 'proposal' && isGood(proposal.checks));
    const mixed = text(
      JSON.stringify({
        proposals: one.conflicts.map((conflict, at) =>
          raw({ conflict: `c${at + 1}`, decision: conflict.label.includes('x-more') ? 'theirs' : 'yours' }),
        ),
      }),
    );
    for (const proposal of (await ask(one, [mixed, mixed])).proposals.values())
      assert.ok(proposal.kind === 'proposal' && !isGood(proposal.checks));
  });
});

describe('what is sent to an AI', () => {
  it('is what clashes, what is needed to understand it, and no more', () => {
    const one = clash(
      [
        ['summary: List pets', 'summary: List your pets'],
        ['title: Pets', 'title: Secret'],
      ],
      [['summary: List pets', 'summary: All the pets']],
    );
    const request = requestFor(one, 'Summaries end with a full stop.');
    const data = JSON.parse(request.data) as Record<string, unknown>;
    assert.deepEqual(Object.keys(data), ['conflicts', 'context', 'youChanged', 'theyChanged', 'rulesOfTheProject']);
    assert.match(request.data, /List your pets/);
    assert.match(request.data, /All the pets/);
    assert.doesNotMatch(request.data, /Secret|api\.pets\.example/);
    assert.deepEqual(Object.keys(data['context'] as object), ['GET /pets']);
  });

  it('has the components that the clashing texts refer to', () => {
    const value = "schema:\n                $ref: '#/components/schemas/Pet'";
    const one = clash(
      [
        [value, "schema:\n                $ref: '#/components/schemas/Dog'"],
        ['    Pet:', '    Dog: { type: object }\n    Pet:'],
      ],
      [
        [value, "schema:\n                $ref: '#/components/schemas/Cat'"],
        ['    Pet:', '    Pet: '],
      ],
      BASE.replace('    Pet:', '    Cat: { type: string }\n    Pet:'),
    );
    const { neighbours } = adviceContext(one.input, one.format, one.conflicts);
    const labels = Object.values(neighbours).flatMap((list) => list.map(({ label }) => label));
    assert.ok(labels.includes('schema Dog') && labels.includes('schema Cat'), labels.join());
  });

  it('is split where there is much of it, keeps together what belongs together, and leaves out what is too long', () => {
    const { conflicts } = summaryClash();
    const conflict = only(conflicts);
    const many = questions(Array.from({ length: 30 }, (_, at) => ({ ...conflict, id: `id${at}` })));
    const empty = { neighbours: {}, ourChanges: [], theirChanges: [] };
    const plan = planAdvice(many, empty, undefined);
    assert.deepEqual(
      plan.requests.map(({ questions: { size } }) => size),
      [12, 12, 6],
    );
    const long = { ...conflict, ours: { text: 'x'.repeat(70_000), start: 0, end: 70_000 } };
    assert.equal(planAdvice(questions([long]), empty, undefined).tooLong.length, 1);
    const halves = Array.from({ length: 4 }, (_, at) => ({
      ...conflict,
      id: `half${at}`,
      ours: { text: 'x'.repeat(25_000), start: 0, end: 25_000 },
    }));
    const split = planAdvice(questions(halves), empty, 'rule '.repeat(50_000));
    assert.deepEqual(
      split.requests.map(({ questions: { size } }) => size),
      [2, 2],
    );
    for (const { data } of split.requests) assert.ok(data.length < 70_000, String(data.length));
    const pair = Array.from({ length: 20 }, (_, at) => ({
      ...conflict,
      id: `s${at}`,
      kind: 'semantic' as const,
      explanation: `pair ${at % 10}`,
    }));
    for (const { questions: asked } of planAdvice(questions(pair), empty, undefined).requests) {
      const counts = Map.groupBy(asked.values(), (one) => one.conflict.explanation);
      for (const members of counts.values()) assert.equal(members.length, 2);
    }
  });
});

/** What a scripted model is asked, and what comes of it. */
export async function ask(
  { input, format, conflicts }: Clash,
  replies: readonly AdviceReply[],
): Promise<{
  readonly proposals: ReadonlyMap<string, Proposal>;
  readonly asked: readonly (readonly AdviceMessage[])[];
}> {
  const asked: (readonly AdviceMessage[])[] = [];
  const advisor: ConflictAdvisor = {
    name: 'test',
    ask: (messages) => {
      asked.push(messages);
      return Promise.resolve(replies[asked.length - 1] ?? { kind: 'text', text: '' });
    },
  };
  const proposals = await askAdvisor(advisor, requestFor({ input, format, conflicts }), {
    signal: new AbortController().signal,
    onProgress: () => undefined,
    check: (resolutions) =>
      Promise.resolve(
        checkResolutions(
          input,
          format,
          conflicts.filter(({ id }) => resolutions.has(id)),
          resolutions,
        ).checks,
      ),
  });
  return { proposals, asked };
}

async function askOne(
  one: Clash,
  replies: readonly AdviceReply[],
): Promise<{ readonly proposal: Proposal | undefined; readonly asked: readonly (readonly AdviceMessage[])[] }> {
  const { proposals, asked } = await ask(one, replies);
  return { proposal: proposals.get(only(one.conflicts).id), asked };
}

function raw(proposal: Record<string, unknown>): Record<string, unknown> {
  return { conflict: 'c1', decision: 'yours', text: '', reason: 'It says both.', confidence: 'medium', ...proposal };
}

function answer(proposal: Record<string, unknown>): AdviceReply {
  return text(JSON.stringify({ proposals: [raw(proposal)] }));
}

function text(answered: string): AdviceReply {
  return { kind: 'text', text: answered };
}
