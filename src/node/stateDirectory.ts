import { chmodSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

const PRODUCT_FOLDER = 'api-live-sync';
/** For the user alone: logs hold specs, and one file holds the library's token. */
const PRIVATE_FOLDER_MODE = 0o700;
export const PRIVATE_FILE_MODE = 0o600;

/**
 * The folder in which this user's libraries lie on this machine: that of the operating system, so that every editor
 * finds the same one. The environment variable `API_LIVE_SYNC_STATE_DIR` overrides it.
 */
export function stateDirectory(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const override = env['API_LIVE_SYNC_STATE_DIR'];
  if (override !== undefined && override !== '') return resolve(override);
  const home = homedir();
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), PRODUCT_FOLDER);
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', PRODUCT_FOLDER);
  const stateHome = env['XDG_STATE_HOME'];
  // The XDG rules say that a relative value counts as unset.
  return join(stateHome?.startsWith('/') === true ? stateHome : join(home, '.local', 'state'), PRODUCT_FOLDER);
}

/** Where one library keeps its log, lock and token. */
export function librariesDirectory(stateDir: string): string {
  return join(stateDir, 'libraries');
}

/** Makes a folder (and those above it) that only the user can look into. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  try {
    chmodSync(path, PRIVATE_FOLDER_MODE);
  } catch {
    // A file system without modes (a mounted Windows drive) refuses; its own access rules hold there.
  }
}
