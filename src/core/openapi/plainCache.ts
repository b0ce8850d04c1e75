import type { CutPlace } from './cutDocument.ts';
import { ownText } from './ownText.ts';
import type { PlainDocument, PlainPiece } from './plainNodes.ts';
import { UnchangedRuns } from './unchangedRuns.ts';

/** How a text was cut. */
export interface CutDocument {
  readonly root: CutPlace;
  /** How many places of the text only look like anchors; of YAML. */
  readonly anchorPlaces: number;
}

/** What reading a text gave, and how it was cut where it was. */
export interface ReadDocument {
  readonly document: PlainDocument;
  readonly cut?: CutDocument;
}

/** An earlier text, how it was cut, and what the text in question has in common with it. */
export interface EarlierDocument {
  readonly text: string;
  readonly cut: CutDocument;
  readonly runs: UnchangedRuns;
}

interface Remembered extends ReadDocument {
  readonly text: string;
  readonly format: string;
}

/** The three revisions of a merge, and its result. */
const MAX_DOCUMENTS = 4;
/** An earlier text that lacks no more of a text is near enough, and no other is compared. In UTF-16 units. */
const NEAR_LENGTH = 100_000;

/**
 * Remembers what was read: whole documents, the last few, and pieces by their text. The revisions of a merge share nearly
 * all of them, so that four texts cost little more than one; and the next revision of the same document costs only what
 * differs from this one. It saves time and decides nothing.
 */
export class PlainCache {
  readonly #maxLength: number;
  /** The one used last stands last. */
  #documents: Remembered[] = [];
  #pieces = new Map<string, PlainPiece>();
  /** The pieces before `#pieces` was full: what is asked for again moves over, the rest is forgotten with the next turn. */
  #older = new Map<string, PlainPiece>();
  #length = 0;
  #olderLength = 0;
  /** Which piece stood behind which one when they were last read: most texts are much like the one before. */
  readonly #next = new WeakMap<PlainPiece, PlainPiece>();
  #last: PlainPiece | undefined;

  /** @param maxLength how many characters of pieces are remembered at least; at most twice as many. */
  constructor(maxLength = Infinity) {
    this.#maxLength = maxLength;
  }

  /** How much is remembered, in UTF-16 units. */
  get length(): { readonly pieces: number; readonly texts: number } {
    const texts = this.#documents.reduce((sum, { text }) => sum + text.length, 0);
    return { pieces: this.#length + this.#olderLength, texts };
  }

  /** What this very text gave, if it was read lately. */
  document(text: string, format: string): PlainDocument | undefined {
    const index = this.#documents.findIndex(
      (one) => one.text.length === text.length && one.format === format && one.text === text,
    );
    const [known] = index < 0 ? [] : this.#documents.splice(index, 1);
    if (known !== undefined) this.#documents.push(known);
    return known?.document;
  }

  rememberDocument(text: string, format: string, read: ReadDocument): void {
    this.#documents.push({ ...read, text, format });
    if (this.#documents.length > MAX_DOCUMENTS) this.#documents.shift();
  }

  /** The remembered document that was cut and has most in common with this text. */
  closest(text: string, format: string): EarlierDocument | undefined {
    let best: EarlierDocument | undefined;
    for (const { text: earlier, format: itsFormat, cut } of this.#documents.toReversed()) {
      if (cut === undefined || itsFormat !== format) continue;
      const runs = new UnchangedRuns(earlier, text);
      if (best === undefined || runs.changedLength < best.runs.changedLength) best = { text: earlier, cut, runs };
      if (best.runs.changedLength <= NEAR_LENGTH) break;
    }
    return best;
  }

  piece(text: string, read: (text: string) => PlainPiece): PlainPiece {
    let piece = this.#pieces.get(text);
    if (piece !== undefined) return piece;
    piece = this.#older.get(text);
    if (piece === undefined) {
      // A piece outlives the text that it was cut from.
      const own = ownText(text);
      piece = read(own);
      this.#put(own, piece);
    } else {
      this.#put(piece.text, piece);
    }
    return piece;
  }

  /** Reading goes on behind this piece; undefined: at the beginning of a text. */
  continueBehind(piece: PlainPiece | undefined): void {
    this.#last = piece;
  }

  /** The piece that is expected at `start`, if the text has it there; whether it ends there the caller has to see. */
  expected(text: string, start: number): PlainPiece | undefined {
    const piece = this.#last === undefined ? undefined : this.#next.get(this.#last);
    return piece !== undefined && text.slice(start, start + piece.text.length) === piece.text ? piece : undefined;
  }

  /** This piece stands behind the one that was passed before it. */
  pass(piece: PlainPiece): void {
    if (this.#last !== undefined) this.#next.set(this.#last, piece);
    this.#last = piece;
  }

  #put(text: string, piece: PlainPiece): void {
    if (this.#length > 0 && this.#length + text.length > this.#maxLength) {
      this.#older = this.#pieces;
      this.#olderLength = this.#length;
      this.#pieces = new Map();
      this.#length = 0;
    }
    this.#pieces.set(text, piece);
    this.#length += text.length;
  }
}
