/** As much of a DOM element as functions need that run in the page; the DOM's own types would leak into the whole project. */
export interface PageElement {
  readonly id: string;
  readonly textContent: string | null;
  readonly classList: Iterable<string> & { contains(name: string): boolean };
  readonly ownerDocument: { readonly activeElement: PageElement | null };
  contains(other: PageElement | null): boolean;
  getAttribute(name: string): string | null;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
}
