import type { Locator, Page } from 'playwright-core';
import { untilGone, untilShown } from './shown.ts';
import { waitFor } from './waitFor.ts';

/** So long the rows for what was typed may take on a loaded machine, before it is asked again. */
const OFFER_MS = 5_000;

/** The command palette, quick picks and input boxes: all are the one quick input of a window. */
export class QuickInput {
  readonly #page: Page;
  readonly #widget: Locator;
  readonly #rows: Locator;
  readonly #input: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.#widget = page.locator('.quick-input-widget');
    this.#rows = this.#widget.locator('.quick-input-list .monaco-list-row');
    this.#input = this.#widget.locator('.quick-input-box input');
  }

  async openPalette(): Promise<void> {
    await waitFor('the command palette', async () => {
      // A key pressed while the window still arranges itself is lost; so press again rather than wait for nothing.
      await this.#page.keyboard.press('F1');
      await untilShown(this.#input, { timeout: 2000 });
      return true;
    });
  }

  /** Waits until a quick pick or input box is open. */
  async whenOpen(): Promise<void> {
    await untilShown(this.#widget);
  }

  async isOpen(): Promise<boolean> {
    return this.#widget.isVisible();
  }

  /** The heading above the input, empty if there is none. */
  async title(): Promise<string> {
    return (await this.#widget.locator('.quick-input-title').innerText()).trim();
  }

  async placeholder(): Promise<string> {
    return (await this.#input.getAttribute('placeholder')) ?? '';
  }

  /** Replaces what stands in the input. */
  async type(text: string): Promise<void> {
    await this.whenOpen();
    await this.#input.fill(text);
  }

  /** The labels of the rows, in order. */
  async labels(): Promise<string[]> {
    await untilShown(this.#rows.first());
    return this.#rows.locator('.quick-input-list-rows .quick-input-list-row:first-child .label-name').allInnerTexts();
  }

  /** The rows as they are read out: label, description and detail. */
  async rows(): Promise<string[]> {
    await untilShown(this.#rows.first());
    return Promise.all((await this.#rows.all()).map(async (row) => (await row.getAttribute('aria-label')) ?? ''));
  }

  /** Waits until the palette is gone, or has made room for what a command asks. */
  async whenPaletteClosed(): Promise<void> {
    await waitFor(
      'the command palette to close',
      async () => !(await this.isOpen()) || !(await this.#input.inputValue({ timeout: 500 })).startsWith('>'),
    );
  }

  /** Whether a row with this label comes soon. */
  async offers(label: string): Promise<boolean> {
    return untilShown(this.#row(label), { timeout: OFFER_MS }).then(
      () => true,
      () => false,
    );
  }

  /** Chooses the row with this label. */
  async pick(label: string | RegExp): Promise<void> {
    await untilShown(this.#row(label));
    await this.#row(label).click();
  }

  /** Ticks or unticks a row of a pick that allows several. */
  async toggle(label: string | RegExp): Promise<void> {
    await this.#row(label).locator('.quick-input-list-checkbox, .monaco-checkbox').first().click();
  }

  /** Accepts what stands in an input box, or the ticked rows. */
  async accept(): Promise<void> {
    const ok = this.#widget.locator('.quick-input-header .quick-input-action .monaco-button').first();
    // With the focus on a row's box, Enter would tick it.
    if (await ok.isVisible()) await ok.click();
    else await this.#input.press('Enter');
  }

  async cancel(): Promise<void> {
    await this.#page.keyboard.press('Escape');
    await untilGone(this.#widget);
  }

  #row(label: string | RegExp): Locator {
    const exact = typeof label === 'string' ? new RegExp(`^\\s*${escapeForRegExp(label)}\\s*$`) : label;
    return this.#rows
      .filter({ has: this.#page.locator('.quick-input-list-row:first-child .label-name').filter({ hasText: exact }) })
      .first();
  }
}

/** A regular expression that matches the text itself. */
export function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
