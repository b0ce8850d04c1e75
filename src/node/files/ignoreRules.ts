import { matchesGlob } from 'node:path';

/** Folders that hold other people's documents or git's own files, whatever the setting says. */
const ALWAYS_IGNORED = ['node_modules', '.git'];

/**
 * Makes the test "is this path (relative to the workspace folder, with `/`) never a document?" from the `ignore` setting's
 * globs. A glob without `/` matches a name at any depth, as in `.gitignore`.
 */
export function createIgnoreRules(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.map((glob) => (glob.includes('/') ? glob : `**/${glob}`));
  return (path) => {
    const names = path.split('/');
    if (names.some((name) => ALWAYS_IGNORED.includes(name))) return true;
    return patterns.some((pattern) => names.some((_, at) => matchesGlob(names.slice(0, at + 1).join('/'), pattern)));
  };
}
