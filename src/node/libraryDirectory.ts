import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { LibraryId } from '../core/ids.ts';
import { SyncError } from '../core/replication/syncError.ts';
import { writeFileAtomic } from './atomicFile.ts';
import { librariesDirectory, makePrivateDirectory, PRIVATE_FILE_MODE } from './stateDirectory.ts';

const LIBRARY_FILE = 'library.json';
const TOKEN_FILE = 'token';
export const LOG_FILE = 'log.sqlite';
const TOKEN_BYTES = 32;
const MAX_HINTS = 100;
const MAX_DOCUMENTS_PER_HINT = 5_000;
const MAX_OPERATIONS = 5_000;
const MAX_TEXT = 1_000;

/** What suggests that a folder belongs to a library; it only suggests, the person decides. */
export interface LibraryHint {
  readonly remote?: string;
  readonly branch?: string;
  /** Name (not path) of a workspace folder that has joined. */
  readonly folderName: string;
  readonly documents: readonly LibraryHintDocument[];
}

export interface LibraryHintDocument {
  readonly path: string;
  readonly title?: string;
  readonly operations?: readonly string[];
}

/** What this machine knows of a library without opening its log. */
export interface LibraryDescription {
  readonly libraryId: LibraryId;
  readonly name: string;
  /** Wall clock, in milliseconds. */
  readonly createdAt: number;
  readonly hints: readonly LibraryHint[];
}

const shortText = z.string().max(MAX_TEXT);
/** A library's id is also its folder's name, so nothing but a UUID will do. */
const libraryIdSchema = z.uuid();
const hintSchema = z
  .strictObject({
    remote: shortText.optional(),
    branch: shortText.optional(),
    folderName: shortText,
    documents: z
      .array(
        z
          .strictObject({
            path: shortText,
            title: shortText.optional(),
            operations: z.array(shortText).max(MAX_OPERATIONS).optional(),
          })
          .transform(({ path, title, operations }): LibraryHintDocument => ({
            path,
            ...(title === undefined ? {} : { title }),
            ...(operations === undefined ? {} : { operations }),
          })),
      )
      .max(MAX_DOCUMENTS_PER_HINT),
  })
  .transform(({ remote, branch, folderName, documents }): LibraryHint => ({
    ...(remote === undefined ? {} : { remote }),
    ...(branch === undefined ? {} : { branch }),
    folderName,
    documents,
  }));
const descriptionSchema = z
  .strictObject({
    libraryId: libraryIdSchema,
    name: shortText,
    createdAt: z.number(),
    hints: z.array(hintSchema).max(MAX_HINTS),
  })
  .transform((value): LibraryDescription => ({ ...value, libraryId: value.libraryId as LibraryId }));

/** The folder of one library below the user's state directory. Throws `library-missing` for what is no library's id. */
export function libraryDirectory(stateDir: string, libraryId: LibraryId): string {
  if (!libraryIdSchema.safeParse(libraryId).success)
    throw new SyncError('library-missing', 'There is no such library.');
  return join(librariesDirectory(stateDir), libraryId);
}

/** Makes a new library with an id and a secret token of its own. */
export async function createLibrary(
  stateDir: string,
  { name, hints }: { readonly name: string; readonly hints: readonly LibraryHint[] },
): Promise<LibraryId> {
  const libraryId = randomUUID() as LibraryId;
  const directory = libraryDirectory(stateDir, libraryId);
  makePrivateDirectory(stateDir);
  makePrivateDirectory(librariesDirectory(stateDir));
  makePrivateDirectory(directory);
  await writePrivate(join(directory, TOKEN_FILE), randomBytes(TOKEN_BYTES).toString('hex'));
  // Last, for a folder without it is no library yet.
  await writeDescription(directory, { libraryId, name, createdAt: Date.now(), hints });
  return libraryId;
}

/** All libraries of this user on this machine, oldest first. One that cannot be read is left out. */
export async function listLibraries(stateDir: string): Promise<readonly LibraryDescription[]> {
  const found: LibraryDescription[] = [];
  for (const name of await namesIn(librariesDirectory(stateDir))) {
    if (!libraryIdSchema.safeParse(name).success) continue;
    const description = await readIfWhole(stateDir, name as LibraryId);
    if (description !== undefined) found.push(description);
  }
  return found.sort((a, b) => a.createdAt - b.createdAt);
}

/** Rejects with `library-missing` or `library-damaged`. */
export async function readLibrary(stateDir: string, libraryId: LibraryId): Promise<LibraryDescription> {
  const text = await readText(join(libraryDirectory(stateDir, libraryId), LIBRARY_FILE));
  const description = descriptionSchema.safeParse(parseJson(text)).data;
  if (description?.libraryId !== libraryId) {
    throw new SyncError('library-damaged', 'The description of the library cannot be read.');
  }
  return description;
}

/** Replaces what suggests folders for this library. Rejects like `readLibrary`. */
export async function updateHints(
  stateDir: string,
  libraryId: LibraryId,
  hints: readonly LibraryHint[],
): Promise<void> {
  const description = await readLibrary(stateDir, libraryId);
  await writeDescription(libraryDirectory(stateDir, libraryId), { ...description, hints });
}

/** Forgets a library with its log, which holds specs. Nothing happens where there is none. */
export async function deleteLibrary(stateDir: string, libraryId: LibraryId): Promise<void> {
  const directory = libraryDirectory(stateDir, libraryId);
  // The description first: what is left after a crash in between is no library any more.
  await rm(join(directory, LIBRARY_FILE), { force: true });
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
}

/** The library's secret. Rejects with `library-missing` or `library-damaged`. */
export async function readToken(directory: string): Promise<string> {
  const token = (await readText(join(directory, TOKEN_FILE))).trim();
  if (!/^[0-9a-f]{64}$/.test(token)) throw new SyncError('library-damaged', 'The token of the library cannot be read.');
  return token;
}

async function writeDescription(directory: string, description: LibraryDescription): Promise<void> {
  await writePrivate(join(directory, LIBRARY_FILE), `${JSON.stringify(description, undefined, 2)}\n`);
}

async function writePrivate(path: string, text: string): Promise<void> {
  await writeFileAtomic(path, text, { mode: PRIVATE_FILE_MODE });
}

async function readIfWhole(stateDir: string, libraryId: LibraryId): Promise<LibraryDescription | undefined> {
  try {
    return await readLibrary(stateDir, libraryId);
  } catch (error) {
    // A library that is half made, half deleted or damaged cannot be offered; whoever opens it by id is told.
    if (error instanceof SyncError) return undefined;
    throw error;
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new SyncError('library-missing', 'The library is not there any more.', { cause: error });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema refuses `undefined`, and the caller says that the file is damaged.
    return undefined;
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
