import { readFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { GitCheckout } from './gitCheckout.ts';

/** How a peer is shown to others: git's user.name, else the login name (DESIGN §5, "Names"). */
export async function readPersonName(checkout: GitCheckout | undefined, env: NodeJS.ProcessEnv): Promise<string> {
  const home = env['HOME'] ?? homedir();
  const files = [
    ...(checkout === undefined ? [] : [join(checkout.commonDirectory, 'config')]),
    env['GIT_CONFIG_GLOBAL'] ?? join(home, '.gitconfig'),
    join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'git', 'config'),
  ];
  for (const file of files) {
    // A file that is not there or not readable names nobody; the next one may.
    const name = userNameIn(await readFile(file, 'utf8').catch(() => ''));
    if (name !== undefined) return name;
  }
  try {
    return userInfo().username;
  } catch {
    // A container may run under a user id without a name.
    return 'someone';
  }
}

function userNameIn(config: string): string | undefined {
  let isUserSection = false;
  for (const line of config.split('\n')) {
    if (/^\s*\[/.test(line)) isUserSection = /^\s*\[user\]/i.test(line);
    const name = isUserSection ? /^\s*name\s*=\s*(.+?)\s*$/i.exec(line)?.[1]?.replace(/^"(.*)"$/, '$1') : undefined;
    if (name !== undefined && name !== '') return name;
  }
  return undefined;
}
