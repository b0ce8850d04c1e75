import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { LibraryId } from '../core/ids.ts';
import { SyncError } from '../core/replication/syncError.ts';
import { writeFileAtomic } from './atomicFile.ts';
import { LeaderLock } from './lock/leaderLock.ts';
import { removeUnderLock } from './lock/removeUnderLock.ts';
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
  /** Where the workspace folder lies in its checkout, with `/`; absent for the checkout's root. */
  readonly pathInCheckout?: string;
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
    pathInCheckout: shortText.optional(),
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
  .transform(({ remote, branch, pathInCheckout, folderName, documents }): LibraryHint => ({
    ...(remote === undefined ? {} : { remote }),
    ...(branch === undefined ? {} : { branch }),
    ...(pathInCheckout === undefined ? {} : { pathInCheckout }),
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

/**
 * Makes a new library with an id and a secret token of its own. What is too long for a description is cut: it only
 * suggests. Rejects with `library-damaged` before anything is made where nothing readable could be written.
 */
export async function createLibrary(
  stateDir: string,
  { name, hints }: { readonly name: string; readonly hints: readonly LibraryHint[] },
): Promise<LibraryId> {
  const libraryId = randomUUID() as LibraryId;
  const text = descriptionText({ libraryId, name, createdAt: Date.now(), hints });
  const directory = libraryDirectory(stateDir, libraryId);
  makePrivateDirectory(stateDir);
  makePrivateDirectory(librariesDirectory(stateDir));
  makePrivateDirectory(directory);
  await writePrivate(join(directory, TOKEN_FILE), randomBytes(TOKEN_BYTES).toString('hex'));
  // Last, for a folder without it is no library yet.
  await writePrivate(join(directory, LIBRARY_FILE), text);
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
  const text = descriptionText({ ...description, hints });
  await writePrivate(join(libraryDirectory(stateDir, libraryId), LIBRARY_FILE), text);
}

/**
 * Forgets a library with its log, which holds specs; true where there is none. False, and nothing happens, where
 * somebody leads it.
 * @param whileHeld done first, while nobody else can lead it.
 */
export async function deleteLibrary(
  stateDir: string,
  libraryId: LibraryId,
  whileHeld: () => Promise<void> = () => Promise.resolve(),
): Promise<boolean> {
  const directory = libraryDirectory(stateDir, libraryId);
  return removeUnderLock(directory, new LeaderLock(directory), async () => {
    await whileHeld();
    // The description first: what is left after a crash in between is no library any more.
    await rm(join(directory, LIBRARY_FILE), { force: true });
  });
}

/** The library's secret. Rejects with `library-missing` or `library-damaged`. */
export async function readToken(directory: string): Promise<string> {
  const token = (await readText(join(directory, TOKEN_FILE))).trim();
  if (!/^[0-9a-f]{64}$/.test(token)) throw new SyncError('library-damaged', 'The token of the library cannot be read.');
  return token;
}

/** The description as it is written: cut to what the reader takes, and read once before anybody relies on it. */
function descriptionText(description: LibraryDescription): string {
  const hints = description.hints.slice(0, MAX_HINTS).map(fitHint);
  const text = `${JSON.stringify({ ...description, name: cut(description.name), hints }, undefined, 2)}\n`;
  if (!descriptionSchema.safeParse(parseJson(text)).success)
    throw new SyncError('library-damaged', 'The description of the library could not be written.');
  return text;
}

/** Half a remote, branch or path would name another one: what is too long to be compared is left out. */
function fitHint({ remote, branch, pathInCheckout, folderName, documents }: LibraryHint): LibraryHint {
  const isComparable = [remote, branch, pathInCheckout].every((one) => one === undefined || one.length <= MAX_TEXT);
  return {
    ...(remote === undefined || !isComparable ? {} : { remote }),
    ...(branch === undefined || !isComparable ? {} : { branch }),
    ...(pathInCheckout === undefined || !isComparable ? {} : { pathInCheckout }),
    folderName: cut(folderName),
    documents: documents
      .filter(({ path }) => path.length <= MAX_TEXT)
      .slice(0, MAX_DOCUMENTS_PER_HINT)
      .map(({ path, title, operations }) => ({
        path,
        ...(title === undefined ? {} : { title: cut(title) }),
        ...(operations === undefined
          ? {}
          : { operations: operations.filter((one) => one.length <= MAX_TEXT).slice(0, MAX_OPERATIONS) }),
      })),
  };
}

function cut(text: string): string {
  return text.slice(0, MAX_TEXT);
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
