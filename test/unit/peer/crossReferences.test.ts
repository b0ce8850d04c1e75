import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex } from '../../../src/core/ids.ts';
import type { Logger } from '../../../src/core/ports.ts';
import { fileReferences, hasFragments } from '../../../src/core/references/fileReferences.ts';
import { diffSplices } from '../../../src/core/merge/splices.ts';
import type { FoundReference, ReferenceMemory } from '../../../src/core/references/foundReference.ts';
import { CrossReferences, type LibraryText } from '../../../src/peer/replica/crossReferences.ts';
import type { DocumentReplica } from '../../../src/peer/replica/documentReplica.ts';

const quiet = (): void => undefined;
const logger: Logger = {
  trace: quiet,
  debug: quiet,
  info: quiet,
  warn: (message) => assert.fail(message),
  error: quiet,
};

const COMMON = 'components:\n  schemas:\n    Pet: { type: object }\n    Dog: { type: object }\n';
const WITHOUT_PET = COMMON.replace('    Pet: { type: object }\n', '');
const API = 'openapi: 3.1.0\npaths: {}\n';
const REFERENCE = 'common.yaml#/components/schemas/Pet';
const WITH_REFERENCE = `${API}x-pet: { $ref: '${REFERENCE}' }\n`;

/** A library, and what the replica of `me` makes of each of its entries. */
class Bench {
  readonly references: CrossReferences;
  /** What the next run finds. */
  remembered: readonly FoundReference[];
  /** Texts that the rules looked into. */
  looks = 0;
  readonly memory: ReferenceMemory;
  readonly #documents = new Map<string, LibraryText | undefined>();
  readonly #me: string;
  #index = 0;

  constructor(
    me: string,
    texts: Readonly<Record<string, string>> = { 'common.yaml': COMMON, 'api.yaml': API },
    found: readonly FoundReference[] = [],
  ) {
    this.#me = me;
    this.remembered = found;
    this.memory = {
      load: () => Promise.resolve(this.remembered),
      save: (now) => {
        this.remembered = now;
        return Promise.resolve();
      },
    };
    for (const [path, text] of Object.entries(texts)) this.#documents.set(path, { path, text });
    const count = <T>(value: T): Promise<T> => {
      this.looks += 1;
      return Promise.resolve(value);
    };
    const merger = {
      fileReferences: (...args: Parameters<typeof fileReferences>) => count(fileReferences(...args)),
      hasFragments: (...args: Parameters<typeof hasFragments>) => count(hasFragments(...args)),
    };
    const documents = {
      get: (docId: DocId) => this.#document(docId),
      all: () => [...this.#documents.keys()].map((id) => this.#document(id as DocId)).values(),
    };
    this.references = new CrossReferences(documents, { merger, memory: this.memory, logger, onChange: quiet });
  }

  /** The log's next entry. @param docId of a document, which is the path that it had at first. */
  take(who: string, docId: string, text: string | undefined, path = docId): void {
    const before = this.#documents.get(docId);
    const after = text === undefined ? undefined : { path, text };
    this.#documents.set(docId, after);
    this.#index += 1;
    this.references.took({
      index: this.#index as LogIndex,
      docId: docId as DocId,
      authorName: who,
      isOwn: who === this.#me,
      before,
      after,
      patch: text === undefined ? [] : diffSplices(before?.text ?? '', text),
    });
  }

  async messages(): Promise<readonly string[]> {
    await this.references.settled;
    return this.references.broken.map(({ path, reference, problem }) => {
      assert.equal(reference, REFERENCE);
      return `${path}: ${problem.message} ${problem.remedy ?? ''}`;
    });
  }

  #document(docId: DocId): DocumentReplica {
    const now = this.#documents.get(docId);
    const path = now?.path ?? docId;
    const stored = {
      libraryPath: path,
      head: now === undefined ? undefined : { text: now.text },
      deleted: now === undefined ? {} : undefined,
    };
    // The rules ask a document for no more than this.
    return { docId, stored, localPath: path, status: { file: `/${path}`, path } } as unknown as DocumentReplica;
  }
}

const PUT_BACK = 'Refer to something that is there, or put it back.';

test('[I5] who refers to what somebody else took out of another document meanwhile is told, and nobody else is', async () => {
  const expected = [
    `api.yaml: alice took schema Pet out of common.yaml while you referred to it in api.yaml. ${PUT_BACK}`,
  ];
  for (const [me, messages] of [
    ['bob', expected],
    ['alice', []],
    ['carol', []],
  ] as const) {
    const bench = new Bench(me);
    bench.take('alice', 'common.yaml', WITHOUT_PET);
    bench.take('bob', 'api.yaml', WITH_REFERENCE);
    assert.deepEqual(await bench.messages(), messages, me);
  }
});

test('[I5] who takes out what somebody else has begun to refer to meanwhile is told, and nobody else is', async () => {
  const expected = [
    `api.yaml: You took schema Pet out of common.yaml while bob referred to it in api.yaml. ${PUT_BACK}`,
  ];
  for (const [me, messages] of [
    ['alice', expected],
    ['bob', []],
    ['carol', []],
  ] as const) {
    const bench = new Bench(me);
    bench.take('bob', 'api.yaml', WITH_REFERENCE);
    bench.take('alice', 'common.yaml', WITHOUT_PET);
    assert.deepEqual(await bench.messages(), messages, me);
  }
});

for (const [deed, path, remedy] of [
  ['deleted common.yaml', undefined, 'Refer to another file, or bring it back.'],
  ['renamed common.yaml to shared.yaml', 'shared.yaml', 'Refer to shared.yaml instead.'],
] as const)
  test(`[I5] the same for a document that was ${deed.split(' ')[0] ?? ''}`, async () => {
    const remove = (bench: Bench): void =>
      bench.take('alice', 'common.yaml', path === undefined ? undefined : COMMON, path);
    const bob = new Bench('bob');
    remove(bob);
    bob.take('bob', 'api.yaml', WITH_REFERENCE);
    assert.deepEqual(await bob.messages(), [`api.yaml: alice ${deed} while you referred to it in api.yaml. ${remedy}`]);
    const alice = new Bench('alice');
    alice.take('bob', 'api.yaml', WITH_REFERENCE);
    remove(alice);
    assert.deepEqual(await alice.messages(), [`api.yaml: You ${deed} while bob referred to it in api.yaml. ${remedy}`]);
  });

test('[I5] what one side broke by itself is no news: neither to it nor to others', async () => {
  for (const me of ['alice', 'bob']) {
    const bench = new Bench(me, { 'common.yaml': COMMON, 'api.yaml': WITH_REFERENCE });
    bench.take('alice', 'common.yaml', WITHOUT_PET);
    bench.take('bob', 'api.yaml', `${WITH_REFERENCE}x-more: { $ref: 'nowhere.yaml' }\n`);
    assert.deepEqual(await bench.messages(), [], me);
  }
  const typo = new Bench('bob', { 'common.yaml': WITHOUT_PET, 'api.yaml': API });
  typo.take('alice', 'common.yaml', WITHOUT_PET.replace('object', 'string'));
  typo.take('bob', 'api.yaml', WITH_REFERENCE);
  assert.deepEqual(await typo.messages(), []);
});

test('[I5] it is said no longer when the reference is gone, or when it leads somewhere again', async () => {
  const broken = async (): Promise<Bench> => {
    const bench = new Bench('bob');
    bench.take('alice', 'common.yaml', WITHOUT_PET);
    bench.take('bob', 'api.yaml', WITH_REFERENCE);
    assert.equal((await bench.messages()).length, 1);
    return bench;
  };
  const gone = await broken();
  gone.take('bob', 'api.yaml', API);
  assert.deepEqual(await gone.messages(), []);
  const again = await broken();
  again.take('alice', 'common.yaml', WITHOUT_PET.replace('object', 'string'));
  assert.equal((await again.messages()).length, 1);
  again.take('alice', 'common.yaml', COMMON);
  assert.deepEqual(await again.messages(), []);
  const deleted = await broken();
  deleted.take('carol', 'api.yaml', undefined);
  assert.deepEqual(await deleted.messages(), []);
});

test('[I5] it is said after a restart too, unless it was mended meanwhile', async () => {
  const first = new Bench('bob');
  first.take('alice', 'common.yaml', WITHOUT_PET);
  first.take('bob', 'api.yaml', WITH_REFERENCE);
  const told = await first.messages();
  const broken = { 'common.yaml': WITHOUT_PET, 'api.yaml': WITH_REFERENCE };
  assert.deepEqual(await new Bench('bob', broken, first.remembered).messages(), told);
  const mended = new Bench('bob', { ...broken, 'common.yaml': COMMON }, first.remembered);
  assert.deepEqual([await mended.messages(), mended.remembered], [[], []]);
});

test('[I5] while no step touches a reference to a file, no text is looked into', async () => {
  const bench = new Bench('bob');
  bench.take('alice', 'api.yaml', `${API}x-owner: alice\n`);
  bench.take('bob', 'common.yaml', WITHOUT_PET);
  bench.take('alice', 'common.yaml', COMMON);
  bench.take('bob', 'api.yaml', `${API}x-owner: bob\n`);
  assert.deepEqual(await bench.messages(), []);
  assert.equal(bench.looks, 0);
});

test('[I8] what was told is looked at again once for all steps that come in at one time', async () => {
  const bench = new Bench('bob');
  bench.take('alice', 'common.yaml', WITHOUT_PET);
  bench.take('bob', 'api.yaml', WITH_REFERENCE);
  assert.equal((await bench.messages()).length, 1);
  const before = bench.looks;
  for (let n = 0; n < 100; n++) bench.take('carol', 'other.yaml', `a: ${String(n)}\n`);
  assert.equal((await bench.messages()).length, 1);
  const looks = bench.looks - before;
  assert.ok(looks > 0 && looks < 10, `${String(looks)} looks`);
});

test('[I10] of what others did only so much is kept', async () => {
  const bench = new Bench('bob');
  bench.take('alice', 'common.yaml', WITHOUT_PET);
  for (let n = 0; n < 600; n++) bench.take('carol', 'other.yaml', `a: ${String(n)}\n`);
  bench.take('bob', 'api.yaml', WITH_REFERENCE);
  assert.deepEqual(await bench.messages(), []);
  for (const isRemovalNewest of [false, true]) {
    const large = new Bench('bob');
    const steps = [
      () => large.take('carol', 'other.yaml', `a: ${'b'.repeat(9_000_000)}\n`),
      () => large.take('alice', 'common.yaml', WITHOUT_PET),
    ];
    for (const step of isRemovalNewest ? steps : steps.toReversed()) step();
    large.take('bob', 'api.yaml', WITH_REFERENCE);
    assert.equal((await large.messages()).length, isRemovalNewest ? 1 : 0);
  }
});
