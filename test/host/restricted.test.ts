import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { ExtensionApi } from '../../src/extension/api.ts';
import { commandIds } from '../../src/extension/commandTable.ts';
import type { Answer } from '../../src/extension/commands.ts';

describe('in Restricted Mode', () => {
  it('nothing is loaded, opened or written, the status bar says so, and commands say why', async () => {
    assert.equal(vscode.workspace.isTrusted, false);
    const extension = vscode.extensions.getExtension<ExtensionApi>('api-live-sync.api-live-sync');
    assert.ok(extension);
    const api = await extension.activate();
    await api.ready();
    assert.equal(api.hasLoadedPeer(), false);
    assert.deepEqual(api.sessions(), []);
    assert.match(api.statusBar()?.text ?? '', /restricted/);
    for (const id of [commandIds.keepInStep, commandIds.join, commandIds.start, commandIds.syncNow]) {
      const answer = await vscode.commands.executeCommand<Answer>(id);
      assert.equal(answer.kind, 'declined', id);
      assert.match(answer.sentence, /not trusted/);
    }
    assert.equal(api.hasLoadedPeer(), false);
    assert.equal(existsSync(process.env['API_LIVE_SYNC_STATE_DIR'] ?? ''), false);
  });
});
