import { CST, Lexer } from 'yaml';

/** What a stretch of a text is; each has a colour of its own. */
export type TokenKind = 'key' | 'string' | 'number' | 'keyword' | 'comment' | 'mark';

/** A stretch of a text, in UTF-16 offsets. What is between two of them is plain. */
export interface Token {
  readonly start: number;
  readonly end: number;
  readonly kind: TokenKind;
}

/** What is longer is shown without colours: nobody reads it here, and a panel must not wait for it. */
const MAX_LENGTH = 50_000;

/**
 * The parts of a piece of YAML or JSON (which is YAML to this), sorted and not overlapping, for a colour each. Asks the YAML
 * library's own lexer, which takes any text; a piece is no whole document, so what it says is a likeness and decides nothing.
 */
export function tokenize(text: string): readonly Token[] {
  if (text.length > MAX_LENGTH) return [];
  const tokens: Token[] = [];
  let offset = 0;
  /** The newest scalar, while a colon may still make a key of it. */
  let last: number | undefined;
  let isScalarNext = false;
  for (const lexeme of new Lexer().lex(text)) {
    // Marks that the lexer sets itself; they stand for nothing in the text.
    if (lexeme === CST.SCALAR) isScalarNext = true;
    if (lexeme === CST.DOCUMENT || lexeme === CST.SCALAR || lexeme === CST.FLOW_END) continue;
    const type = isScalarNext ? null : CST.tokenType(lexeme);
    isScalarNext = false;
    const [start, end] = [offset, offset + lexeme.length];
    offset = end;
    if (type === 'map-value-ind') {
      const scalar = last === undefined ? undefined : tokens[last];
      if (last !== undefined && scalar !== undefined) tokens[last] = { ...scalar, kind: 'key' };
      last = undefined;
      continue;
    }
    const kind = kindOf(type, lexeme);
    if (kind === undefined) {
      if (type !== 'space') last = undefined;
      continue;
    }
    const isScalar = type === null || type === 'single-quoted-scalar' || type === 'double-quoted-scalar';
    last = isScalar ? tokens.length : undefined;
    tokens.push({ start, end, kind });
  }
  return tokens;
}

function kindOf(type: CST.TokenType | null, lexeme: string): TokenKind | undefined {
  switch (type) {
    case 'comment':
      return 'comment';
    case 'single-quoted-scalar':
    case 'double-quoted-scalar':
      return 'string';
    case 'alias':
    case 'anchor':
    case 'tag':
    case 'block-scalar-header':
      return 'mark';
    case null:
      return plainKind(lexeme);
    default:
      return undefined;
  }
}

/** A scalar without quotes. JSON's comma stands with it where the piece is not in brackets. */
function plainKind(lexeme: string): TokenKind {
  const value = lexeme.trim().replace(/,$/, '');
  if (/^[-+]?(?:\d[\d_]*)?(?:\.?\d+)(?:[eE][-+]?\d+)?$/.test(value)) return 'number';
  return /^(?:true|false|null|~)$/i.test(value) ? 'keyword' : 'string';
}
