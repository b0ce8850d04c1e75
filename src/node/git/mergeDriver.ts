import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MergeOptions } from '../../core/merge/types.ts';
import { detectOpenApi } from '../../core/openapi/detectOpenApi.ts';
import { writeFileAtomic } from '../atomicFile.ts';
import { isErrorWithCode } from '../errorCode.ts';

const DRIVER_NAME = 'api-live-sync';
const DRIVER_TITLE = 'API Live Sync: merge OpenAPI files by their elements';
const MAX_OUTPUT_BYTES = 1 << 26;
const execute = promisify(execFile);

/** What it takes that git merges the OpenAPI files of a repository with this program. Nothing is written yet. */
export interface MergeDriverPlan {
  /** The repository's top folder. */
  readonly root: string;
  /** Lines that `.gitattributes` does not have yet. */
  readonly lines: readonly string[];
  /** The command that git is to run: a line for `sh`. */
  readonly driver: string;
  /** How many patterns there are in all, with those that stand there already. */
  readonly patternCount: number;
}

/** Why there is nothing to plan, as a person should read it. */
export class MergeDriverError extends Error {}

/**
 * Looks at the repository that a folder belongs to.
 * @param patterns as in gitignore; without any, a line for each OpenAPI file that git knows.
 * @param command how git is to call this program, for example `node "/path/cli.js"`.
 * @param infoVersion what the driver is to do when both sides changed `info.version`.
 * Throws `MergeDriverError`.
 */
export async function planMergeDriver(
  folder: string,
  patterns: readonly string[],
  command: string,
  infoVersion: NonNullable<MergeOptions['infoVersion']> = 'ask',
): Promise<MergeDriverPlan> {
  const root = (await git(folder, ['rev-parse', '--show-toplevel'])).replace(/\r?\n$/, '');
  const wanted = patterns.length > 0 ? patterns : await findDocuments(root);
  if (wanted.length === 0) throw new MergeDriverError('this repository has no OpenAPI files that git knows');
  const known = new Set((await readAttributes(root)).split(/\r?\n/));
  const lines = wanted.map((pattern) => `${quote(pattern)} merge=${DRIVER_NAME}`).filter((line) => !known.has(line));
  const rule = infoVersion === 'ask' ? '' : ` --info-version ${infoVersion}`;
  return { root, lines, driver: `${command} merge-driver${rule} %O %A %B %P %L`, patternCount: wanted.length };
}

/** Writes what was planned: the driver to the repository's own git configuration, the lines to `.gitattributes`. Throws `MergeDriverError`. */
export async function installMergeDriver({ root, lines, driver }: MergeDriverPlan): Promise<void> {
  await git(root, ['config', `merge.${DRIVER_NAME}.name`, DRIVER_TITLE]);
  await git(root, ['config', `merge.${DRIVER_NAME}.driver`, driver]);
  if (lines.length === 0) return;
  const before = await readAttributes(root);
  const lineEnd = before.includes('\r\n') ? '\r\n' : '\n';
  const separator = before === '' || before.endsWith('\n') ? '' : lineEnd;
  const added = lines.map((line) => line + lineEnd).join('');
  await writeFileAtomic(join(root, '.gitattributes'), before + separator + added);
}

async function readAttributes(root: string): Promise<string> {
  try {
    return await readFile(join(root, '.gitattributes'), 'utf8');
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return '';
    throw error;
  }
}

async function findDocuments(root: string): Promise<string[]> {
  const listed = await git(root, ['ls-files', '-z', '--', '*.yaml', '*.yml', '*.json', '*.jsonc']);
  const found: string[] = [];
  for (const path of listed.split('\0')) {
    if (path === '') continue;
    // What git knows and is not there now (deleted, sparse) has nothing to look at.
    const text = await readFile(join(root, path), 'utf8').catch(() => '');
    if (detectOpenApi(text) !== undefined) found.push(`/${path}`);
  }
  return found;
}

/** A pattern with spaces stands in quotes in .gitattributes. */
function quote(pattern: string): string {
  return /[\s"]/.test(pattern) ? JSON.stringify(pattern) : pattern;
}

async function git(cwd: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute('git', [...args], { cwd, maxBuffer: MAX_OUTPUT_BYTES });
    return stdout;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) throw new MergeDriverError('git is not on the PATH');
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    if (/not a git repository/i.test(said)) throw new MergeDriverError('this folder is not in a git repository');
    throw new MergeDriverError(said === '' ? String(error) : said);
  }
}
