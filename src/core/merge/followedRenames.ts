import { formatPointer } from '../openapi/jsonPointer.ts';
import type { ClaimedElement } from './claims.ts';
import type { FollowedRename } from './types.ts';

type Path = readonly (string | number)[];

interface Paths {
  readonly base: Path | undefined;
  readonly ours: Path | undefined;
  readonly theirs: Path | undefined;
  readonly merged: Path | undefined;
}

const ROOT: Paths = { base: [], ours: [], theirs: [], merged: [] };
const TEXTS = ['base', 'ours', 'theirs', 'merged'] as const;

/** The claimed elements that go by another key in one text than in another, in the order of the result. */
export function followedRenames(claims: readonly ClaimedElement[], parent: Paths = ROOT): FollowedRename[] {
  return claims.flatMap((claim) => {
    const path = (side: (typeof TEXTS)[number]): Path | undefined => {
      const [above, segment] = [parent[side], claim[side]];
      return above === undefined || segment === undefined ? undefined : [...above, segment];
    };
    const paths: Paths = { base: path('base'), ours: path('ours'), theirs: path('theirs'), merged: path('merged') };
    const keys = new Set(TEXTS.map((side) => claim[side]).filter((segment) => typeof segment === 'string'));
    const isRenamed = claim.base !== undefined && keys.size > 1;
    return [...(isRenamed ? [pointersOf(paths)] : []), ...followedRenames(claim.children ?? [], paths)];
  });
}

function pointersOf(paths: Paths): FollowedRename {
  return Object.fromEntries(
    TEXTS.flatMap((side) => {
      const path = paths[side];
      return path === undefined ? [] : [[side, formatPointer(path)]];
    }),
  );
}
