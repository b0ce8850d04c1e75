import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { isErrorWithCode } from '../errorCode.ts';

/** As many as an operating system follows before it speaks of a loop. */
const MAX_LINKS = 40;

/**
 * Where `file` really lies, with every link on the way followed, also those that lead to nothing yet; undefined where
 * that is not inside `folder`. A repository may hold links to anywhere: what they lead to is no document of the folder.
 * Synchronous, so that it can be asked right before a file is opened or replaced.
 * @param folder its real path.
 */
export function realFileInside(folder: string, file: string): string | undefined {
  const real = followLinks(resolve(file), MAX_LINKS);
  const start = folder.endsWith(sep) ? folder : folder + sep;
  return real?.startsWith(start) === true ? real : undefined;
}

function followLinks(path: string, linksLeft: number): string | undefined {
  try {
    return realpathSync.native(path);
  } catch (error) {
    // A loop of links, or a folder that is closed to us: wherever it leads, nobody can vouch for it.
    if (!isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
  }
  if (linksLeft === 0 || path === dirname(path)) return undefined;
  const parent = followLinks(dirname(path), linksLeft);
  if (parent === undefined) return undefined;
  const place = join(parent, basename(path));
  const link = readLinkIfOne(place);
  return link === undefined ? place : followLinks(resolve(parent, link), linksLeft - 1);
}

function readLinkIfOne(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    // Not there: then it is no link.
    return undefined;
  }
}
