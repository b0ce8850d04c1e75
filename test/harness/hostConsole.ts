import { format } from 'node:util';
import { consoleMarkVariable } from './launcherVariables.ts';

const mark = process.env[consoleMarkVariable] ?? '';
const host = globalThis.console;

function marked(method: 'log' | 'info' | 'warn' | 'error' | 'debug'): (...args: unknown[]) => void {
  return (...args) => {
    host[method](mark + format(...args));
  };
}

/**
 * Takes the place of `console` in the bundles of the suites. What an extension host prints appears in the window among what VS Code
 * says there itself; the mark tells it apart. (The host's own `console` cannot be replaced: VS Code has made it read-only.)
 */
export const console = {
  log: marked('log'),
  info: marked('info'),
  warn: marked('warn'),
  error: marked('error'),
  debug: marked('debug'),
};
