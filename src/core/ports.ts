import type { RevisionHash } from './ids.ts';
import type { DocumentFormat, MergeInput, MergeOptions, MergeResult, Splice } from './merge/types.ts';
import type { Problem } from './problem.ts';

/** Whatever is held open and has to be let go of. Disposing twice is the same as once. */
export interface Disposable {
  dispose(): void;
}

/** Where time comes from. `wallNow` is shown to people only; `monotonicNow` decides. Both in milliseconds. */
export interface Clock {
  wallNow(): number;
  monotonicNow(): number;
}

/** Runs something later, once. Disposing before that cancels it. */
export interface Scheduler {
  after(delayMs: number, run: () => void): Disposable;
}

/** Where chance comes from. */
export interface Random {
  uuid(): string;
  /** At least 0, less than 1. */
  fraction(): number;
}

/** SHA-256 of a text that is already in revision form (LF, no BOM). */
export type HashText = (text: string) => RevisionHash;

/** Facts for a log line; never a token, a key or (above `debug`) a spec's content. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Work on whole texts, wherever it runs: small ones on the calling thread, large ones in a worker. */
export interface Merger extends Disposable {
  merge(input: MergeInput, format: DocumentFormat, options?: MergeOptions): Promise<MergeResult>;
  /** What keeps the text from being read as a document; without an error it is valid. */
  check(text: string, format: DocumentFormat): Promise<readonly Problem[]>;
  diff(before: string, after: string): Promise<readonly Splice[]>;
}

/** Everything deterministic code needs from outside. */
export interface Ambient {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly hashText: HashText;
  readonly logger: Logger;
}
