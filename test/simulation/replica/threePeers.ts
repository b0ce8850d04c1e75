import type { MergeOptions } from '../../../src/core/merge/types.ts';
import { SeededRandom } from '../seededRandom.ts';
import { SimulatedPeer, type Machine } from './simulatedPeer.ts';
import { SimulatedDisk } from '../simulatedDisk.ts';
import { SimulatedNetwork } from '../simulatedNetwork.ts';
import { VirtualTime } from '../virtualTime.ts';

const PATH = 'openapi.yaml';
/** Two edits within so long have not seen each other. */
const TOGETHER_MS = 40;
/** In virtual time; nothing fails here, so that a few seconds are plenty. */
const MAX_SETTLE_MS = 120_000;
const STEP_MS = 200;

type InfoVersion = NonNullable<MergeOptions['infoVersion']>;

export interface Save {
  readonly text: string;
  /** Which of the three peers saves it. */
  readonly by: number;
}

export interface Settled {
  readonly isInStep: boolean;
  readonly text: string;
  /** Kind and pointer of everything held by any of them. */
  readonly conflicts: readonly string[];
  /** What was not in step. */
  readonly why: string;
}

/** Three peers of one library with one document, on a simulated machine on which nothing goes wrong. */
export class ThreePeers {
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #peers: readonly SimulatedPeer[];
  readonly #failures: string[] = [];

  private constructor(text: string, seed: number, infoVersion: InfoVersion) {
    const time = new VirtualTime();
    const random = new SeededRandom(seed + 1);
    const machine: Machine = {
      time,
      random,
      infoVersion,
      network: new SimulatedNetwork(),
      disk: new SimulatedDisk(),
      shouldCrash: () => false,
      mergeMs: () => random.between(0, 2),
      hasForgotten: () => false,
      onMoved: () => undefined,
      onWritten: () => undefined,
      onDied: () => undefined,
      note: () => undefined,
      fail: (what) => this.#failures.push(what),
    };
    this.#time = time;
    this.#random = random;
    this.#peers = ['alice', 'bob', 'carol'].map((name) => new SimulatedPeer(name, machine));
    for (const peer of this.#peers) peer.folder.put(PATH, text);
  }

  /** All three begin with the same text. */
  static async start(text: string, seed: number, infoVersion: InfoVersion = 'ask'): Promise<ThreePeers> {
    const peers = new ThreePeers(text, seed, infoVersion);
    for (const peer of peers.#peers) peer.start();
    const { isInStep, why } = await peers.#settle();
    if (!isInStep) throw new Error(`the peers do not come into step: ${why}`);
    return peers;
  }

  /** The text that all have; undefined where they differ. */
  get text(): string | undefined {
    const [first, ...rest] = this.#peers.map(({ folder }) => folder.text(PATH));
    return rest.every((text) => text === first) ? first : undefined;
  }

  /** Two peers type in the same text and save within a moment; what all three have in the end. */
  async editTogether(first: Save, second: Save): Promise<Settled> {
    for (const { text, by } of [first, second]) this.#peers[by]?.folder.setBuffer(PATH, text);
    this.#save(first);
    this.#time.after(this.#random.between(0, TOGETHER_MS), undefined, () => {
      this.#save(second);
    });
    return this.#settle();
  }

  /** One peer saves; whether all have it then. */
  async edit(save: Save): Promise<boolean> {
    this.#save(save);
    const { isInStep, text } = await this.#settle();
    return isInStep && text === save.text;
  }

  #save({ text, by }: Save): void {
    const folder = this.#peers[by]?.folder;
    folder?.setBuffer(PATH, undefined);
    folder?.save(PATH, text, 'byHand');
  }

  async #settle(): Promise<Settled> {
    const end = this.#time.now + MAX_SETTLE_MS;
    let why = this.#outOfStep();
    while (why !== undefined && this.#time.now < end && this.#conflicts().length === 0) {
      const until = this.#time.now + STEP_MS;
      while (await this.#time.step(until));
      why = this.#outOfStep();
    }
    return {
      isInStep: why === undefined,
      text: this.#peers[0]?.folder.text(PATH) ?? '',
      conflicts: this.#conflicts(),
      why: why ?? '',
    };
  }

  #conflicts(): string[] {
    return this.#peers.flatMap(({ replica }) =>
      (replica?.conflicts ?? []).map(({ conflict }) => `${conflict.kind} ${conflict.pointer}`),
    );
  }

  #outOfStep(): string | undefined {
    const { text } = this;
    const [failure] = this.#failures;
    if (failure !== undefined) return failure;
    for (const { name, replica, store, folder } of this.#peers) {
      if (folder.buffers.size > 0) return `${name} has not saved`;
      const status = replica?.documents.find(({ path }) => path === PATH);
      if (status?.state !== 'inStep') return `${name} is ${status?.state ?? 'not there'}`;
      const stored = store.documents.get(status.docId);
      if (store.outbox.size > 0 || stored?.shadow?.text !== text) return `${name} is not done`;
    }
    return text === undefined ? 'the files differ' : undefined;
  }
}
