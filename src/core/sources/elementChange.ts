/** One operation, component or other part of a spec that differs between two revisions, for a person. */
export interface ElementChange {
  readonly kind: 'added' | 'removed' | 'changed';
  /** JSON pointer of the element, in the revision that has it. */
  readonly pointer: string;
  /** `GET /pets`, `schema Pet`. */
  readonly label: string;
  /** For `changed`: what inside of it, at most a few: `summary`, `response 200`. */
  readonly details: readonly string[];
}

/** One change in a line: `changed GET /pets (summary)`. */
export function changeSentence({ kind, label, details: inside }: ElementChange): string {
  return `${kind} ${label}${inside.length === 0 ? '' : ` (${inside.join(', ')})`}`;
}
