type Child = Node | string | undefined;

/** Makes an element. Texts go in as text, never as markup; styles only by class, as the page's policy wants it. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | boolean | undefined>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  setAttributes(made, attributes);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Sets attributes; `false` and undefined take them away, `true` sets an empty one. */
export function setAttributes(
  target: Element,
  attributes: Readonly<Record<string, string | boolean | undefined>>,
): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? '' : value);
  }
}

/** A codicon; only to look at, the words stand beside it or in a label. */
export function icon(name: string): HTMLSpanElement {
  return element('span', { class: `codicon codicon-${name}`, 'aria-hidden': 'true' });
}

export interface ButtonOptions {
  readonly label: string;
  readonly title?: string;
  readonly icon?: string;
  readonly kind: 'primary' | 'secondary' | 'icon' | 'link';
  readonly shortcut?: string;
  readonly onClick: () => void;
}

/** A button as VS Code draws it. One without visible words has them as its label. */
export function button(options: ButtonOptions): HTMLButtonElement {
  const made = element(
    'button',
    {
      type: 'button',
      class: `button ${options.kind}`,
      title: options.title ?? (options.kind === 'icon' ? options.label : undefined),
    },
    options.icon === undefined ? undefined : icon(options.icon),
    options.kind === 'icon' ? undefined : element('span', { class: 'button-label' }, options.label),
  );
  if (options.kind === 'icon') made.setAttribute('aria-label', options.label);
  if (options.shortcut !== undefined) made.setAttribute('aria-keyshortcuts', options.shortcut);
  made.addEventListener('click', options.onClick);
  return made;
}
