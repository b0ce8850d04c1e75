import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';
import type { DocId } from '../../../src/core/ids.ts';
import type { Logger } from '../../../src/core/ports.ts';
import type { DocumentState } from '../../../src/peer/folderSession.ts';
import { FakeSession } from './fakeSession.ts';

const quiet = (): void => undefined;
const logger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: (what) => assert.fail(what) };
/** The questions on the screen: nothing but an answer takes one away. */
const questions: { readonly sentence: string; readonly answer: (label: string | undefined) => void }[] = [];
const vscode = {
  window: {
    showWarningMessage: (sentence: string) =>
      new Promise<string | undefined>((resolve) => questions.push({ sentence, answer: resolve })),
  },
};
Object.assign(globalThis, { vscodeOfTest: vscode });
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'vscode'
      ? { url: 'data:text/javascript,export const { window } = globalThis.vscodeOfTest;', shortCircuit: true }
      : next(specifier, context),
});
const { behindQuestion, FileQuestion } = await import('../../../src/extension/fileQuestion.ts');

test('[BRA-01] a question that has settled itself keeps no other from being asked, and its late answer says that nothing was done', async () => {
  const session = new FakeSession('/workspace');
  const answers: string[] = [];
  const question = new FileQuestion(
    behindQuestion,
    {
      showProblem: quiet,
      answer: (sentence) => answers.push(sentence),
      report: ({ isDone }) => isDone,
    },
    logger,
  );
  const show = (states: Readonly<Record<string, DocumentState>>): void => {
    session.setStatus({
      documents: Object.entries(states).map(([path, state]) => ({
        docId: path as DocId,
        file: `/workspace/${path}`,
        path,
        state,
        conflictCount: 0,
        waitingFor: [],
      })),
    });
    question.update([{ session, status: session.status }]);
  };
  show({ 'a.yaml': 'behind', 'b.yaml': 'inStep' });
  show({ 'a.yaml': 'behind', 'b.yaml': 'behind' });
  assert.equal(questions.length, 1, 'one at a time');
  show({ 'a.yaml': 'inStep', 'b.yaml': 'behind' });
  assert.match(questions.at(-1)?.sentence ?? '', /^b.yaml was set back/);
  assert.equal(questions.length, 2);
  questions[0]?.answer('Bring Back');
  await new Promise(setImmediate);
  assert.deepEqual(answers, ['a.yaml was settled in the meantime: nothing was done.']);
  assert.deepEqual(session.calls, []);
  questions[1]?.answer('Keep Mine');
  await new Promise(setImmediate);
  assert.deepEqual(session.calls, ['leaveBehind /workspace/b.yaml keepMine']);
});
