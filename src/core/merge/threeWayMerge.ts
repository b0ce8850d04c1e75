import { PlainCache, type PlainDocument, type PlainNode, readPlainDocument } from '../openapi/plainDocument.ts';
import { findLooseTags, findViolations, type NameUse, type Violation } from '../openapi/semanticRules.ts';
import type { Problem } from '../problem.ts';
import type { Matching } from './align.ts';
import { mergeBlocks } from './blockMerge.ts';
import { checkMerge, type FourDocuments } from './checkMerge.ts';
import { checkNames } from './checkNames.ts';
import { isOneSided } from './checkOneSided.ts';
import { Canon } from './canon.ts';
import { commonEnds } from './commonEnds.ts';
import { wholeConflict } from './conflicts.ts';
import { followNames, renamesOf } from './followNames.ts';
import { followedRenames } from './followedRenames.ts';
import { holdFindings, holdViolations } from './holdFindings.ts';
import { mergeTextByLines } from './lineMerge.ts';
import type { Held } from './planner.ts';
import { readSource } from './readSource.ts';
import { mergeByStructure, readSources, type Sources, type StructuralMerge } from './structuralMerge.ts';
import type { DocumentFormat, FollowedRename, MergeInput, MergeOptions, MergeResult, Resolution } from './types.ts';

/**
 * Merges two revisions of a document that came from one base. Lines first, as git does it; where that clashes or does
 * not hold what it must, by structure. Each result is proven by the check before it is given out; what cannot be proven
 * is a conflict. Pure, deterministic, never throws: see `MergeResult`.
 * @param cache what was read before: it saves time and decides nothing.
 */
export function threeWayMerge(
  input: MergeInput,
  format: DocumentFormat,
  options: MergeOptions = {},
  cache = new PlainCache(),
): MergeResult {
  const result = mergeOnce(input, format, options, 'renames', cache);
  const decided = options.resolutions?.size ?? 0;
  if (result.conflicts.length === 0 && decided === 0) return result;
  // Held conflicts must come out the same when they are merged again. A rename that was followed may not be recognised
  // then; in that case no rename is followed from the start. This depends on the texts only, never on what was decided.
  const { infoVersion } = options;
  const plain: MergeOptions = infoVersion === undefined ? {} : { infoVersion };
  const isStable = ({ text, nextBase, conflicts }: MergeResult, matching: Matching): boolean => {
    const again = mergeOnce({ base: nextBase, ours: text, theirs: input.theirs }, format, plain, matching, cache);
    return again.text === text && again.nextBase === nextBase && idsOf(again) === idsOf({ conflicts });
  };
  const isPlain = decided === 0 && (options.unresolved ?? 'ours') === 'ours';
  if (isStable(isPlain ? result : mergeOnce(input, format, plain, 'renames', cache), 'renames')) return result;
  const byNames = mergeOnce(input, format, plain, 'names', cache);
  if (!isStable(byNames, 'names')) return result;
  return isPlain ? byNames : mergeOnce(input, format, options, 'names', cache);
}

function idsOf({ conflicts }: Pick<MergeResult, 'conflicts'>): string {
  return conflicts
    .map(({ id }) => id)
    .sort()
    .join();
}

function mergeOnce(
  input: MergeInput,
  format: DocumentFormat,
  options: MergeOptions,
  matching: Matching,
  cache: PlainCache,
): MergeResult {
  return mergeEqual(input) ?? new Merge(input, format, options, matching, cache).run();
}

/** The merge where two of the three texts are equal: nothing has to be read for it. Undefined where they all differ. */
export function mergeEqual({ base, ours, theirs }: MergeInput): MergeResult | undefined {
  if (ours === theirs) return clean(ours, theirs, 'equal');
  if (ours === base) return clean(theirs, theirs, 'equal');
  return theirs === base ? clean(ours, theirs, 'equal') : undefined;
}

function clean(
  text: string,
  nextBase: string,
  takenBy: MergeResult['takenBy'],
  renames: MergeResult['renames'] = [],
): MergeResult {
  return { text, conflicts: [], problems: [], nextBase, renames, takenBy };
}

/** An element that was edited and newly referred to has its rename twice. */
function distinct(renames: readonly FollowedRename[]): FollowedRename[] {
  return [...new Map(renames.map((rename) => [rename.base, rename])).values()];
}

/** How often elements are held and the result is checked again before the whole document is given up. */
const MAX_ROUNDS = 5;
const NOTHING_HELD: ReadonlyMap<string, Held> = new Map();
const NO_RESOLUTIONS: ReadonlyMap<string, Resolution> = new Map();
const SIDE_NAMES = { base: 'The common base', ours: 'Our version', theirs: 'Their version' } as const;

interface MergeWithNames {
  readonly text: string;
  readonly violations: readonly Violation[];
  readonly renames: readonly FollowedRename[];
}

class Merge {
  readonly #input: MergeInput;
  readonly #format: DocumentFormat;
  readonly #options: MergeOptions;
  readonly #base: PlainDocument | undefined;
  readonly #ours: PlainDocument;
  readonly #theirs: PlainDocument;
  readonly #matching: Matching;
  readonly #cache: PlainCache;

  constructor(input: MergeInput, format: DocumentFormat, options: MergeOptions, matching: Matching, cache: PlainCache) {
    this.#input = input;
    this.#format = format;
    this.#options = options;
    this.#matching = matching;
    this.#cache = cache;
    this.#base = input.base === '' ? undefined : readPlainDocument(input.base, format, this.#cache);
    this.#ours = readPlainDocument(input.ours, format, this.#cache);
    this.#theirs = readPlainDocument(input.theirs, format, this.#cache);
  }

  run(): MergeResult {
    const { theirs } = this.#input;
    const byLines = this.#byLines();
    const problems = this.#inputProblems();
    if (problems.length > 0) return this.#unreadable(byLines, problems);
    const merged = byLines === undefined ? undefined : this.#readUnbroken(byLines);
    if (byLines !== undefined && merged !== undefined && isOneSided(this.#documents(merged)))
      return this.#linesWithNames(byLines, merged, []);
    const sources = readSources(this.#input, this.#format);
    if (sources === undefined) {
      return byLines !== undefined && this.#isReadable(byLines)
        ? clean(byLines, theirs, 'lines')
        : this.#whole('The two versions are built in different ways.');
    }
    const byStructure = mergeByStructure(sources, this.#options, this.#matching, NOTHING_HELD);
    if (byLines !== undefined && merged !== undefined) {
      const confirming = this.#confirmLines(byLines, merged, sources, byStructure);
      if (confirming !== undefined) return this.#linesWithNames(byLines, merged, followedRenames(confirming.claims));
    }
    return this.#proveByStructure(sources, byStructure);
  }

  #byLines(): string | undefined {
    const { base, ours, theirs } = this.#input;
    if (base === '') return undefined;
    const ends = [commonEnds(base, ours), commonEnds(base, theirs)] as const;
    return mergeBlocks(this.#input, ...ends) ?? mergeTextByLines(this.#input, ...ends);
  }

  #linesWithNames(byLines: string, merged: PlainDocument, followed: readonly FollowedRename[]): MergeResult {
    const { text, renames } = this.#withNames(byLines, merged);
    return clean(text, this.#input.theirs, 'lines', distinct([...followed, ...renames]));
  }

  /** The text as data, if it can be read and breaks no rule that both sides kept. */
  #readUnbroken(text: string): PlainDocument | undefined {
    const merged = readPlainDocument(text, this.#format, this.#cache);
    return merged.root === undefined || this.#newViolations(merged.root).length > 0 ? undefined : merged;
  }

  /** The merge by structure, under one of the ways to match elements, that is the merge by lines and passes the check. */
  #confirmLines(
    byLines: string,
    merged: PlainDocument,
    sources: Sources,
    byStructure: StructuralMerge | undefined,
  ): StructuralMerge | undefined {
    const canon = new Canon();
    let number: number | undefined;
    const isSameData = (text: string): boolean => {
      if (text === byLines) return true;
      const lines = readSource(byLines, this.#format);
      const tree = readSource(text, this.#format);
      if (lines === undefined || tree === undefined) return false;
      number ??= canon.of(lines, lines.root);
      return canon.of(tree, tree.root) === number;
    };
    const confirm = (merge: StructuralMerge | undefined): StructuralMerge | undefined => {
      if (merge === undefined || merge.clashes > 0) return undefined;
      return isSameData(merge.text) && this.#findings(merge, merged).length === 0 ? merge : undefined;
    };
    return (
      confirm(byStructure) ??
      confirm(mergeByStructure(sources, this.#options, 'names', NOTHING_HELD)) ??
      confirm(mergeByStructure(sources, this.#options, 'lines', NOTHING_HELD))
    );
  }

  #proveByStructure(sources: Sources, first: StructuralMerge | undefined): MergeResult {
    const held = this.#findHeld(sources, first);
    const merge =
      held === undefined
        ? undefined
        : held.size === 0
          ? first
          : mergeByStructure(sources, this.#options, this.#matching, held);
    if (merge === undefined)
      return this.#whole('What the two versions changed could not be told apart with certainty.');
    if (merge.clashes > merge.conflicts.length) {
      const { problems } = readPlainDocument(merge.text, this.#format, this.#cache);
      if (problems.length > 0) return this.#badResolution(problems);
    }
    const merged = readPlainDocument(merge.text, this.#format, this.#cache);
    const { text, renames } = this.#withNames(merge.text, merged);
    return {
      text,
      conflicts: merge.conflicts,
      problems: [],
      nextBase: merge.nextBase,
      renames: distinct([...followedRenames(merge.claims), ...renames]),
      takenBy: 'structure',
    };
  }

  /**
   * The elements that must be held for the merge to be proven. Which these are does not depend on what is decided for
   * any of them: the document has to be good with ours at all conflicts, and with theirs at all. Undefined: nothing
   * smaller than the whole.
   */
  #findHeld(sources: Sources, first: StructuralMerge | undefined): ReadonlyMap<string, Held> | undefined {
    const held = new Map<string, Held>();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      let isProven = true;
      for (const unresolved of ['ours', 'theirs'] as const) {
        const isPlain = round === 0 && first?.clashes === 0;
        const merge = isPlain
          ? first
          : mergeByStructure(
              sources,
              { ...this.#options, unresolved, resolutions: NO_RESOLUTIONS },
              this.#matching,
              held,
            );
        if (merge === undefined) return undefined;
        const merged = readPlainDocument(merge.text, this.#format, this.#cache);
        if (merged.root === undefined && merged.problems.length > 0) return undefined;
        const findings = this.#findings(merge, merged);
        const violations = findings.length > 0 ? [] : this.#withNames(merge.text, merged).violations;
        if (findings.length > 0 || violations.length > 0) {
          const hasNew =
            findings.length > 0
              ? holdFindings(findings, merge.plan, held)
              : holdViolations(violations, merge.plan, held);
          if (!hasNew) return undefined;
          isProven = false;
          break;
        }
        if (merge.clashes === 0) break;
      }
      if (isProven) return held;
    }
    return undefined;
  }

  #findings(merge: StructuralMerge, merged: PlainDocument): ReturnType<typeof checkMerge> {
    const takesVersion = (this.#options.infoVersion ?? 'ask') !== 'ask';
    return checkMerge(this.#documents(merged), merge.claims, takesVersion);
  }

  #documents(merged: PlainDocument): FourDocuments {
    return { base: this.#base, ours: this.#ours, theirs: this.#theirs, merged, isPlainJson: this.#format === 'json' };
  }

  #newViolations(merged: PlainNode | undefined): Violation[] {
    const found = findViolations(merged);
    if (found.length === 0) return [];
    // The usual result has nothing that ours lacks, and theirs need not be gone through.
    const isNewTo = ({ root }: PlainDocument): ((violation: Violation) => boolean) => {
      const known = new Set(findViolations(root).map(({ key }) => key));
      return ({ key }) => !known.has(key);
    };
    const foreign = found.filter(isNewTo(this.#ours));
    return foreign.length === 0 ? [] : foreign.filter(isNewTo(this.#theirs));
  }

  /** A proven merge with the names in it that follow a rename, and what is still wrong with it. */
  #withNames(text: string, { root }: PlainDocument): MergeWithNames {
    const violations = this.#newViolations(root);
    const unchanged: MergeWithNames = { text, violations, renames: [] };
    if (root === undefined || this.#base === undefined) return unchanged;
    const dangling = [...violations.flatMap(({ use }) => use ?? []), ...this.#newLooseTags(root)];
    if (dangling.length === 0) return unchanged;
    const revisions = { base: this.#base.root, ours: this.#ours.root, theirs: this.#theirs.root };
    const { text: renamed, followed } = followNames(text, this.#format, root, revisions, dangling);
    const after = readPlainDocument(renamed, this.#format, this.#cache);
    if (!checkNames(root, after.root, followed, revisions)) return unchanged;
    return { text: renamed, violations: this.#newViolations(after.root), renames: renamesOf(followed) };
  }

  #newLooseTags(merged: PlainNode): readonly NameUse[] {
    const found = findLooseTags(merged);
    if (found.length === 0) return [];
    const known = new Set(
      [this.#ours, this.#theirs].flatMap(({ root }) => findLooseTags(root)).map(({ name }) => name),
    );
    return found.filter(({ name }) => !known.has(name));
  }

  #inputProblems(): Problem[] {
    const problems: Problem[] = [];
    for (const side of ['base', 'ours', 'theirs'] as const) {
      const document = { base: this.#base, ours: this.#ours, theirs: this.#theirs }[side];
      for (const problem of document?.problems ?? [])
        problems.push({ ...problem, message: `${SIDE_NAMES[side]}: ${problem.message}` });
    }
    return problems;
  }

  #unreadable(byLines: string | undefined, problems: readonly Problem[]): MergeResult {
    const { ours, theirs } = this.#input;
    // The one side may have mended what the other has broken; lines can tell, and the result is read as a whole.
    if (byLines !== undefined && this.#isReadable(byLines)) {
      return {
        ...clean(byLines, theirs, 'lines'),
        problems: problems.map((problem) => ({ ...problem, severity: 'warning' })),
      };
    }
    return { ...clean(ours, theirs, 'none'), problems };
  }

  #isReadable(text: string): boolean {
    return readPlainDocument(text, this.#format, this.#cache).problems.length === 0;
  }

  #badResolution(problems: readonly Problem[]): MergeResult {
    const { ours, theirs } = this.#input;
    const told = problems.map((problem) => ({
      ...problem,
      code: 'resolution-invalid',
      message: `With this resolution the document cannot be read: ${problem.message}`,
    }));
    return { ...clean(ours, theirs, 'none'), problems: told };
  }

  #whole(explanation: string): MergeResult {
    const { base, ours, theirs } = this.#input;
    const conflict = wholeConflict(this.#input, explanation);
    const resolution = this.#options.resolutions?.get(conflict.id);
    if (resolution === undefined || resolution.choice === 'both') {
      const text = { base, ours, theirs }[this.#options.unresolved ?? 'ours'];
      return { ...clean(text, base, 'structure'), conflicts: [conflict] };
    }
    if (resolution.choice !== 'custom') return clean({ base, ours, theirs }[resolution.choice], theirs, 'structure');
    const { problems } = readPlainDocument(resolution.text, this.#format, this.#cache);
    return problems.length > 0 ? this.#badResolution(problems) : clean(resolution.text, theirs, 'structure');
  }
}
