import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { applySplices, diffSplices } from '../core/merge/splices.ts';
import { resolutionsOf } from '../core/merge/resolutions.ts';
import { threeWayMerge } from '../core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeInput, MergeOptions, MergeResult } from '../core/merge/types.ts';
import { toRawSplices, type WorkingText } from '../core/workingText.ts';
import {
  EXIT_ERROR,
  formatOf,
  MAX_EXIT_CONFLICTS,
  MergeFileError,
  type MergeIo,
  readCopy,
  readInfoVersion,
} from './mergeFiles.ts';
import { withMarkers } from './mergeMarkers.ts';

const USAGE = `Usage: api-live-sync merge BASE OURS THEIRS --output OUT [--json] [--info-version ask|higher|ours|theirs]

Merges two versions of an OpenAPI file (YAML or JSON) that came from BASE; an empty BASE means that there is none.
Exit code: 0 clean, 1 to 127 the number of conflicts, 128 an error. With conflicts, OUT has git's markers around the
elements that clash, and only those. --json prints the result's facts on standard output.`;

const DEFAULT_MARKER_SIZE = 7;

/** `merge BASE OURS THEIRS --output OUT`; the exit code. */
export async function runMergeCommand(args: readonly string[], io: MergeIo): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        output: { type: 'string', short: 'o' },
        json: { type: 'boolean' },
        'info-version': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      io.writeLine(USAGE);
      return 0;
    }
    const [base, ours, theirs] = positionals;
    if (
      base === undefined ||
      ours === undefined ||
      theirs === undefined ||
      positionals.length > 3 ||
      values.output === undefined
    ) {
      io.writeError(USAGE);
      return EXIT_ERROR;
    }
    const options: MergeOptions = { infoVersion: readInfoVersion(values['info-version']) };
    const copies = await readCopies(io.cwd, { base, ours, theirs });
    const format = formatOf(ours, [copies.ours.text, copies.theirs.text]);
    const merged = mergeCopies(copies, format, options, DEFAULT_MARKER_SIZE);
    if (values.json === true) io.writeLine(JSON.stringify(facts(merged.result), undefined, 2));
    const error = merged.result.problems.find((problem) => problem.severity === 'error');
    if (error !== undefined) {
      io.writeError(`api-live-sync merge: ${error.message}`);
      return EXIT_ERROR;
    }
    await writeFile(resolve(io.cwd, values.output), merged.raw);
    for (const conflict of merged.result.conflicts) io.writeError(`conflict (${conflict.kind}): ${conflict.label}`);
    return Math.min(merged.result.conflicts.length, MAX_EXIT_CONFLICTS);
  } catch (error) {
    io.writeError(`api-live-sync merge: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT_ERROR;
  }
}

export interface Copies {
  readonly base: WorkingText;
  readonly ours: WorkingText;
  readonly theirs: WorkingText;
}

/** Reads the three files. Throws `MergeFileError`. */
export async function readCopies(
  cwd: string,
  paths: { readonly base: string; readonly ours: string; readonly theirs: string },
): Promise<Copies> {
  const [base, ours, theirs] = await Promise.all(
    [paths.base, paths.ours, paths.theirs].map((path) => readCopy(resolve(cwd, path))),
  );
  if (base === undefined || ours === undefined || theirs === undefined)
    throw new MergeFileError('three files are needed');
  return { base, ours, theirs };
}

/** Merges three copies; `raw` is for the file of ours, with its line ends and its BOM, and with markers at conflicts. */
export function mergeCopies(
  copies: Copies,
  format: DocumentFormat,
  options: MergeOptions,
  markerSize: number,
): { readonly result: MergeResult; readonly raw: string } {
  const input: MergeInput = { base: copies.base.text, ours: copies.ours.text, theirs: copies.theirs.text };
  const result = threeWayMerge(input, format, options);
  const decided = (unresolved: 'base' | 'ours' | 'theirs'): string =>
    threeWayMerge(input, format, { ...options, unresolved }).text;
  const text =
    result.conflicts.length === 0
      ? result.text
      : withMarkers({ base: decided('base'), ours: result.text, theirs: decided('theirs') }, markerSize);
  return { result, raw: asCopyOf(copies.ours, text) };
}

/** A text with the line ends and the BOM of a copy. */
export function asCopyOf(copy: WorkingText, text: string): string {
  return applySplices(copy.raw, toRawSplices(copy, diffSplices(copy.text, text)));
}

function facts({ conflicts, problems, renames, takenBy }: MergeResult): unknown {
  return {
    clean: conflicts.length === 0 && problems.every((problem) => problem.severity !== 'error'),
    takenBy,
    conflicts: conflicts.map((conflict) => ({
      id: conflict.id,
      kind: conflict.kind,
      pointer: conflict.pointer,
      label: conflict.label,
      explanation: conflict.explanation,
      base: conflict.base?.text,
      ours: conflict.ours?.text,
      theirs: conflict.theirs?.text,
      choices: resolutionsOf(conflict),
    })),
    renames,
    problems,
  };
}
