import { endOfString } from './jsonScan.ts';
import { ownText } from './ownText.ts';

/** A key of a JSON object and where its value begins. Undefined where the text is not what plain JSON has at that place. */
export function readKey(
  text: string,
  start: number,
): { readonly key: string; readonly valueStart: number } | undefined {
  if (text.charCodeAt(start) !== 0x22) return undefined;
  const keyEnd = endOfString(text, start);
  const colon = skipSpace(text, keyEnd);
  if (text.charCodeAt(colon) !== 0x3a) return undefined;
  const key = text.slice(start + 1, keyEnd - 1);
  // A key with escapes, or with what needs them, is rare enough to leave the whole to the library.
  if (!isPlainKey(key)) return undefined;
  // The member outlives this text: the next revision takes it over.
  return { key: ownText(key), valueStart: skipSpace(text, colon + 1) };
}

function isPlainKey(key: string): boolean {
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    if (code < 0x20 || code === 0x5c) return false;
  }
  return true;
}

/**
 * Behind the value that begins at `start`; -1 where it has no end or is nested deeper than `maxDepth`. What is inside
 * is not looked at but for where it ends.
 */
export function readValueEnd(text: string, start: number, maxDepth: number): number {
  const code = text.charCodeAt(start);
  if (code === 0x22) return endOfString(text, start);
  if (code === 0x7b || code === 0x5b) return endOfBrackets(text, start, text.length, maxDepth);
  let i = start;
  while (i < text.length && !',}] \n\r\t'.includes(text.charAt(i))) i++;
  return i;
}

/** Behind the object that begins at `start`, if it is shorter than `length` and not nested deeper than `maxDepth`. */
export function endOfShortObject(text: string, start: number, length: number, maxDepth: number): number | undefined {
  const end = endOfBrackets(text, start, Math.min(text.length, start + length), maxDepth);
  return end < 0 ? undefined : end;
}

function endOfBrackets(text: string, start: number, limit: number, maxDepth: number): number {
  let depth = 0;
  for (let i = start; i < limit; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) i = endOfString(text, i) - 1;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > maxDepth) return -1;
    } else if ((code === 0x7d || code === 0x5d) && --depth === 0) return i + 1;
  }
  return -1;
}

export function skipSpace(text: string, start: number): number {
  let i = start;
  for (;;) {
    const code = text.charCodeAt(i);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return i;
    i++;
  }
}
