import type { Frame } from 'playwright-core';
import { untilGone, untilShown } from '../../harness/shown.ts';
import { waitFor } from '../../harness/waitFor.ts';
import type { WorkbenchWindow } from '../../harness/window.ts';

/** The tab of the conflict panel, whatever it counts. */
const PANEL_TAB = /API Conflicts/;
/** So long one attempt to get the focus may take before it is asked for again. */
const FOCUS_MS = 2_000;

/** Gives the keyboard to the list of the conflict panel, as a click into it does, and waits until it has it. */
export async function focusList(panel: Frame): Promise<void> {
  await waitFor('the keys to go to the list of the panel', async () => {
    await panel.locator('.list').focus();
    // Matches only where the panel's page has the focus, which VS Code may have given to another editor at the same moment.
    await untilShown(panel.locator('.list:focus'), { timeout: FOCUS_MS });
    return true;
  });
}

/** Closes the active editor with the keyboard and waits until the panel is what is active; its page may be another one then. */
export async function closeBesidePanel(window: WorkbenchWindow, title: string | RegExp): Promise<Frame> {
  await window.page.keyboard.press('ControlOrMeta+W');
  await untilGone(window.page.locator('.tab', { hasText: title }));
  await untilShown(window.page.locator('.tab.active', { hasText: PANEL_TAB }));
  return window.webviews.waitFor('.row');
}
