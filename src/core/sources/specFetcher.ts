import type { UserProblem } from '../workingFiles.ts';

export interface SpecRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As the server gave them with the text that is known already. */
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly acceptSelfSigned: boolean;
  /** Follows redirects on the same origin only: for those who look around and were asked for nothing else. */
  readonly staysOnOrigin?: boolean;
}

export type SpecAnswer =
  /** As it was when the validators were given. */
  | { readonly kind: 'notModified' }
  | {
      readonly kind: 'text';
      readonly text: string;
      readonly contentType: string;
      readonly etag: string | undefined;
      readonly lastModified: string | undefined;
    }
  | {
      readonly kind: 'failed';
      readonly problem: UserProblem;
      /** Whether asking again later may help. */
      readonly canRetry: boolean;
      /** Whether nobody answered at all. */
      readonly isServerDown: boolean;
    };

/** Asks a URL for a text. Never rejects but when it is aborted. */
export type SpecFetcher = (request: SpecRequest, signal: AbortSignal) => Promise<SpecAnswer>;
