import { spawn } from 'node:child_process';
import { hasDisplay } from './desktopVsCode.ts';

/** Asks the system to show an address in the person's browser. Where nobody could see it, nothing happens. */
export function openAddress(url: string): void {
  if (!hasDisplay()) return;
  const [command, ...args] = opener();
  if (command === undefined) return;
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  // No such program here: the address has been printed too.
  child.on('error', () => undefined);
  child.unref();
}

function opener(): string[] {
  if (process.platform === 'darwin') return ['open'];
  if (process.platform === 'win32') return ['cmd', '/c', 'start', ''];
  return ['xdg-open'];
}
