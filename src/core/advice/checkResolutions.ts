import { PlainCache, type PlainNode, readPlainDocument } from '../openapi/plainDocument.ts';
import { findViolations } from '../openapi/semanticRules.ts';
import { threeWayMerge } from '../merge/threeWayMerge.ts';
import type { DocumentFormat, MergeConflict, MergeInput, MergeOptions, Resolution } from '../merge/types.ts';
import { addressesIn, referencesIn } from './addresses.ts';
import { keptChanges } from './keptChanges.ts';
import { changeOutside } from './outsideChange.ts';
import type { CheckName, ResolutionCheck } from './resolutionCheck.ts';

export interface CheckedResolutions {
  /** The working file with the resolutions in it; as it was where they cannot be put in. */
  readonly text: string;
  readonly checks: readonly ResolutionCheck[];
}

/**
 * Puts resolutions into the working file, writes nothing, and checks what comes out (I11). The checks read the texts
 * anew and share nothing with the merge that made the result.
 * @param conflicts those that are resolved, as they are held; each has its resolution.
 */
export function checkResolutions(
  input: MergeInput,
  format: DocumentFormat,
  conflicts: readonly MergeConflict[],
  resolutions: ReadonlyMap<string, Resolution>,
  options: Pick<MergeOptions, 'infoVersion'> = {},
): CheckedResolutions {
  const merged = threeWayMerge(input, format, { ...options, resolutions });
  const [error] = merged.problems.filter((problem) => problem.severity === 'error');
  if (error !== undefined || merged.conflicts.some(({ id }) => resolutions.has(id))) {
    const why = error?.message ?? 'It does not fit into the file as it is now.';
    return { text: input.ours, checks: [failed('parses', why)] };
  }
  const cache = new PlainCache();
  const read = (text: string): PlainNode | undefined => readPlainDocument(text, format, cache).root;
  const after = read(merged.text);
  if (after === undefined)
    return { text: input.ours, checks: [failed('parses', 'The file could not be read with it.')] };
  const before = read(input.ours);
  const texts = [input.base, input.ours, input.theirs];
  const known = texts.map(read);
  const checks = [
    passed('parses', 'The file can be read with it.'),
    ...checkValidity(known, after),
    checkOutside(input.ours, merged.text, before, after, conflicts, format),
    checkKept(conflicts, resolutions, format),
    checkAddresses(conflicts, resolutions),
  ];
  return { text: merged.text, checks };
}

/** What the base breaks too was there before; the sides count as what "before" is. */
function checkValidity(known: readonly (PlainNode | undefined)[], after: PlainNode): ResolutionCheck[] {
  const [, ours, theirs] = known;
  const before = new Set([...findViolations(ours), ...findViolations(theirs)].map(({ key }) => key));
  const fresh = findViolations(after).filter(({ key }) => !before.has(key));
  const dangling = fresh.find(({ key }) => key.startsWith('reference '));
  const broken = fresh.find(({ key }) => !key.startsWith('reference '));
  const written = new Set(known.flatMap((root) => referencesIn(root)));
  const foreign = referencesIn(after).find((target) => !target.startsWith('#') && !written.has(target));
  const badReference =
    dangling?.message ??
    (foreign === undefined ? undefined : `It refers to ${shorten(foreign)}, which neither version does.`);
  return [
    badReference === undefined ? passed('references', 'All references resolve.') : failed('references', badReference),
    broken === undefined
      ? passed('validity', 'The document is not less valid than before.')
      : failed('validity', broken.message),
  ];
}

function checkOutside(
  textBefore: string,
  textAfter: string,
  before: PlainNode | undefined,
  after: PlainNode,
  conflicts: readonly MergeConflict[],
  format: DocumentFormat,
): ResolutionCheck {
  const found = changeOutside({ textBefore, textAfter, before, after, conflicts, format });
  return found === undefined
    ? passed('outside', 'Nothing outside of what is in conflict changes.')
    : failed('outside', found);
}

function checkKept(
  conflicts: readonly MergeConflict[],
  resolutions: ReadonlyMap<string, Resolution>,
  format: DocumentFormat,
): ResolutionCheck {
  let isAsked = false;
  for (const conflict of conflicts) {
    const resolution = resolutions.get(conflict.id);
    const kept = resolution === undefined ? undefined : keptChanges(conflict, resolution, format);
    if (kept === undefined || kept.kind === 'skipped') continue;
    if (kept.kind === 'lost') return failed('kept', kept.sentence);
    isAsked = true;
  }
  return isAsked
    ? passed('kept', 'No change that only one side made is lost.')
    : {
        name: 'kept',
        outcome: 'skipped',
        sentence: 'The two changes exclude each other; one of them has to give way.',
      };
}

/** Text that nobody of the two wrote must not send a reader, or a program, anywhere else. */
function checkAddresses(
  conflicts: readonly MergeConflict[],
  resolutions: ReadonlyMap<string, Resolution>,
): ResolutionCheck {
  for (const { id, base, ours, theirs } of conflicts) {
    const resolution = resolutions.get(id);
    if (resolution?.choice !== 'custom') continue;
    const known = new Set([base, ours, theirs].flatMap((piece) => addressesIn(piece?.text ?? '')));
    const fresh = addressesIn(resolution.text).find((address) => !known.has(address));
    if (fresh !== undefined)
      return failed('addresses', `It names ${shorten(fresh)}, an address that stands in no version of the element.`);
  }
  return passed('addresses', 'It names no new web address.');
}

const MAX_SHOWN_LENGTH = 100;

function shorten(text: string): string {
  return text.length <= MAX_SHOWN_LENGTH ? text : `${text.slice(0, MAX_SHOWN_LENGTH)}…`;
}

function passed(name: CheckName, sentence: string): ResolutionCheck {
  return { name, outcome: 'passed', sentence };
}

function failed(name: CheckName, sentence: string): ResolutionCheck {
  return { name, outcome: 'failed', sentence };
}
