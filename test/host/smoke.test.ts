import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as vscode from 'vscode';

describe('a real extension host', () => {
  it('is VS Code', () => {
    assert.match(vscode.version, /^1\.\d+\.\d+/);
  });

  it('has the workspace folder that was asked for', () => {
    assert.deepEqual(
      vscode.workspace.workspaceFolders?.map((folder) => folder.uri.fsPath),
      [process.env['API_LIVE_SYNC_TEST_WORKSPACE']],
    );
  });

  it('has a state directory of its own', () => {
    assert.ok(process.env['API_LIVE_SYNC_STATE_DIR']);
  });

  it('opens a file of the workspace', async () => {
    const [file] = await vscode.workspace.findFiles('openapi.yaml');
    assert.ok(file);
    const document = await vscode.workspace.openTextDocument(file);
    assert.match(document.getText(), /^openapi: 3\.1\.0/m);
  });
});
