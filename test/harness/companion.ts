import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Names the folder in which extension hosts leave the sockets that tests talk to. */
export const companionDirVariable = 'API_LIVE_SYNC_COMPANION_DIR';

/**
 * Writes a small extension into `parentDir` that lets tests look into a window's extension host: what the editor holds, where the caret
 * is, whether a document is dirty. Tests act like a person, through the page; the companion is there to read reliably.
 */
export async function writeCompanionExtension(parentDir: string): Promise<string> {
  const dir = path.join(parentDir, 'api-live-sync-tests.companion-1.0.0');
  await mkdir(dir, { recursive: true });
  await writeFile(path.join(dir, 'package.json'), JSON.stringify(manifest, null, 2));
  await writeFile(path.join(dir, 'extension.js'), program);
  return dir;
}

const manifest = {
  name: 'companion',
  publisher: 'api-live-sync-tests',
  displayName: 'Test Companion',
  version: '1.0.0',
  engines: { vscode: '^1.90.0' },
  main: './extension.js',
  activationEvents: ['*'],
  extensionKind: ['workspace'],
  capabilities: { untrustedWorkspaces: { supported: true }, virtualWorkspaces: true },
};

/** One line of JSON asks `{ id, code, argument }`, one answers `{ id, value }` or `{ id, error }`; `code` is a function of `{ vscode, argument }`. */
const program = `'use strict';
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const vscode = require('vscode');

exports.activate = (context) => {
  const dir = process.env.${companionDirVariable};
  if (!dir) return;
  const name = process.pid + '.sock';
  const server = net.createServer((socket) => {
    let pending = '';
    socket.setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      pending += chunk;
      const lines = pending.split('\\n');
      pending = lines.pop();
      for (const line of lines) void answer(socket, JSON.parse(line));
    });
  });
  server.listen(path.join(dir, name), () => {
    const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
    // Renamed into place, so that nobody reads half of it.
    fs.writeFileSync(path.join(dir, name + '.tmp'), JSON.stringify({ pid: process.pid, folders }));
    fs.renameSync(path.join(dir, name + '.tmp'), path.join(dir, process.pid + '.json'));
  });
  context.subscriptions.push({ dispose: () => server.close() });
};

async function answer(socket, { id, code, argument }) {
  let reply;
  try {
    const value = await (0, eval)('(' + code + ')')({ vscode, argument });
    reply = { id, value };
  } catch (error) {
    reply = { id, error: error instanceof Error ? error.stack ?? error.message : String(error) };
  }
  socket.write(JSON.stringify(reply) + '\\n');
}
`;
