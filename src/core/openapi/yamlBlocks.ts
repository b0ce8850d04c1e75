/** A piece of a YAML mapping that can be read by itself, because nothing in it depends on what stands around it. */
export interface YamlBlock {
  readonly start: number;
  readonly end: number;
}

/** A mapping cut at its keys; `head` is the line of the key that holds it, undefined for the root. */
export interface YamlBlocks {
  readonly column: number;
  readonly blocks: readonly YamlBlock[];
}

/** Blocks that an earlier text had cut, asked for with growing offsets. */
export interface KnownBlocks {
  readonly column: number;
  /** Where the block ends whose lines stand here as they did there; undefined where none is known to begin at `line`. */
  endOf(line: number): number | undefined;
}

/** A block shorter than this is not worth cutting. In UTF-16 units. */
const MIN_CUT_LENGTH = 2_000;

/**
 * Cuts the block mapping in [start, end) of a text at the lines that begin with one of its keys. Undefined where that
 * is not certain: then the text is read as a whole. What is cut wrongly cannot be read, and is noticed by that.
 */
export function cutMapping(text: string, start: number, end: number, known?: KnownBlocks): YamlBlocks | undefined {
  let column = -1;
  const blocks: YamlBlock[] = [];
  let blockStart = start;
  let hasKey = false;
  for (let line = start; line < end;) {
    const knownEnd = known !== undefined && (column < 0 || column === known.column) ? known.endOf(line) : undefined;
    if (known !== undefined && knownEnd !== undefined) {
      column = known.column;
      if (hasKey) {
        blocks.push({ start: blockStart, end: line });
        blockStart = line;
      }
      hasKey = true;
      line = knownEnd;
      continue;
    }
    const lineFeed = text.indexOf('\n', line);
    const next = lineFeed < 0 || lineFeed >= end ? end : lineFeed + 1;
    let at = line;
    while (at < next && text.charCodeAt(at) === 0x20) at++;
    const code = text.charCodeAt(at);
    const isContent = at < next && code !== 0x0a && code !== 0x23;
    if (isContent) {
      const indent = at - line;
      if (column < 0) column = indent;
      if (indent < column || code === 0x09) return undefined;
      if (indent === column && !isDash(text, at)) {
        // Keys that YAML writes in a special way, markers and directives: leave it to the whole.
        if ('?:%[]{}&*!|>@`,'.includes(text.charAt(at)) || text.startsWith('---', at) || text.startsWith('...', at))
          return undefined;
        if (hasKey) {
          blocks.push({ start: blockStart, end: line });
          blockStart = line;
        }
        hasKey = true;
      } else if (!hasKey) return undefined;
    }
    line = next;
  }
  if (!hasKey) return undefined;
  blocks.push({ start: blockStart, end });
  return { column, blocks };
}

/** Where the mapping begins that a block holds under a bare key on its first content line; undefined where it holds something else or is short. */
export function innerMapping(
  text: string,
  { start, end }: YamlBlock,
): { readonly key: string; readonly start: number } | undefined {
  if (end - start < MIN_CUT_LENGTH) return undefined;
  let line = start;
  for (;;) {
    const lineFeed = text.indexOf('\n', line);
    if (lineFeed < 0 || lineFeed >= end) return undefined;
    const content = text.slice(line, lineFeed);
    const trimmed = content.trim();
    if (trimmed !== '' && !trimmed.startsWith('#')) {
      const match = /^ *(?:([A-Za-z0-9_/$.][A-Za-z0-9_./{}$~-]*)|"([^"\\]+)"|'([^']+)') *:$/.exec(content.trimEnd());
      const key = match?.[1] ?? match?.[2] ?? match?.[3];
      if (key === undefined) return undefined;
      return startsMapping(text, lineFeed + 1, end, content.length - content.trimStart().length)
        ? { key, start: lineFeed + 1 }
        : undefined;
    }
    line = lineFeed + 1;
  }
}

function startsMapping(text: string, start: number, end: number, parentColumn: number): boolean {
  for (let line = start; line < end;) {
    const lineFeed = text.indexOf('\n', line);
    const next = lineFeed < 0 || lineFeed >= end ? end : lineFeed + 1;
    let at = line;
    while (at < next && text.charCodeAt(at) === 0x20) at++;
    const code = text.charCodeAt(at);
    if (at < next && code !== 0x0a && code !== 0x23)
      return at - line > parentColumn && !isDash(text, at) && text.slice(at, next).includes(':');
    line = next;
  }
  return false;
}

function isDash(text: string, at: number): boolean {
  const next = text.charCodeAt(at + 1);
  return text.charCodeAt(at) === 0x2d && (next === 0x20 || next === 0x0a || Number.isNaN(next));
}

/** Where an anchor can stand: where a value begins, not behind a word as in `R &D`. */
const ANCHOR_PLACE = /(?:^|[:?,[{-]|![^\s!]{0,100})[ \t]*&[\w-]/gm;
/** A line up to a place inside of its quoted value. */
const OPEN_QUOTE =
  /^[ \t]*(?:- +)*(?:(?:"[^"\\]*"|'[^']*'|[\w$./{}-]+)[ \t]*:[ \t]+)?(?:"(?:[^"\\]|\\.)*|'(?:[^']|'')*)$/;
/** So many places are looked at, in lines of at most so many characters; a text with more of them has anchors. */
export const MAX_ANCHOR_PLACES = 500;
const MAX_LINE_LENGTH = 2_000;

/**
 * How many places of a text look like an anchor and are none, because they stand inside a quoted value, as in
 * `"/search{&page}"`; undefined where one may be an anchor, which ties the parts of a text together, or where there are
 * too many. Each line is looked at by itself. If this misses one, a piece has an alias without an anchor, and the whole is read.
 */
export function countAnchorPlaces(text: string): number | undefined {
  let count = 0;
  for (const { 0: match, index } of text.matchAll(ANCHOR_PLACE)) {
    const at = index + match.lastIndexOf('&');
    const line = text.lastIndexOf('\n', at) + 1;
    if (++count > MAX_ANCHOR_PLACES || at - line > MAX_LINE_LENGTH || !OPEN_QUOTE.test(text.slice(line, at)))
      return undefined;
  }
  return count;
}
