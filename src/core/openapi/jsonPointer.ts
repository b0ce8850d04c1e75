/** RFC 6901: the pointer of a path of keys and indices; '' is the whole document. */
export function formatPointer(segments: readonly (string | number)[]): string {
  return segments.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The keys and indices of a pointer, all as text. A pointer that does not begin with `/` has none. */
export function parsePointer(pointer: string): string[] {
  if (!pointer.startsWith('/')) return [];
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Where a reference inside the document, `#/…`, leads to. A pointer in a URI fragment is percent-encoded (RFC 6901, 6). */
export function referencePath(reference: string): string[] {
  return parsePointer(decode(reference.slice(1)));
}

function decode(fragment: string): string {
  if (!fragment.includes('%')) return fragment;
  try {
    return decodeURIComponent(fragment);
  } catch {
    // Not valid percent-encoding: then it is meant as it stands.
    return fragment;
  }
}
