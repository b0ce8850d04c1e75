import { downloadAndUnzipVSCode } from '@vscode/test-electron';
import type { Progress } from './installOnce.ts';

/** Which VS Code to use: `API_LIVE_SYNC_VSCODE` forces one, else the desktop's where it can be had. */
export function forcedVsCode(): 'npm' | 'desktop' | undefined {
  const value = process.env['API_LIVE_SYNC_VSCODE'];
  if (value === undefined || value === '') return undefined;
  if (value === 'npm' || value === 'desktop') return value;
  throw new Error(`API_LIVE_SYNC_VSCODE is "${value}"; it can be "npm" or "desktop".`);
}

/** The executable of a desktop VS Code, downloaded where that is possible; `undefined` where the one from npm has to do. */
export async function findDesktopVsCode(progress: Progress): Promise<string | undefined> {
  const forced = forcedVsCode();
  if (forced === 'npm') return undefined;
  if (forced === undefined && !hasDisplay()) {
    progress('No display here: using the VS Code from npm.');
    return undefined;
  }
  try {
    return await downloadAndUnzipVSCode({ version: 'stable', timeout: forced === 'desktop' ? 60_000 : 4000 });
  } catch (error) {
    if (forced === 'desktop') throw error;
    progress('The desktop VS Code cannot be downloaded here: using the one from npm.');
    return undefined;
  }
}

/** A window of a desktop application needs somewhere to be shown. */
export function hasDisplay(): boolean {
  if (process.platform !== 'linux') return true;
  return [process.env['DISPLAY'], process.env['WAYLAND_DISPLAY']].some((value) => value !== undefined && value !== '');
}
