import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
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
  /** Replicas that have left: their state is kept, so that joining again goes on from it. */
  readonly left: readonly ReplicaRecord[];
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
  /** The person has paused it; it stays so over reloads until Resume. */
  readonly isPaused: boolean;
}

const replicaSchema = z
  .object({
    replicaId: z.string().min(1).max(100),
    libraryId: z.string().min(1).max(100),
    branch: z.string(),
    layout: z.enum(['same', 'paired']),
    pairs: z.record(z.string(), z.string()),
    isPaused: z.boolean().default(false),
  })
  .transform((one): ReplicaRecord => ({
    ...one,
    replicaId: one.replicaId as ReplicaId,
    libraryId: one.libraryId as LibraryId,
  }));
const schema = z
  .object({
    version: z.literal(1),
    folder: z.string(),
    isNever: z.boolean(),
    replicas: z.array(replicaSchema),
    left: z.array(replicaSchema).default([]),
  })
  .transform(({ folder, isNever, replicas, left }): FolderRecord => ({ folder, isNever, replicas, left }));

/** The file that keeps a folder's record. @param folder its real path. */
export function folderRecordFile(stateDir: string, folder: string): string {
  return join(stateDir, 'folders', `${hashText(folder).slice(0, 32)}.json`);
}

/** Reads a folder's record; an empty one where nobody has decided anything, or where the file is damaged. */
export async function readFolderRecord(stateDir: string, folder: string): Promise<FolderRecord> {
  const none: FolderRecord = { folder, isNever: false, replicas: [], left: [] };
  try {
    return parseRecord(await readFile(folderRecordFile(stateDir, folder), 'utf8')) ?? none;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return none;
    throw error;
  }
}

/** The records of all folders of this user that are still there. */
export async function listFolderRecords(stateDir: string): Promise<readonly FolderRecord[]> {
  const directory = join(stateDir, 'folders');
  const found: FolderRecord[] = [];
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.endsWith('.json')) continue;
    const record = parseRecord(await readFile(join(directory, name), 'utf8').catch(() => ''));
    if (record !== undefined && (await stat(record.folder).catch(() => undefined))?.isDirectory() === true)
      found.push(record);
  }
  return found;
}

/** Undefined for damage from outside (a record is written as a whole or not at all): then the person is asked again. */
function parseRecord(text: string): FolderRecord | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function writeFolderRecord(stateDir: string, record: FolderRecord): Promise<void> {
  makePrivateDirectory(join(stateDir, 'folders'));
  const text = `${JSON.stringify({ version: 1, ...record }, undefined, 2)}\n`;
  await writeFileAtomic(folderRecordFile(stateDir, record.folder), text, { mode: PRIVATE_FILE_MODE });
}

/**
 * The record with a replica joined on its branch. One that has left the same library on the same branch with the same
 * pairs is taken up again, with all that it knows: without its shadow, what was deleted meanwhile would come back.
 * @param newId for a replica that was never here.
 */
export function withReplica(
  record: FolderRecord,
  joined: Omit<ReplicaRecord, 'replicaId' | 'isPaused'>,
  newId: ReplicaId,
): FolderRecord {
  const before = record.left.findLast(
    (one) =>
      one.libraryId === joined.libraryId &&
      one.branch === joined.branch &&
      one.layout === joined.layout &&
      isDeepStrictEqual(one.pairs, joined.pairs),
  );
  const others = record.replicas.filter((one) => one.branch !== joined.branch);
  const replica: ReplicaRecord = { ...joined, replicaId: before?.replicaId ?? newId, isPaused: false };
  return {
    ...record,
    isNever: false,
    replicas: [...others, replica],
    // Who joins another library on this branch has left the one before.
    left: [
      ...record.left.filter((one) => one !== before),
      ...record.replicas.filter((one) => one.branch === joined.branch && one.replicaId !== replica.replicaId),
    ],
  };
}
