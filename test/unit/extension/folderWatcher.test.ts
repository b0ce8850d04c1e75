import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Logger } from '../../../src/core/ports.ts';
import { FolderSessions } from '../../../src/extension/folderSessions.ts';
import { FakeSession } from './fakeSession.ts';

const FOLDER = join(import.meta.dirname, 'workspace');
const quiet = (): void => undefined;
const logger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

type Tell = (uri: { readonly fsPath: string }) => void;
type TellRenamed = (event: { readonly files: readonly { oldUri: object; newUri: object }[] }) => void;
/** What the code under test asked the editor for; `undefined` where it did not ask. */
const editor: {
  onCreate?: Tell;
  onDelete?: Tell;
  onRename?: TellRenamed;
  ignoresDeletes?: boolean;
  isDisposed: boolean;
} = { isDisposed: false };
const nothing = { dispose: quiet };
const vscode = {
  Uri: { file: (fsPath: string) => ({ fsPath }) },
  RelativePattern: Object,
  workspace: {
    getConfiguration: () => ({ get: (id: string) => (id === 'apiLiveSync.ignore' ? ['generated'] : undefined) }),
    onDidRenameFiles: (tell: TellRenamed) => {
      editor.onRename = tell;
      return nothing;
    },
    createFileSystemWatcher: (_pattern: unknown, _create: boolean, _change: boolean, ignoresDeletes: boolean) => {
      editor.ignoresDeletes = ignoresDeletes;
      return {
        onDidCreate: (tell: Tell) => {
          editor.onCreate = tell;
          return nothing;
        },
        onDidDelete: (tell: Tell) => {
          editor.onDelete = tell;
          return nothing;
        },
        dispose: () => {
          editor.isDisposed = true;
        },
      };
    },
  },
};
Object.assign(globalThis, { vscodeOfTest: vscode });
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'vscode'
      ? {
          url: 'data:text/javascript,export const { Uri, RelativePattern, workspace } = globalThis.vscodeOfTest;',
          shortCircuit: true,
        }
      : next(specifier, context),
});
const { watchFolder } = await import('../../../src/extension/folderWatcher.ts');

test('[I8] [REN-01] new files that could be documents are told, and what the editor renamed: no deletions, nothing ignored, no file of ours', () => {
  const session = new FakeSession(FOLDER);
  const sessions = new FolderSessions({
    loadPeer: () => Promise.reject(new Error('No peer is needed.')),
    peerOptions: () => {
      throw new Error('No peer is needed.');
    },
    createFiles: () => {
      throw new Error('No files are needed.');
    },
    logger,
    onProblem: quiet,
  });
  const watching = watchFolder({ path: FOLDER, name: 'workspace', mayStart: true, session }, sessions);
  assert.equal(Object.hasOwn(editor, 'onCreate'), false, 'before consent nothing is watched');
  session.setStatus({ hasConsent: true, phase: 'running' });
  for (const path of [
    'api/openapi.yaml',
    'api/generated/openapi.yaml',
    'node_modules/a/package.json',
    'api/.~als-0011-openapi.yaml',
  ]) {
    editor.onCreate?.({ fsPath: join(FOLDER, path) });
  }
  editor.onDelete?.({ fsPath: join(FOLDER, 'api/other.yaml') });
  const renamed = (from: string, to: string): object => ({ oldUri: { fsPath: from }, newUri: { fsPath: to } });
  const [from, to] = [join(FOLDER, 'api/openapi.yaml'), join(FOLDER, 'v2/petstore.yaml')];
  editor.onRename?.({ files: [renamed(from, to), renamed(from, join(FOLDER, '..', 'elsewhere.yaml'))] as never });
  assert.deepEqual(session.calls, [`fileAppeared ${from}`, `fileRenamed ${from} ${to}`]);
  assert.equal(editor.ignoresDeletes, true);
  watching.dispose();
  assert.equal(editor.isDisposed, true);
});
