/** Nobody means more keys than these before having seen what became of the first. */
const MAX_KEYS = 20;

/**
 * What was pressed while an answer is awaited. It waits and is done in order, as if the person had waited: "Yours, Apply,
 * Yours, Apply" settles two conflicts, however quickly it is typed.
 */
export class KeysAhead {
  #waiting: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  wait(action: () => void): void {
    if (this.#waiting.length < MAX_KEYS) this.#waiting.push(action);
  }

  /**
   * The answer has come. @param isAsExpected whether what follows can count for what is shown now; else it is dropped.
   * @param isBusy whether another answer is awaited, for which the rest goes on waiting.
   */
  answered(isAsExpected: boolean, isBusy: () => boolean): void {
    if (!isAsExpected) this.#waiting = [];
    while (!isBusy()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }
}
