import { join } from 'node:path';
import { workingText } from '../../core/workingText.ts';
import type { GitCommand } from './gitCommand.ts';

/** What the next commit will hold, or the one that was just made does. */
export interface PreparedCommit {
  /** The commit that it comes after. */
  readonly after: string;
  /** It is made already: it was quicker than we were. */
  readonly isMade: boolean;
  /** Absolute paths of the files that it changes. */
  readonly files: readonly PreparedFile[];
}

export interface PreparedFile {
  readonly file: string;
  /** As a revision. */
  read(): Promise<string | undefined>;
}

/** Follows what a person puts into the next commit: git has no hook that a program may have without writing into the repository. */
export class PreparedCommits {
  readonly #git: GitCommand;
  #head: string | undefined;
  #index = '';

  constructor(git: GitCommand) {
    this.#git = git;
  }

  /** To be asked whenever git has written its index or moved HEAD. Undefined where nothing new is being committed. */
  async look(): Promise<PreparedCommit | undefined> {
    const before = this.#head;
    const head = await this.#git.line(['rev-parse', '--quiet', '--verify', 'HEAD^{commit}']);
    this.#head = head;
    const isMade = before !== undefined && before !== head;
    // A pull, a checkout or a reset moves HEAD too, and brings what was committed elsewhere.
    if (isMade && !(await this.#isNewCommit())) return undefined;
    const after = isMade ? before : head;
    if (after === undefined) return undefined;
    const args = ['diff-index', '--cached', '-z', '--raw', '--no-renames', '--no-abbrev', after];
    const { code, stdout } = await this.#git.run(args);
    // The index is written again all the time, with the same in it.
    if (code !== 0 || stdout === this.#index) return undefined;
    this.#index = stdout;
    const files = this.#files(stdout.split('\0'));
    return files.length === 0 ? undefined : { after, isMade, files };
  }

  /** What was found in the index was not the person's; they may put the same there. */
  forgetIndex(): void {
    this.#index = '';
  }

  async #isNewCommit(): Promise<boolean> {
    const what = await this.#git.line(['reflog', '--max-count=1', '--format=%gs', 'HEAD']);
    return what?.startsWith('commit') === true;
  }

  #files(parts: readonly string[]): readonly PreparedFile[] {
    const files: PreparedFile[] = [];
    for (let at = 0; at + 1 < parts.length; at += 2) {
      // :oldMode newMode oldName newName status
      const name = (parts[at] ?? '').split(' ')[3];
      const path = parts[at + 1];
      if (name === undefined || path === undefined || /^0+$/.test(name)) continue;
      const read = async (): Promise<string | undefined> => {
        const { code, stdout } = await this.#git.run(['cat-file', 'blob', name]);
        return code === 0 ? workingText(stdout).text : undefined;
      };
      files.push({ file: join(this.#git.root, ...path.split('/')), read });
    }
    return files;
  }
}
