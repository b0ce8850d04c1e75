import { element } from './dom.ts';
import { tokenize, type Token } from './syntax.ts';
import type { Segment } from './wordDiff.ts';

/** A stretch of one line that looks the same throughout. */
interface Run {
  readonly text: string;
  readonly isChanged: boolean;
  readonly kind: Token['kind'] | undefined;
}

/** A text as code: lightly coloured, with what differs marked. A line that wraps goes on below its own beginning. */
export function codeBlock(segments: readonly Segment[]): HTMLElement {
  const lines = splitLines(toRuns(segments));
  return element('pre', {}, element('code', {}, ...lines.map((line, at) => lineOf(line, at === lines.length - 1))));
}

function lineOf(runs: readonly Run[], isLast: boolean): HTMLElement {
  const text = runs.map((run) => run.text).join('');
  // With its end of line, so that what is copied from here has it.
  const line = element('span', { class: 'line' }, ...runs.map(toNode), isLast ? undefined : '\n');
  // By script, as the page's policy allows no style in markup.
  line.style.setProperty('--indent', String(/^(?: |- )*/.exec(text)?.[0].length ?? 0));
  return line;
}

function toNode({ text, isChanged, kind }: Run): Node {
  const content = kind === undefined ? document.createTextNode(text) : element('span', { class: `code-${kind}` }, text);
  return isChanged ? element('mark', {}, content) : content;
}

/** Cuts where either the colour or the mark changes. */
function toRuns(segments: readonly Segment[]): Run[] {
  const tokens = tokenize(segments.map(({ text }) => text).join(''));
  const runs: Run[] = [];
  let offset = 0;
  let next = 0;
  for (const { text, isChanged } of segments) {
    const end = offset + text.length;
    let at = offset;
    while (at < end) {
      while ((tokens[next]?.end ?? Infinity) <= at) next++;
      const token = tokens[next];
      const isInside = token !== undefined && token.start <= at;
      const until = Math.min(end, (isInside ? token.end : token?.start) ?? end);
      runs.push({ text: text.slice(at - offset, until - offset), isChanged, kind: isInside ? token.kind : undefined });
      at = until;
    }
    offset = end;
  }
  return runs;
}

function splitLines(runs: readonly Run[]): readonly (readonly Run[])[] {
  const lines: Run[][] = [[]];
  for (const run of runs) {
    run.text.split('\n').forEach((text, at) => {
      if (at > 0) lines.push([]);
      if (text !== '') lines.at(-1)?.push({ ...run, text });
    });
  }
  return lines;
}
