import { homedir } from 'node:os';
import path from 'node:path';

/** The folder that holds package.json. */
export const projectRoot = path.resolve(import.meta.dirname, '..', '..');

/** Screenshots and logs of failed tests go here; git ignores it. */
export const testResultsDir = path.join(projectRoot, 'test-results');

/** What esbuild makes of the suites that run inside VS Code; git ignores it. */
export const compiledTestsDir = path.join(projectRoot, 'out', 'test');

/** Sample workspaces; tests work on copies of them, never on these. */
export const sampleWorkspacesDir = path.join(projectRoot, 'test', 'fixtures', 'workspaces');

/**
 * Where VS Code and the browser are kept between runs: `API_LIVE_SYNC_CACHE`, else the user's cache folder.
 * It lies outside the project so that a second clone does not download them again.
 */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const override = env['API_LIVE_SYNC_CACHE'];
  if (override !== undefined && override !== '') return path.resolve(override);
  const xdg = env['XDG_CACHE_HOME'];
  const base = xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(homedir(), '.cache');
  return path.join(base, 'api-live-sync');
}
