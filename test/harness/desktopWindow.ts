import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { installExtension } from './installExtension.ts';
import { runVariable } from './processTree.ts';
import { baseSettings } from './settings.ts';

/**
 * Opens each folder in a desktop VS Code with its own user data and the extension installed: on one user data folder a second
 * window would belong to the first one's process. Returns what ends them.
 */
export async function openOnDesktop(
  executable: string,
  dir: string,
  folders: readonly string[],
): Promise<() => Promise<void>> {
  const run = randomUUID();
  const windows = await Promise.all(
    folders.map(async (folder) => {
      const own = path.join(dir, '.vscode', path.basename(folder));
      await installExtension(path.join(own, 'extensions'));
      await mkdir(path.join(own, 'user-data', 'User'), { recursive: true });
      await writeFile(path.join(own, 'user-data', 'User', 'settings.json'), JSON.stringify(baseSettings, null, 2));
      const supervisor = path.join(import.meta.dirname, 'supervisor.ts');
      const flags = [
        '--new-window',
        '--disable-workspace-trust',
        '--disable-telemetry',
        '--skip-welcome',
        '--skip-release-notes',
      ];
      const dirs = [
        `--user-data-dir=${path.join(own, 'user-data')}`,
        `--extensions-dir=${path.join(own, 'extensions')}`,
      ];
      const child = spawn(
        process.execPath,
        [supervisor, executable, folder, path.join(folder, 'openapi.yaml'), ...flags, ...dirs],
        {
          env: { ...process.env, [runVariable]: run, API_LIVE_SYNC_STATE_DIR: path.join(dir, '.state') },
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        },
      );
      const gone = new Promise<void>((resolve) => {
        child.once('exit', () => {
          resolve();
        });
      });
      return { child, gone };
    }),
  );
  return async () => {
    for (const { child } of windows) {
      if (child.connected) child.disconnect();
    }
    await Promise.all(windows.map(async ({ gone }) => gone));
  };
}
