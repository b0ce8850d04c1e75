import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { globPattern } from '../../core/sources/globPattern.ts';
import type { SpecAnswer } from '../../core/sources/specFetcher.ts';
import { realFileInside } from '../files/insideFolder.ts';
import { DiskStableReader } from '../files/stableReader.ts';

/** A glob that leads to more than these is about a disk, not about a generated file. */
const MAX_ENTRIES = 20_000;
const MAX_DEPTH = 12;
const IGNORED_FOLDERS = new Set(['node_modules', '.git']);

/** Whether a `file` of a source leads out of its workspace folder by what is written there. */
export function leadsOutside(folder: string, file: string): boolean {
  const path = relative(folder, resolve(folder, file));
  return isAbsolute(path) || path.split(sep)[0] === '..';
}

/** The folder that holds the file, or the part of a glob that has no wildcard. */
export function watchedFolderOf(folder: string, file: string): string {
  const whole = resolve(folder, file);
  const wildcard = whole.search(/[*?]/);
  return wildcard === -1 ? dirname(whole) : dirname(whole.slice(0, wildcard) + '_');
}

/**
 * Reads a generated file, or the newest one that a glob fits. Waits until it is whole. A link inside of the folder that
 * leads out of it is refused: nobody said yes to that.
 */
export async function readFileSource(
  folder: string,
  file: string,
  known: { readonly etag: string | undefined },
  maxBytes: number,
): Promise<SpecAnswer> {
  const found = /[*?]/.test(file) ? await newestMatch(folder, file) : resolve(folder, file);
  if (found === undefined)
    return failed('source-file-missing', `No file fits ${file} yet.`, 'It is taken as soon as there is one.', true);
  const isMeantToBeInside = !leadsOutside(folder, file);
  if (isMeantToBeInside && realFileInside(folder, found) === undefined)
    return failed(
      'source-file-outside',
      `${file} is a link that leads out of this folder.`,
      'Give the source the path to which it leads.',
      false,
    );
  const stats = await stat(found).catch(() => undefined);
  if (stats === undefined)
    return failed('source-file-missing', `${file} is not there yet.`, 'It is taken as soon as it is made.', true);
  if (stats.size > maxBytes)
    return failed(
      'answer-too-large',
      `${basename(found)} is larger than ${(maxBytes / 1024 / 1024).toLocaleString('en-US')} MB.`,
      'Raise "maxMegabytes" of this source if it is meant to be so large.',
      false,
    );
  const etag = `${found}:${stats.size}:${stats.mtimeMs}:${stats.ino}`;
  if (etag === known.etag) return { kind: 'notModified' };
  const reader = new DiskStableReader(isMeantToBeInside ? folder : undefined);
  const reading = await reader.read(found, undefined, undefined);
  if (reading.kind === 'missing')
    return failed('source-file-missing', `${file} is not there yet.`, 'It is taken as soon as it is made.', true);
  if (reading.kind === 'failed')
    return { kind: 'failed', problem: reading.problem, canRetry: true, isServerDown: false };
  return { kind: 'text', text: reading.working.raw, contentType: '', etag, lastModified: undefined };
}

async function newestMatch(folder: string, glob: string): Promise<string | undefined> {
  const root = watchedFolderOf(folder, glob);
  const whole = resolve(folder, glob).split(sep).join('/');
  const fits = globPattern(whole);
  const open: { readonly path: string; readonly depth: number }[] = [{ path: root, depth: 0 }];
  let seen = 0;
  let newest: { readonly path: string; readonly mtimeMs: number } | undefined;
  for (let next = open.shift(); next !== undefined && seen < MAX_ENTRIES; next = open.shift()) {
    // A folder that is not there, or closed to us, holds nothing that fits.
    for (const entry of await readdir(next.path, { withFileTypes: true }).catch(() => [])) {
      seen += 1;
      const path = join(next.path, entry.name);
      if (entry.isDirectory() && next.depth < MAX_DEPTH && !IGNORED_FOLDERS.has(entry.name))
        open.push({ path, depth: next.depth + 1 });
      if (!entry.isFile() || !fits(path.split(sep).join('/'))) continue;
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: -1 }));
      // The name decides between files of the same moment, so that every run takes the same one.
      if (newest === undefined || mtimeMs > newest.mtimeMs || (mtimeMs === newest.mtimeMs && path < newest.path))
        newest = { path, mtimeMs };
    }
  }
  return newest?.path;
}

function failed(code: string, message: string, remedy: string, canRetry: boolean): SpecAnswer {
  return { kind: 'failed', problem: { code, message, remedy }, canRetry, isServerDown: false };
}
