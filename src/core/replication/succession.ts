import { compareTerms } from '../ids.ts';
import type { LogIndex, PeerId, Term } from '../ids.ts';
import { MAX_HOSTS } from './limits.ts';

/**
 * What a host does, as it tells the others.
 * - `leading`: it orders the entries.
 * - `following`: it is connected to the leader. `relayed`: it is, through another host.
 * - `looking`: it has no leader. `unable`: nor can it lead (its disk refuses to write).
 */
export type HostRole = 'leading' | 'following' | 'relayed' | 'looking' | 'unable';

/** A host of the line of succession. */
export interface Successor {
  readonly hostId: PeerId;
  /** Where it can be reached. */
  readonly address: string;
}

/** What hosts tell each other with each heartbeat. */
export interface HostState extends Successor {
  readonly role: HostRole;
  /** The newest leadership that its log knows. */
  readonly term: Term;
  /** The highest term number that it has heard of anywhere. */
  readonly highestTerm: number;
  readonly index: LogIndex;
  /** As the leader has handed it out; empty before anybody led. */
  readonly line: readonly Successor[];
}

export type Decision =
  /** Go on as before: lead, or do without a leader for now. */
  | { readonly kind: 'wait' }
  /** Begin to lead in a term above this number; who leads already goes above it. */
  | { readonly kind: 'lead'; readonly above: number }
  /** Follow that host: the leader, or one that is connected to it. */
  | { readonly kind: 'follow'; readonly hostId: PeerId; readonly address: string; readonly isLeader: boolean };

export interface SuccessionOptions {
  readonly hostId: PeerId;
  /** How often hosts speak to each other, in milliseconds. */
  readonly heartbeatMs: number;
  /** Silence after which a host counts as gone, in milliseconds. */
  readonly timeoutMs: number;
}

interface Sighting {
  readonly state: HostState;
  readonly heardAt: number;
}

/** Nobody has lived through more leaderships than this without us; a larger number would only use the numbers up. */
const MAX_TERM_STEP = 1_000_000;

/**
 * Decides whom a host follows, or that it leads: the rules [ELE-08] to [ELE-13], without clock, network or disk. Every
 * host decides for itself from what it has heard; nobody votes. `now` is the host's own monotonic clock, in milliseconds.
 */
export class Succession {
  readonly #options: SuccessionOptions;
  readonly #sightings = new Map<PeerId, Sighting>();
  #line: readonly Successor[] = [];
  readonly #visitors = new Map<string, Successor>();
  #highestTerm = 0;
  #hasLookedAround = false;
  /** Since when this host leads although a higher term was heard of. */
  #disputedSince: number | undefined;
  #decidedAt: number | undefined;

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  /** Hosts that the leader has named or that have spoken to us, this one not among them. */
  get known(): readonly Successor[] {
    const found = new Map<string, Successor>();
    for (const { hostId, address } of [...this.#visitors.values(), ...this.#line])
      found.set(address, { hostId, address });
    for (const { state } of this.#sightings.values())
      found.set(state.address, { hostId: state.hostId, address: state.address });
    return [...found.values()].filter(({ hostId }) => hostId !== this.#options.hostId);
  }

  /** The line of succession: made by the leader of those that follow it, and kept by everybody else. */
  line(own: Pick<HostState, 'hostId' | 'address' | 'role'>, now: number): readonly Successor[] {
    if (own.role !== 'leading') return this.#line;
    return [own, ...this.#fresh(now)].map(({ hostId, address }) => ({ hostId, address })).slice(0, MAX_HOSTS);
  }

  /** A host that has reached us has said how it stands. Whether we reach it too is another question ([ELE-10]). */
  noteVisit(state: HostState): void {
    if (state.hostId === this.#options.hostId) return;
    this.#forgetOthersAt(state);
    const { hostId, address } = state;
    if (this.#visitors.size < MAX_HOSTS) this.#visitors.set(address, { hostId, address });
    this.#noteTerms(state);
  }

  /** A host that we have reached has said how it stands. */
  note(state: HostState, now: number): void {
    if (state.hostId === this.#options.hostId) return;
    this.#forgetOthersAt(state);
    this.#noteTerms(state);
    const oldest = this.#sightings.size < MAX_HOSTS ? undefined : this.#sightings.keys().next().value;
    if (oldest !== undefined) this.#sightings.delete(oldest);
    this.#sightings.delete(state.hostId);
    this.#sightings.set(state.hostId, { state, heardAt: now });
    if (state.role === 'leading') this.#line = state.line;
  }

  /** A host has said goodbye: nobody needs to wait for it. */
  forget(hostId: PeerId): void {
    this.#sightings.delete(hostId);
  }

  /** Every host that was named has answered or cannot be reached: only now it means something that no leader is in sight. */
  noteLookedAround(): void {
    this.#hasLookedAround = true;
  }

  /** The highest term number that anybody has told of. */
  highestTerm(own: Pick<HostState, 'term'>): number {
    return Math.max(own.term.number, this.#highestTerm);
  }

  /** A leadership with this number was heard of; one that cannot be meant is not believed. */
  noteTerm(number: number): void {
    if (number > this.#highestTerm && number <= this.#highestTerm + MAX_TERM_STEP) this.#highestTerm = number;
  }

  decide(own: HostState, now: number): Decision {
    this.#notePause(now);
    const fresh = this.#fresh(now);
    const leader = findLeader(own, fresh);
    if (leader !== undefined) {
      this.#hasLookedAround = true;
      this.#disputedSince = undefined;
      const { hostId, address, role } = leader;
      return { kind: 'follow', hostId, address, isLeader: role === 'leading' };
    }
    const highest = this.highestTerm(own);
    if (own.role === 'leading' && !this.#isDisputed(own.term.number < highest, now)) return { kind: 'wait' };
    if (own.role === 'unable' || !this.#hasLookedAround) return { kind: 'wait' };
    const isNext = fresh.every((other) => !isContender(other, own) || compareHosts(other, own) < 0);
    return isNext ? { kind: 'lead', above: highest } : { kind: 'wait' };
  }

  #noteTerms({ term, highestTerm }: HostState): void {
    this.noteTerm(Math.max(term.number, highestTerm));
  }

  /** The same place and another process: whoever was there before is gone. */
  #forgetOthersAt({ hostId, address }: HostState): void {
    for (const [other, { state }] of this.#sightings)
      if (state.address === address && other !== hostId) this.#sightings.delete(other);
  }

  /** Whoever leads in a higher term gets the time to be reached; two leaders that outbid each other would never end. */
  #isDisputed(isTermHigher: boolean, now: number): boolean {
    if (!isTermHigher) {
      this.#disputedSince = undefined;
      return false;
    }
    this.#disputedSince ??= now;
    return now - this.#disputedSince >= this.#options.timeoutMs;
  }

  /** Who slept itself (a suspended laptop) finds everybody silent: what they said has yet to be read. */
  #notePause(now: number): void {
    const before = this.#decidedAt ?? now;
    this.#decidedAt = now;
    if (now - before <= 2 * this.#options.heartbeatMs) return;
    for (const [hostId, { state }] of this.#sightings) this.#sightings.set(hostId, { state, heardAt: now });
  }

  #fresh(now: number): readonly HostState[] {
    return [...this.#sightings.values()]
      .filter(({ heardAt }) => now - heardAt <= this.#options.timeoutMs)
      .map(({ state }) => state);
  }
}

/** The leader of the newest term that may be followed from here, or a host that is connected to it. */
function findLeader(own: HostState, fresh: readonly HostState[]): HostState | undefined {
  const isNewEnough = ({ term }: HostState): boolean =>
    own.role === 'leading' ? compareTerms(term, own.term) > 0 : compareTerms(term, own.term) >= 0;
  const found = fresh.filter((host) => (host.role === 'leading' || host.role === 'following') && isNewEnough(host));
  return found.toSorted(
    (a, b) =>
      compareTerms(b.term, a.term) ||
      Number(b.role === 'leading') - Number(a.role === 'leading') ||
      (a.hostId < b.hostId ? -1 : 1),
  )[0];
}

/** Whether the other may take over before us. One that has a leader by way of somebody else waits for nobody; but it keeps a leader from going above it. */
function isContender(other: HostState, own: HostState): boolean {
  if (other.role === 'unable') return false;
  return other.role !== 'relayed' || own.role === 'leading';
}

/** Negative where `a` knows less than `b`, and so comes after it in the succession. */
function compareHosts(a: HostState, b: HostState): number {
  return compareTerms(a.term, b.term) || a.index - b.index || (a.hostId < b.hostId ? -1 : 1);
}
