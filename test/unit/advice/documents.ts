import { adviceContext } from '../../../src/core/advice/adviceContext.ts';
import type { AdviceQuestion } from '../../../src/core/advice/adviceRequest.ts';
import { checkResolutions } from '../../../src/core/advice/checkResolutions.ts';
import type { ResolutionCheck } from '../../../src/core/advice/resolutionCheck.ts';
import { planAdvice, type AdviceRequest } from '../../../src/core/advice/adviceRequest.ts';
import { threeWayMerge } from '../../../src/core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeConflict, MergeInput, Resolution } from '../../../src/core/merge/types.ts';

/** A clash, as a replica holds it: the file keeps ours. */
export interface Clash {
  readonly input: MergeInput;
  readonly format: DocumentFormat;
  readonly conflicts: readonly MergeConflict[];
}

export const BASE = `openapi: 3.1.0
info:
  title: Pets
  version: 1.0.0
servers:
  - url: https://api.pets.example/v1
paths:
  /pets:
    get:
      summary: List pets
      parameters:
        - in: query
          name: limit
          description: How many
          schema: { type: integer, maximum: 10 }
      responses:
        '200':
          description: Pets
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Pet'
components:
  schemas:
    Pet:
      type: object
      properties:
        name: { type: string }
`;

/** Makes a clash of two lists of replacements in one text. */
export function clash(
  ours: readonly (readonly [string, string])[],
  theirs: readonly (readonly [string, string])[],
  base = BASE,
  format: DocumentFormat = 'yaml',
): Clash {
  const edit = (edits: typeof ours): string =>
    edits.reduce((text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`The text has no ${from}`);
      return text.replace(from, to);
    }, base);
  const merged = threeWayMerge({ base, ours: edit(ours), theirs: edit(theirs) }, format);
  // What is held from then on: the file with ours, the library with theirs, and the held base.
  const input = { base: merged.nextBase, ours: merged.text, theirs: edit(theirs) };
  return { input, format, conflicts: threeWayMerge(input, format).conflicts };
}

/** Both changed the summary of one operation. */
export function summaryClash(theirs = 'All the pets'): Clash {
  return clash([['summary: List pets', 'summary: List your pets']], [['summary: List pets', `summary: ${theirs}`]]);
}

export function only(conflicts: readonly MergeConflict[], label?: string): MergeConflict {
  const found = label === undefined ? conflicts : conflicts.filter((one) => one.label.includes(label));
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`Expected one conflict, not ${conflicts.map((one) => one.label).join(', ')}`);
  return found[0];
}

/** The checks of resolving one conflict with a text, or a side. */
export function checksOf(
  { input, format }: Clash,
  conflict: MergeConflict,
  resolution: Resolution | string,
): readonly ResolutionCheck[] {
  const resolved: Resolution = typeof resolution === 'string' ? { choice: 'custom', text: resolution } : resolution;
  return checkResolutions(input, format, [conflict], new Map([[conflict.id, resolved]])).checks;
}

/** The names of the checks that failed. */
export function failedIn(checks: readonly ResolutionCheck[]): string[] {
  return checks.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name);
}

export function questions(conflicts: readonly MergeConflict[]): AdviceQuestion[] {
  return conflicts.map((conflict) => ({ conflict, kindText: 'You and alice both changed this', theirsName: 'alice' }));
}

/** The one request for a clash. */
export function requestFor({ input, format, conflicts }: Clash, rules?: string): AdviceRequest {
  const [request, ...more] = planAdvice(questions(conflicts), adviceContext(input, format, conflicts), rules).requests;
  if (request === undefined || more.length > 0) throw new Error('Expected one request.');
  return request;
}
