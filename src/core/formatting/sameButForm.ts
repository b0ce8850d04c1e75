import { visit } from 'jsonc-parser';
import { Lexer } from 'yaml';
import type { DocumentFormat } from '../merge/types.ts';
import { type PlainCache, type PlainNode, readPlainDocument } from '../openapi/plainDocument.ts';

/** The `yaml` lexer announces each scalar's text by this token. */
const SCALAR_MARK = '\u001f';

/**
 * Whether two texts say the same and are only laid out differently: the same data in the same order with the same
 * comments in the same order, in other quotes, indents, line breaks or styles. `false` where one of them cannot be read.
 */
export function sameButForm(a: string, b: string, format: DocumentFormat, cache?: PlainCache): boolean {
  const [one, other] = [readPlainDocument(a, format, cache), readPlainDocument(b, format, cache)];
  if (one.problems.length > 0 || other.problems.length > 0) return false;
  if (one.root === undefined || other.root === undefined || !isSame(one.root, other.root)) return false;
  const [comments, others] = [commentsOf(a, format), commentsOf(b, format)];
  return comments.length === others.length && comments.every((comment, at) => comment === others[at]);
}

/** Like `samePlain`, but the order of keys counts: changing it is no matter of form. */
function isSame(a: PlainNode, b: PlainNode): boolean {
  if (a === b) return true;
  if (a.anchor !== b.anchor || a.tag !== b.tag) return false;
  if (a.kind === 'map') {
    if (b.kind !== 'map' || a.entries.size !== b.entries.size) return false;
    const others = b.entries.entries();
    for (const [key, value] of a.entries) {
      const [otherKey, other] = others.next().value ?? [];
      if (key !== otherKey || other === undefined || !isSame(value, other)) return false;
    }
    return true;
  }
  if (a.kind === 'sequence') {
    if (b.kind !== 'sequence' || a.items.length !== b.items.length) return false;
    const { items } = b;
    return a.items.every((item, at) => {
      const other = items[at];
      return other !== undefined && isSame(item, other);
    });
  }
  if (a.kind === 'scalar') return b.kind === 'scalar' && a.isString === b.isString && a.text === b.text;
  return b.kind === 'alias' && a.name === b.name && a.definition === b.definition;
}

function commentsOf(text: string, format: DocumentFormat): string[] {
  return format === 'yaml' ? yamlComments(text) : jsonComments(text);
}

function yamlComments(text: string): string[] {
  const comments: string[] = [];
  let isScalar = false;
  if (!text.includes('#')) return comments;
  for (const token of new Lexer().lex(text)) {
    if (!isScalar && token.startsWith('#')) comments.push(token.trimEnd());
    isScalar = token === SCALAR_MARK;
  }
  return comments;
}

function jsonComments(text: string): string[] {
  const comments: string[] = [];
  if (!text.includes('//') && !text.includes('/*')) return comments;
  visit(text, {
    onComment: (offset, length) => {
      comments.push(
        text
          .slice(offset, offset + length)
          .replaceAll(/\s+/g, ' ')
          .trim(),
      );
    },
  });
  return comments;
}
