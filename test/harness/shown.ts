import type { Locator } from 'playwright-core';
import { waitFor } from './waitFor.ts';
import type { WaitOptions } from './waitFor.ts';

/**
 * Waits until an element can be seen. Playwright's own wait looks twice a second after the first moments, which is longer than
 * most of what a person waits for here takes.
 */
export async function untilShown(locator: Locator, options?: WaitOptions): Promise<void> {
  await waitFor(`${String(locator)} to be shown`, async () => locator.isVisible(), options);
}

/** Waits until an element is not there any more, or not to be seen. */
export async function untilGone(locator: Locator, options?: WaitOptions): Promise<void> {
  await waitFor(`${String(locator)} to be gone`, async () => !(await locator.isVisible()), options);
}
