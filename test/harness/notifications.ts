import type { Locator, Page } from 'playwright-core';
import type { PageElement } from './pageElement.ts';
import { untilShown } from './shown.ts';
import { waitFor } from './waitFor.ts';
import type { WaitOptions } from './waitFor.ts';

export interface Notification {
  readonly message: string;
  readonly severity: 'info' | 'warning' | 'error';
  /** In the order in which they are shown. */
  readonly buttons: readonly string[];
}

/** The messages at the lower right: those that show themselves and those that are kept behind the bell. */
export class Notifications {
  readonly #page: Page;
  readonly #items: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.#items = page.locator(
      '.notifications-toasts .notification-list-item, .notifications-center.visible .notification-list-item',
    );
  }

  /** What is on the screen now. */
  async list(): Promise<Notification[]> {
    return this.#items.evaluateAll((elements: PageElement[]) =>
      elements.map((element) => {
        const icon = element.querySelector('.notification-list-item-icon');
        return {
          message: (element.querySelector('.notification-list-item-message')?.textContent ?? '').trim(),
          severity:
            icon?.classList.contains('codicon-error') === true
              ? 'error'
              : icon?.classList.contains('codicon-warning') === true
                ? 'warning'
                : 'info',
          buttons: [
            ...element.querySelectorAll(
              '.notification-list-item-buttons-container .monaco-button:not(.monaco-dropdown-button)',
            ),
          ].map((button) => (button.textContent ?? '').trim()),
        };
      }),
    );
  }

  /** Waits for a notification; one that hid itself in the meantime is looked up behind the bell. */
  async waitFor(pattern: string | RegExp, options?: WaitOptions): Promise<Notification> {
    return waitFor(
      `the notification ${String(pattern)}`,
      async () =>
        (await this.list()).find(({ message }) =>
          typeof pattern === 'string' ? message.includes(pattern) : pattern.test(message),
        ),
      options,
    );
  }

  /** Presses a button of the notification whose message matches. */
  async click(pattern: string | RegExp, button: string): Promise<void> {
    const choice = this.#item(pattern)
      .locator('.notification-list-item-buttons-container .monaco-button')
      .filter({ hasText: button })
      .first();
    await untilShown(choice);
    await choice.click();
  }

  /** Closes a notification without choosing. */
  async dismiss(pattern: string | RegExp): Promise<void> {
    const item = this.#item(pattern);
    await item.hover();
    await item.locator('.codicon-notifications-clear, .codicon-notifications-hide').first().click();
  }

  /** Opens the list behind the bell, with what has hidden itself. */
  async showAll(): Promise<void> {
    await this.#page.locator('.statusbar-item[id="status.notifications"] .statusbar-item-label').click();
    await untilShown(this.#page.locator('.notifications-center.visible'));
  }

  #item(pattern: string | RegExp): Locator {
    return this.#items
      .filter({ has: this.#page.locator('.notification-list-item-message').filter({ hasText: pattern }) })
      .first();
  }
}
