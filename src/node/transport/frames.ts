import { crc32 } from 'node:zlib';
import { MAX_MESSAGE_BYTES } from '../../core/replication/limits.ts';

/** Large messages go in pieces of this many bytes, so that no single frame holds up the rest or needs a large buffer. */
export const MAX_FRAME_BYTES = 256 * 1024;
/** The first byte of a frame. */
const LAST_FRAME = 1;
const MORE_FRAMES = 0;
/** After it comes a checksum of the rest: whatever sits between two peers and garbles a byte must not change a document. */
const CHECKSUM_BYTES = 4;
const HEADER_BYTES = 1 + CHECKSUM_BYTES;

/** One frame with a piece of a message. */
export function encodeFrame(piece: Uint8Array, isLast: boolean): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(isLast ? LAST_FRAME : MORE_FRAMES);
  header.writeUInt32BE(crc32(piece), 1);
  return Buffer.concat([header, piece]);
}

/** Cuts a message into the frames in which it goes over a socket. */
export function* splitIntoFrames(text: string): Generator<Buffer> {
  const bytes = Buffer.from(text, 'utf8');
  const step = MAX_FRAME_BYTES - HEADER_BYTES;
  let offset = 0;
  do {
    const piece = bytes.subarray(offset, offset + step);
    offset += step;
    yield encodeFrame(piece, offset >= bytes.byteLength);
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
    if (frame.byteLength < HEADER_BYTES) throw new Error('A frame is too short.');
    const piece = frame.subarray(HEADER_BYTES);
    if (crc32(piece) !== frame.readUInt32BE(1)) throw new Error('A frame was garbled on the way.');
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
