/** "1 conflict", "2 conflicts", "1,000 conflicts". */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? singular : plural}`;
}

/** "alice", "alice and bob", "alice, bob and 3 others". */
export function listNames(names: readonly string[], max = 3): string {
  const unique = [...new Set(names)];
  if (unique.length === 0) return '';
  if (unique.length > max) {
    return `${unique.slice(0, max - 1).join(', ')} and ${count(unique.length - max + 1, 'other')}`;
  }
  const last = unique.at(-1) ?? '';
  return unique.length === 1 ? last : `${unique.slice(0, -1).join(', ')} and ${last}`;
}

/** The last part of a path, as people name a file or folder. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== '') ?? path;
}
