import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProposalMemory, type ProposalStore, type RememberedProposal } from '../../../src/extension/proposalMemory.ts';

/** VS Code's own store, which keeps JSON. */
class Store {
  #json = new Map<string, string>();

  readonly memento: ProposalStore = {
    get: (key: string): unknown => {
      const json = this.#json.get(key);
      return json === undefined ? undefined : JSON.parse(json);
    },
    update: (key: string, value: unknown): Promise<void> =>
      Promise.resolve(void this.#json.set(key, JSON.stringify(value))),
  };

  /** What another version wrote. */
  spoil(change: (value: unknown) => unknown): void {
    for (const [key, json] of this.#json) this.#json.set(key, JSON.stringify(change(JSON.parse(json))));
  }
}

function good(key: string, text = 'title: Both\n'): RememberedProposal {
  return {
    key,
    fingerprint: 'f',
    by: 'a model',
    proposal: {
      kind: 'proposal',
      resolution: { choice: 'custom', text },
      reason: 'R',
      confidence: 'high',
      checks: [{ name: 'parses', outcome: 'passed', sentence: 'Fine.' }],
    },
  };
}

describe('[I11] proposals over a reload of the window', () => {
  it('are there again as they were', async () => {
    const { memento } = new Store();
    const failed: RememberedProposal = {
      ...good('b'),
      proposal: { kind: 'failed', problem: { code: 'x', message: 'M.' } },
    };
    const declined: RememberedProposal = { ...good('c'), proposal: { kind: 'declined', reason: 'R' } };
    await new ProposalMemory(memento).write([good('a'), failed, declined], []);
    assert.deepEqual(new ProposalMemory(memento).read(), [good('a'), failed, declined]);
  });

  it('that had not come yet are said to be missing; one that was there before stays', async () => {
    const { memento } = new Store();
    const asked = ['a', 'b'].map((key) => ({ key, fingerprint: 'f' }));
    const failed: RememberedProposal = {
      ...good('b'),
      proposal: { kind: 'failed', problem: { code: 'x', message: 'M.' } },
    };
    await new ProposalMemory(memento).write([good('a'), failed], asked);
    const read = new Map(new ProposalMemory(memento).read().map((one) => [one.key, one]));
    const [kept, interrupted] = ['a', 'b'].map((key) => read.get(key));
    assert.ok(interrupted?.key === 'b' && interrupted.proposal.kind === 'failed');
    assert.match(interrupted.proposal.problem.message, /reloaded before the AI had answered\.$/);
    assert.deepEqual(kept, good('a'));
  });

  it('are left out where they cannot be read, and the others stay', async () => {
    const store = new Store();
    const memory = new ProposalMemory(store.memento);
    await memory.write([good('a'), good('b')], []);
    store.spoil((value) => {
      const { proposals } = value as { proposals: Record<string, unknown>[] };
      return {
        proposals: [{ ...proposals[0], proposal: { kind: 'proposal', resolution: 'all' } }, proposals[1]],
        asking: [1],
      };
    });
    assert.deepEqual(memory.read(), [good('b')]);
    store.spoil(() => 'something else');
    assert.deepEqual(memory.read(), []);
  });

  it('[I10] are bounded: the newest are kept', async () => {
    const { memento } = new Store();
    const memory = new ProposalMemory(memento);
    await memory.write(
      Array.from({ length: 300 }, (_, at) => good(String(at))),
      [],
    );
    assert.deepEqual([memory.read().length, memory.read()[0]?.key, memory.read().at(-1)?.key], [200, '100', '299']);
    await memory.write(
      Array.from({ length: 20 }, (_, at) => good(String(at), 'x'.repeat(90_000))),
      [],
    );
    assert.deepEqual(
      memory.read().map(({ key }) => key),
      ['15', '16', '17', '18', '19'],
    );
  });
});
