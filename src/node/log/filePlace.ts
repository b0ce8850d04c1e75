import { statSync } from 'node:fs';

/** Tells whether a file that is held open is still the one at its path: it may have been deleted, or put back from a backup. */
export class FilePlace {
  readonly #path: string;
  readonly #before: Identity | undefined;

  /** @param path of a file that is open by now. */
  constructor(path: string) {
    this.#path = path;
    this.#before = identityOf(path);
  }

  get isSame(): boolean {
    const now = identityOf(this.#path);
    if (now === undefined || this.#before === undefined) return now === this.#before;
    // Some network file systems give a file another number each time, others know no time of birth: never both.
    return now.number === this.#before.number || now.bornAt === this.#before.bornAt;
  }
}

interface Identity {
  readonly number: string;
  readonly bornAt: bigint;
}

function identityOf(path: string): Identity | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : { number: `${found.dev}:${found.ino}`, bornAt: found.birthtimeNs };
}
