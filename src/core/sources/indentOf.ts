const DEFAULT_INDENT = 2;
const MAX_INDENT = 8;
/** Further down nothing is indented for the first time. */
const MAX_LENGTH = 20_000;

/** How many spaces a document, block YAML or JSON, indents a level by: those of its first indented key. */
export function indentOf(text: string): number {
  const match = /^(?:["']?[\w$./-]+["']?:[ \t]*(?:#.*)?|\{[ \t]*)\n(?:[ \t]*(?:#.*)?\n)*( +)["'\w$./-]/m.exec(
    text.slice(0, MAX_LENGTH),
  );
  const indent = match?.[1]?.length ?? DEFAULT_INDENT;
  return indent > MAX_INDENT ? DEFAULT_INDENT : indent;
}
