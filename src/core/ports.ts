import type { AdviceContext, adviceContext } from './advice/adviceContext.ts';
import type { CheckedResolutions, checkResolutions } from './advice/checkResolutions.ts';
import type { RevisionHash } from './ids.ts';
import type { DocumentFormat, MergeInput, MergeOptions, MergeResult, Splice } from './merge/types.ts';
import type { Problem } from './problem.ts';
import type { UserProblem } from './workingFiles.ts';

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
  /** What resolutions would make of the working file, with what was checked about it. */
  checkResolutions(...args: Parameters<typeof checkResolutions>): Promise<CheckedResolutions>;
  /** What stands around conflicts, for somebody who is asked about them. */
  adviceContext(...args: Parameters<typeof adviceContext>): Promise<AdviceContext>;
  diff(before: string, after: string): Promise<readonly Splice[]>;
  /** See `sameButForm`. */
  sameButForm(a: string, b: string, format: DocumentFormat): Promise<boolean>;
  /** See `fileReferences`. */
  fileReferences(text: string, format: DocumentFormat): Promise<readonly string[]>;
  /** See `hasFragments`. */
  hasFragments(text: string, format: DocumentFormat, fragments: readonly string[]): Promise<readonly boolean[]>;
}

/** One turn of a conversation with a model. */
export interface AdviceMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly text: string;
}

/** What is going on while an answer is awaited, for the person who waits. */
export type AdviceProgress =
  | { readonly kind: 'receiving'; readonly characters: number }
  /** The provider asked to wait, or did not answer well; it is asked again after this time. */
  | { readonly kind: 'waiting'; readonly seconds: number };

export type AdviceReply =
  /** Whatever the model wrote; nothing of it has been looked at. */
  | { readonly kind: 'text'; readonly text: string }
  /** The model, or its provider's filter, does not want to answer. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'problem'; readonly problem: UserProblem }
  | { readonly kind: 'cancelled' };

/** Somebody who can be asked about conflicts: a model behind an address, or one that the editor has (DESIGN §9). */
export interface ConflictAdvisor {
  /** As a person knows it: `gpt-5-mini at api.openai.com`. */
  readonly name: string;
  /** One question, one answer of bounded length; never rejects. @param schema the JSON schema of the answer, where the provider takes one. */
  ask(
    messages: readonly AdviceMessage[],
    schema: Readonly<Record<string, unknown>>,
    options: { readonly signal: AbortSignal; readonly onProgress: (progress: AdviceProgress) => void },
  ): Promise<AdviceReply>;
}

/** Everything deterministic code needs from outside. */
export interface Ambient {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly hashText: HashText;
  readonly logger: Logger;
}
