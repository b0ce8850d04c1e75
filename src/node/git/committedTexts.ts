import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '../../core/ports.ts';
import { workingText } from '../../core/workingText.ts';
import type { GitCheckout } from './gitCheckout.ts';

const execute = promisify(execFile);
/** The largest document that is kept in step. */
const MAX_BLOB_BYTES = 64 * 1024 * 1024;

/** What git has committed: to tell a file that `stash`, `reset` or `checkout` set back from one that somebody edited. */
export class CommittedTexts {
  readonly #checkout: GitCheckout;
  readonly #logger: Logger;

  constructor(checkout: GitCheckout, logger: Logger) {
    this.#checkout = checkout;
    this.#logger = logger;
  }

  /** Another one whenever git has written its index or moved HEAD: only then can git have set a file back. */
  async stamp(): Promise<string> {
    const { gitDirectory } = this.#checkout;
    const stats = await Promise.all(
      ['index', 'HEAD'].map((name) => stat(join(gitDirectory, name)).catch(() => undefined)),
    );
    return stats.map((one) => `${one?.mtimeMs ?? 0}:${one?.ino ?? 0}`).join(' ');
  }

  /** Whether the file reads as HEAD has it, line ends and BOM apart. Runs no filter, hook or other program of the repository. */
  async isCommitted(file: string, text: string): Promise<boolean> {
    const path = relative(this.#checkout.root, file).split(sep).join('/');
    try {
      const options = {
        cwd: this.#checkout.root,
        maxBuffer: MAX_BLOB_BYTES,
        encoding: 'utf8' as const,
        windowsHide: true,
      };
      const { stdout } = await execute('git', ['cat-file', 'blob', `HEAD:${path}`], options);
      return workingText(stdout).text === text;
    } catch (error) {
      // No git on the PATH, no commit yet, or a file that is not in it: then git has nothing to set it back to.
      this.#logger.debug('Git does not give what it has committed.', { error: String(error) });
      return false;
    }
  }
}
