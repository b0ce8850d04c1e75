import type { Splice } from '../merge/types.ts';
import type { Checked } from '../problem.ts';

/**
 * The text after a patch. A patch from a stranger may point anywhere, so splices that are unsorted, overlap or reach
 * beyond the text give a problem and no value.
 */
export function applyPatch(text: string, patch: readonly Splice[]): Checked<string> {
  const parts: string[] = [];
  let offset = 0;
  for (const splice of patch) {
    const isInOrder = splice.offset >= offset && splice.deleteCount >= 0;
    if (!isInOrder || splice.offset + splice.deleteCount > text.length) {
      return {
        value: undefined,
        problems: [
          {
            code: 'patch-out-of-bounds',
            message: 'The change does not fit the text that it claims to change.',
            severity: 'error',
          },
        ],
      };
    }
    parts.push(text.slice(offset, splice.offset), splice.insert);
    offset = splice.offset + splice.deleteCount;
  }
  parts.push(text.slice(offset));
  return { value: parts.join(''), problems: [] };
}
