/** How a model behaves when it is asked, whoever provides it; JSON, so that it can be told to another process. */
export type ModelPlay =
  /** Says a text in small pieces and ends well. */
  | { readonly kind: 'says'; readonly text: string }
  /** Says the first half, and the rest when it is told to go on. */
  | { readonly kind: 'saysSlowly'; readonly text: string }
  /** Does not want to answer. */
  | { readonly kind: 'refuses'; readonly words: string }
  /** Says more than anybody asked for: 100,000 tokens. */
  | { readonly kind: 'saysTooMuch' }
  /** Begins, and breaks off when it is told to go on. */
  | { readonly kind: 'breaksOff'; readonly text: string }
  /** Begins and says no more, until the other side has enough. */
  | { readonly kind: 'fallsSilent'; readonly text: string }
  | { readonly kind: 'fails'; readonly how: 'notAllowed' | 'tooManyRequests' | 'broken' };

/** In UTF-16 units; a token of English has about four. */
export const TOO_MUCH_CHARACTERS = 400_000;

/** What a provider must never hand on to a person. */
export const SECRET_DETAIL = 'secret detail of the provider';

/** A text as a model streams it. */
export function piecesOf(text: string, size = 40): readonly string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size));
  return pieces;
}
