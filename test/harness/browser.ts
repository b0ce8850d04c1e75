import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { ensureChromium } from './chromiumInstall.ts';
import type { Progress } from './installOnce.ts';

/** What a headless Chromium is started with; nothing here weakens content security policies or the same-origin rule. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts a headless Chromium; installs one first where needed. */
export async function launchBrowser(progress: Progress = () => undefined): Promise<Browser> {
  const installation = await ensureChromium(progress);
  return chromium.launch({
    executablePath: installation.executablePath,
    args: flags,
    env: { ...definedOnly(process.env), ...installation.env },
    // Whoever starts it closes it; playwright's own handlers would end the process before that.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [key, value] of Object.entries(env)) {
    if (value !== undefined) result[key] = value;
  }
  return result;
}
