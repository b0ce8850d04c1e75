import type { Problem } from '../problem.ts';
import { MAX_PATH_BYTES, MAX_PATH_SEGMENT_BYTES } from './limits.ts';

/** Two paths that fold to the same text are the same file on Windows and macOS, so a library holds only one of them. */
export function foldPath(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

/** Names that open a device instead of a file on Windows, with or without an extension. */
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i;
/** Git's own folder, also in the short form that Windows makes of it: whoever writes there runs programs on our machine. */
const GIT_FOLDER = /^(\.git|git~[0-9]+)$/i;
/** Control and format characters (the latter are ignored by some file systems, so `.g\u200cit` would be `.git`), lone surrogates, and what Windows refuses or reads as a drive or stream. */
const FORBIDDEN_CHARACTER = /[\p{Cc}\p{Cf}\p{Cs}\\:*?"<>|]/u;

/**
 * Says what is wrong with a path that a peer sent, or undefined where a file of that name, below the library's root,
 * is harmless on every platform (I10).
 */
export function checkLibraryPath(path: string): Problem | undefined {
  if (path === '') return refuse('The path is empty.');
  if (utf8Length(path) > MAX_PATH_BYTES) return refuse('The path is too long.');
  if (FORBIDDEN_CHARACTER.test(path)) return refuse('The path has characters that not every file system can hold.');
  if (path.startsWith('/')) return refuse('The path is not relative.');
  for (const segment of path.split('/')) {
    if (segment === '') return refuse('The path has an empty part.');
    if (segment === '.' || segment === '..') return refuse('The path leaves its folder.');
    if (utf8Length(segment) > MAX_PATH_SEGMENT_BYTES) return refuse('A part of the path is too long.');
    if (/[. ]$/.test(segment)) return refuse('A part of the path ends with a dot or a space.');
    if (WINDOWS_DEVICE.test(segment)) return refuse('A part of the path names a device.');
    if (GIT_FOLDER.test(segment)) return refuse("The path lies in git's own folder.");
  }
  return undefined;
}

function refuse(message: string): Problem {
  return { code: 'path-not-allowed', message, severity: 'error' };
}

/** Length of a text in UTF-8 bytes, without encoding it; a lone surrogate counts as the three bytes that replace it. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let offset = 0; offset < text.length; offset += 1) {
    const unit = text.charCodeAt(offset);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(offset + 1))) {
      bytes += 2;
      offset += 1;
    } else bytes += 2;
  }
  return bytes;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
