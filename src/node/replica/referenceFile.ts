import * as z from 'zod';
import type { DocId } from '../../core/ids.ts';
import type { FoundReference, ReferenceMemory } from '../../core/references/foundReference.ts';
import { writeFileAtomic } from '../atomicFile.ts';
import { readJsonFile } from '../readJsonFile.ts';
import { PRIVATE_FILE_MODE } from '../stateDirectory.ts';

/** More than a replica ever keeps. */
const MAX_FOUND = 1_000;
const schema = z.object({
  version: z.literal(1),
  found: z
    .array(
      z.object({
        docId: z.string().min(1).max(100),
        reference: z.string().min(1),
        problem: z.object({ code: z.string(), message: z.string(), remedy: z.string().optional() }),
      }),
    )
    .max(MAX_FOUND),
});

/** Keeps broken references in a file of the replica's directory; one that is damaged is taken for an empty one. */
export function createReferenceFile(file: string): ReferenceMemory {
  return {
    load: async () => {
      const read = schema.safeParse(await readJsonFile(file));
      return (read.data?.found ?? []).map(
        ({ docId, reference, problem: { code, message, remedy } }): FoundReference => {
          const problem = { code, message, ...(remedy === undefined ? {} : { remedy }) };
          return { docId: docId as DocId, reference, problem };
        },
      );
    },
    save: async (found) => {
      await writeFileAtomic(file, JSON.stringify({ version: 1, found }), { mode: PRIVATE_FILE_MODE });
    },
  };
}
