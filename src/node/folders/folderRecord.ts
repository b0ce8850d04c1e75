import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { LibraryId, ReplicaId } from '../../core/ids.ts';
import { writeFileAtomic } from '../atomicFile.ts';
import { isErrorWithCode } from '../files/diskFiles.ts';
import { hashText } from '../hashText.ts';
import { makePrivateDirectory, PRIVATE_FILE_MODE } from '../stateDirectory.ts';

/** What a person decided for one workspace folder; it lies in the user's state directory, never in the folder. */
export interface FolderRecord {
  readonly folder: string;
  /** Never Here: nothing is offered again. */
  readonly isNever: boolean;
  /** One replica per git branch that has joined. */
  readonly replicas: readonly ReplicaRecord[];
}

export interface ReplicaRecord {
  readonly replicaId: ReplicaId;
  readonly libraryId: LibraryId;
  /** As `readBranch` names it; '' where the folder is not in git. */
  readonly branch: string;
  /** `same`: documents lie where they lie in the library; `paired`: only these have a copy here. */
  readonly layout: 'same' | 'paired';
  /** Library path → local path, for `paired`. */
  readonly pairs: Readonly<Record<string, string>>;
}

const schema = z.object({
  version: z.literal(1),
  folder: z.string(),
  isNever: z.boolean(),
  replicas: z.array(
    z.object({
      replicaId: z.string().min(1).max(100),
      libraryId: z.string().min(1).max(100),
      branch: z.string(),
      layout: z.enum(['same', 'paired']),
      pairs: z.record(z.string(), z.string()),
    }),
  ),
});

/** The file that keeps a folder's record. @param folder its real path. */
export function folderRecordFile(stateDir: string, folder: string): string {
  return join(stateDir, 'folders', `${hashText(folder).slice(0, 32)}.json`);
}

/** Reads a folder's record; an empty one where nobody has decided anything, or where the file is damaged. */
export async function readFolderRecord(stateDir: string, folder: string): Promise<FolderRecord> {
  const none: FolderRecord = { folder, isNever: false, replicas: [] };
  let text: string;
  try {
    text = await readFile(folderRecordFile(stateDir, folder), 'utf8');
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return none;
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Written as a whole or not at all, so this is damage from outside: the person is asked again.
    return none;
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) return none;
  return { ...parsed.data, replicas: parsed.data.replicas as unknown as readonly ReplicaRecord[] };
}

export async function writeFolderRecord(stateDir: string, record: FolderRecord): Promise<void> {
  makePrivateDirectory(join(stateDir, 'folders'));
  const text = `${JSON.stringify({ version: 1, ...record }, undefined, 2)}\n`;
  await writeFileAtomic(folderRecordFile(stateDir, record.folder), text, { mode: PRIVATE_FILE_MODE });
}
