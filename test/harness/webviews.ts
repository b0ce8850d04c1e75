import type { Frame, Page } from 'playwright-core';
import { waitFor } from './waitFor.ts';
import type { WaitOptions } from './waitFor.ts';

/** The pages that extensions show inside a window. Each is two nested frames: VS Code's own and, in it, the extension's document. */
export class Webviews {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** The documents of all webviews that are open now. */
  async frames(): Promise<Frame[]> {
    const outer = await this.#page.locator('iframe.webview').elementHandles();
    const frames: Frame[] = [];
    for (const handle of outer) {
      const inner = (await handle.contentFrame())?.childFrames() ?? [];
      // While a page is being replaced there are two: the one that is shown and the one that is made ready.
      for (const frame of inner) {
        if ((await frame.frameElement().then(async (element) => element.getAttribute('id'))) === 'active-frame')
          frames.push(frame);
      }
    }
    return frames;
  }

  /** Waits for a webview whose document holds the selector; `body` takes the first there is. */
  async waitFor(selector = 'body', options?: WaitOptions): Promise<Frame> {
    return waitFor(
      `a webview with ${selector}`,
      async () => {
        for (const frame of await this.frames()) {
          if ((await frame.locator(selector).count()) > 0) return frame;
        }
        return undefined;
      },
      options,
    );
  }
}
