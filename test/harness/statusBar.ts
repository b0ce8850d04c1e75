import type { Locator, Page } from 'playwright-core';
import type { PageElement } from './pageElement.ts';
import { waitFor } from './waitFor.ts';
import type { WaitOptions } from './waitFor.ts';

export interface StatusBarItem {
  /** `publisher.extension.item` for an item of an extension that gave it an id. */
  readonly id: string;
  /** What is seen, without icons. */
  readonly text: string;
  /** What is read out. */
  readonly label: string;
  /** The names of its icons: `sync`, `warning`. */
  readonly icons: readonly string[];
  /** The colour behind it. */
  readonly kind: 'standard' | 'warning' | 'error' | 'prominent' | 'remote' | 'offline';
}

/** The bar at the bottom of a window. */
export class StatusBar {
  readonly #items: Locator;

  constructor(page: Page) {
    this.#items = page.locator('.part.statusbar .statusbar-item[id]');
  }

  async items(): Promise<StatusBarItem[]> {
    return this.#items.evaluateAll((elements: PageElement[]) =>
      elements.map((element) => {
        const label = element.querySelector('.statusbar-item-label');
        const icons = [...element.querySelectorAll('.codicon')].flatMap((icon) =>
          [...icon.classList].filter((name) => name.startsWith('codicon-') && !name.startsWith('codicon-modifier-')),
        );
        const kinds = ['warning', 'error', 'prominent', 'remote', 'offline'] as const;
        return {
          id: element.id,
          text: (element.textContent ?? '').trim(),
          label: (label?.getAttribute('aria-label') ?? element.getAttribute('aria-label') ?? '').trim(),
          icons: icons.map((name) => name.slice('codicon-'.length)),
          kind: kinds.find((kind) => element.classList.contains(`${kind}-kind`)) ?? 'standard',
        };
      }),
    );
  }

  /** The first item whose id, text or spoken label matches; `undefined` if there is none now. */
  async find(pattern: string | RegExp): Promise<StatusBarItem | undefined> {
    return (await this.items()).find((item) => matches(item, pattern));
  }

  /** Waits for an item whose id, text or spoken label matches and, if asked, whose text does. */
  async waitFor(pattern: string | RegExp, text?: string | RegExp, options?: WaitOptions): Promise<StatusBarItem> {
    let seen: StatusBarItem | undefined;
    try {
      return await waitFor(
        `the status bar item ${String(pattern)}${text === undefined ? '' : ` saying ${String(text)}`}`,
        async () => {
          seen = await this.find(pattern);
          return seen !== undefined && (text === undefined || contains(seen.text, text)) ? seen : undefined;
        },
        options,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message} It was: ${JSON.stringify(seen)}`, { cause: error });
    }
  }

  async click(pattern: string | RegExp): Promise<void> {
    const { id } = await this.waitFor(pattern);
    await this.#items
      .and(this.#items.page().locator(`[id="${id}"]`))
      .locator('.statusbar-item-label')
      .click();
  }
}

function matches(item: StatusBarItem, pattern: string | RegExp): boolean {
  return item.id === pattern || contains(item.text, pattern) || contains(item.label, pattern);
}

function contains(text: string, pattern: string | RegExp): boolean {
  return typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text);
}
