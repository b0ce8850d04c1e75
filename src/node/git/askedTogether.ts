interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly answer: PromiseWithResolvers<Answer>;
}

/**
 * Questions that many ask at once, each for itself, and that are cheaper to answer together. Those that come while some
 * are being answered wait for these, and are asked together after them: nobody gets an answer from before the question.
 */
export class AskedTogether<Question, Answer> {
  readonly #askAll: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  #waiting: Waiting<Question, Answer>[] = [];
  #isAsking = false;

  /** @param askAll answers them in their order. Where it rejects, all who asked hear of it. */
  constructor(askAll: (questions: readonly Question[]) => Promise<readonly Answer[]>) {
    this.#askAll = askAll;
  }

  ask(question: Question): Promise<Answer> {
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.push({ question, answer });
    if (!this.#isAsking) void this.#answerWaiting();
    return answer.promise;
  }

  /** Fails never: whoever has asked hears of a failure. */
  async #answerWaiting(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.length > 0) {
      const together = this.#waiting;
      this.#waiting = [];
      try {
        const answers = await this.#askAll(together.map(({ question }) => question));
        for (const [at, { answer }] of together.entries()) {
          // As many answers as questions.
          answer.resolve(answers[at] as Answer);
        }
      } catch (error) {
        for (const { answer } of together) answer.reject(error);
      }
    }
    this.#isAsking = false;
  }
}
