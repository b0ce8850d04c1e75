import { endOfString } from './jsonScan.ts';

/** A member of a JSON object: `"key": value`. Offsets of the text. */
export interface JsonMember {
  readonly start: number;
  readonly end: number;
  readonly key: string;
  readonly valueStart: number;
}

/**
 * Cuts the object that begins at `start` into its members. Undefined where the text is not what plain JSON has at that
 * place; the insides of the values are not looked at but for where they end.
 */
export function cutObject(
  text: string,
  start: number,
): { readonly members: readonly JsonMember[]; readonly end: number } | undefined {
  if (text.charCodeAt(start) !== 0x7b) return undefined;
  const members: JsonMember[] = [];
  let at = skipSpace(text, start + 1);
  if (text.charCodeAt(at) === 0x7d) return { members, end: at + 1 };
  for (;;) {
    if (text.charCodeAt(at) !== 0x22) return undefined;
    const keyEnd = endOfString(text, at);
    const colon = skipSpace(text, keyEnd);
    if (text.charCodeAt(colon) !== 0x3a) return undefined;
    const key = text.slice(at + 1, keyEnd - 1);
    // A key with escapes is rare enough to leave the whole to the library.
    if (key.includes('\\')) return undefined;
    const valueStart = skipSpace(text, colon + 1);
    const end = endOfValue(text, valueStart);
    if (end <= valueStart) return undefined;
    members.push({ start: at, end, key, valueStart });
    at = skipSpace(text, end);
    const code = text.charCodeAt(at);
    if (code === 0x7d) return { members, end: at + 1 };
    if (code !== 0x2c) return undefined;
    at = skipSpace(text, at + 1);
  }
}

function endOfValue(text: string, start: number): number {
  const code = text.charCodeAt(start);
  if (code === 0x22) return endOfString(text, start);
  if (code !== 0x7b && code !== 0x5b) {
    let i = start;
    while (i < text.length && !',}] \n\r\t'.includes(text.charAt(i))) i++;
    return i;
  }
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const next = text.charCodeAt(i);
    if (next === 0x22) i = endOfString(text, i) - 1;
    else if (next === 0x7b || next === 0x5b) depth++;
    else if ((next === 0x7d || next === 0x5d) && --depth === 0) return i + 1;
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
