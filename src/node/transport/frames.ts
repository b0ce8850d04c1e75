import { MAX_MESSAGE_BYTES } from '../../core/replication/limits.ts';

/** Large messages go in pieces of this many bytes, so that no single frame holds up the rest or needs a large buffer. */
export const MAX_FRAME_BYTES = 256 * 1024;
/** The first byte of a frame. */
const LAST_FRAME = 1;
const MORE_FRAMES = 0;

/** Cuts a message into the frames in which it goes over a socket. */
export function* splitIntoFrames(text: string): Generator<Buffer> {
  const bytes = Buffer.from(text, 'utf8');
  const step = MAX_FRAME_BYTES - 1;
  let offset = 0;
  do {
    const piece = bytes.subarray(offset, offset + step);
    offset += step;
    yield Buffer.concat([Buffer.of(offset >= bytes.byteLength ? LAST_FRAME : MORE_FRAMES), piece]);
  } while (offset < bytes.byteLength);
}

/** Puts frames together again, up to a bound. Undefined from `add` means that more is to come. */
export class FrameJoiner {
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** Throws where the frame breaks the rules; the connection is then beyond repair. */
  add(frame: Buffer): string | undefined {
    const flag = frame[0];
    if (flag !== LAST_FRAME && flag !== MORE_FRAMES) throw new Error('A frame has an unknown kind.');
    const piece = frame.subarray(1);
    this.#bytes += piece.byteLength;
    if (this.#bytes > MAX_MESSAGE_BYTES) throw new Error('A message is too large.');
    // An endless row of empty frames would grow the list without ever growing the message.
    if (flag === MORE_FRAMES && piece.byteLength === 0) throw new Error('A frame is empty.');
    this.#pieces.push(piece);
    if (flag === MORE_FRAMES) return undefined;
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  }
}
