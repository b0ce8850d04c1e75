import type { Event } from '../event.ts';

/** Why a connection is over, as its own side sees it. */
export type CloseReason =
  /** This side closed it. */
  | 'closed'
  /** The other side went away, with or without a word. */
  | 'lost'
  /** What came was larger, faster or other than what the transport allows. */
  | 'refused'
  /** The other side does not read, and what waits for it outgrew its bound. */
  | 'congested';

/**
 * Carries texts between two peers that have proven to each other that they know the library's token. In order, each
 * once, until it closes. `onMessage` begins with the first listener: what comes before waits for it.
 */
export interface Connection {
  readonly onMessage: Event<string>;
  /** Fires once. */
  readonly onClose: Event<CloseReason>;
  readonly isClosed: boolean;
  /** Whether so much waits to be sent that announcements should wait too. */
  readonly isCongested: boolean;
  /** Does nothing on a closed connection: whoever waits for an answer hears of the close. */
  send(text: string): void;
  /** Lets what has been sent go out, then closes. */
  close(): void;
}
