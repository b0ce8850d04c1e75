import type { MergeConflict, Resolution } from './types.ts';

/** The choices that a conflict has, in the order in which to offer them. `custom` needs the text that goes with it. */
export function resolutionsOf({ canTakeBoth }: Pick<MergeConflict, 'canTakeBoth'>): readonly Resolution['choice'][] {
  return canTakeBoth ? ['ours', 'theirs', 'both', 'base', 'custom'] : ['ours', 'theirs', 'base', 'custom'];
}
