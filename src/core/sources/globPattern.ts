/**
 * Makes the test of a glob on a path with `/`: `*` and `?` stay within a segment, `**` does not. Written as a regular
 * expression without nested repetition, so that no pattern takes long on any path.
 */
export function globPattern(glob: string): (path: string) => boolean {
  const body = glob
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      return part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  const pattern = new RegExp(`^${body}$`);
  return (path) => pattern.test(path);
}

/** Whether any of the globs fits. */
export function globPatterns(globs: readonly string[]): (path: string) => boolean {
  const tests = globs.map((glob) => globPattern(glob));
  return (path) => tests.some((test) => test(path));
}
