import type { PlainMap, PlainNode, PlainPiece } from './plainNodes.ts';
import type { UnchangedRuns } from './unchangedRuns.ts';

/** A mapping that was read in pieces. Offsets count from what holds them, so that it can stand anywhere in the next revision. */
export interface CutMapping {
  readonly node: PlainMap;
  /** In the order of the text. */
  readonly members: readonly CutMember[];
  /** Where its keys stand in their lines; of no meaning in JSON. */
  readonly column: number;
}

/** One key and its value. */
export interface CutMember {
  readonly key: string;
  readonly value: PlainNode;
  /** From the start of the mapping, up to behind the value. */
  readonly start: number;
  readonly end: number;
  readonly content: PlainPiece | CutInside;
}

/** A value that was cut in its turn. */
export interface CutInside {
  readonly mapping: CutMapping;
  /** Where the value begins, from the start of the member. */
  readonly start: number;
  /** What stands before it, where that belongs to no other piece. */
  readonly head: PlainPiece | undefined;
}

/** A mapping of the document that was read earlier, and where it began there. */
export interface CutPlace {
  readonly mapping: CutMapping;
  readonly start: number;
}

export function isCutInside(content: PlainPiece | CutInside): content is CutInside {
  return 'mapping' in content;
}

/** All pieces of a mapping, in the order of the text. */
export function piecesOf(mapping: CutMapping, pieces: PlainPiece[] = []): PlainPiece[] {
  for (const { content } of mapping.members) {
    if (!isCutInside(content)) {
      pieces.push(content);
      continue;
    }
    if (content.head !== undefined) pieces.push(content.head);
    piecesOf(content.mapping, pieces);
  }
  return pieces;
}

/** The last piece of a member: what stands behind it stands behind that. */
export function lastPiece({ content }: CutMember): PlainPiece | undefined {
  if (!isCutInside(content)) return content;
  const last = content.mapping.members.at(-1);
  return last === undefined ? content.head : lastPiece(last);
}

/**
 * The members that a mapping had in an earlier text, asked for down the later one. What reads a member looks at its own
 * characters only and at the one behind it; where these are the same, so is what is read, and it need not be read again.
 */
export class KnownMembers {
  readonly #place: CutPlace;
  readonly #runs: UnchangedRuns;
  #next = 0;

  constructor(place: CutPlace, runs: UnchangedRuns) {
    this.#place = place;
    this.#runs = runs;
  }

  get column(): number {
    return this.#place.mapping.column;
  }

  /** The member that began at this place of the earlier text. To be called with growing offsets. */
  startingAt(offset: number): CutMember | undefined {
    const old = this.#runs.oldOffset(offset);
    if (old === undefined) return undefined;
    const { members } = this.#place.mapping;
    const wanted = old - this.#place.start;
    while ((members[this.#next]?.start ?? Infinity) < wanted) this.#next++;
    const member = members[this.#next];
    return member?.start === wanted ? member : undefined;
  }

  /** Whether `member` stands at `offset` as it did, together with so many characters behind it. */
  isUnchanged(member: CutMember, offset: number, lookAhead: number): boolean {
    return this.#runs.isUnchanged(offset, offset + member.end - member.start + lookAhead);
  }

  /** Where the mapping inside the member of this key was, whatever became of it: only a hint where to look. */
  inside(key: string): CutPlace | undefined {
    const { mapping, start } = this.#place;
    const member =
      mapping.members[this.#next]?.key === key
        ? mapping.members[this.#next]
        : mapping.members.find((one) => one.key === key);
    if (member === undefined || !isCutInside(member.content)) return undefined;
    return { mapping: member.content.mapping, start: start + member.start + member.content.start };
  }
}
