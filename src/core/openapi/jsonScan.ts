/** What a quick pass over the characters of a JSON-like text finds, without building anything. */
export interface JsonScan {
  /** Deepest nesting of brackets. */
  readonly depth: number;
  /** Whether it has comments or a comma before a closing bracket, which plain JSON forbids. */
  readonly hasExtensions: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Linear, allocation-free; never throws whatever the text is. */
export function scanJson(text: string): JsonScan {
  let depth = 0;
  let deepest = 0;
  let hasExtensions = false;
  let afterComma = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) continue;
    if (code === QUOTE) i = endOfString(text, i) - 1;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) {
      depth--;
      hasExtensions ||= afterComma;
    } else if (code === 0x2f) {
      const next = text.charCodeAt(i + 1);
      if (next === 0x2f) {
        const end = text.indexOf('\n', i);
        i = end < 0 ? text.length : end;
      } else if (next === 0x2a) {
        const end = text.indexOf('*/', i + 2);
        i = end < 0 ? text.length : end + 1;
      }
      hasExtensions = true;
      continue;
    }
    afterComma = code === 0x2c;
  }
  return { depth: deepest, hasExtensions };
}

/** The offset behind the string that opens at `start`; the text's length where it is never closed. */
export function endOfString(text: string, start: number): number {
  let i = start + 1;
  for (;;) {
    const quote = text.indexOf('"', i);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH && quote - 1 - backslashes > start) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    i = quote + 1;
  }
}
