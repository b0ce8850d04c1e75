/** A slice of a text holds on to all of it; what outlives the text that it was cut from has to be a text of its own. */
export function ownText(slice: string): string {
  return ` ${slice}`.slice(1);
}
