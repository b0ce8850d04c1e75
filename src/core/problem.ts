/** A stretch of a text in UTF-16 offsets; `end` is exclusive. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** What is wrong with an input: expected, coded, never thrown. */
export interface Problem {
  /** Stable and greppable, for example `yaml-syntax` or `doubled-key`. */
  readonly code: string;
  /** One plain sentence that a person who never read the code understands. */
  readonly message: string;
  readonly severity: 'error' | 'warning';
  /** Where in the text, if it has a place. */
  readonly range?: TextRange;
}

/** A value with what was found wrong on the way to it; `value` is undefined where nothing usable came out. */
export interface Checked<T> {
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}
