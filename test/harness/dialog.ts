import type { Locator, Page } from 'playwright-core';
import { untilGone, untilShown } from './shown.ts';

/** A modal question in the middle of a window: "Do you trust the authors?", "Save changes?", `showWarningMessage({ modal: true })`. */
export class Dialog {
  readonly #box: Locator;

  constructor(page: Page) {
    this.#box = page.locator('.monaco-dialog-box');
  }

  async isOpen(): Promise<boolean> {
    return this.#box.isVisible();
  }

  /** The question, with its small print. */
  async text(): Promise<string> {
    await untilShown(this.#box);
    return (await this.#box.locator('.dialog-message-container').innerText()).trim();
  }

  async buttons(): Promise<string[]> {
    await untilShown(this.#box);
    return this.#box.locator('.dialog-buttons .monaco-button:not(.monaco-dropdown-button)').allInnerTexts();
  }

  async click(button: string | RegExp): Promise<void> {
    await untilShown(this.#box);
    await this.#box.locator('.dialog-buttons .monaco-button').filter({ hasText: button }).first().click();
    await untilGone(this.#box);
  }
}
