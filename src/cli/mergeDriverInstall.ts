import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { detectOpenApi } from '../core/openapi/detectOpenApi.ts';
import { EXIT_ERROR, type MergeIo } from './mergeFiles.ts';

const USAGE = `Usage: api-live-sync install-merge-driver [--yes] [PATTERN…]

Makes git merge, rebase and cherry-pick use this merge for the OpenAPI files of the repository: writes a line per file
(or per PATTERN, as in gitignore) to .gitattributes, and the driver to the repository's own git configuration. Asks first.`;

const DRIVER_NAME = 'api-live-sync';
const execute = promisify(execFile);

/** `driverCommand`: how git is to call this program, for example `node "/path/dist/cli.js"`. Returns the exit code. */
export async function runInstallMergeDriverCommand(
  args: readonly string[],
  io: MergeIo,
  driverCommand: string,
): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { yes: { type: 'boolean', short: 'y' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help === true) {
      io.writeLine(USAGE);
      return 0;
    }
    const root = (await git(io.cwd, ['rev-parse', '--show-toplevel'])).trim();
    const patterns = positionals.length > 0 ? positionals : await findDocuments(root);
    if (patterns.length === 0) {
      io.writeError('api-live-sync install-merge-driver: this repository has no OpenAPI files that git knows');
      return EXIT_ERROR;
    }
    const attributesPath = join(root, '.gitattributes');
    const before = await readFile(attributesPath, 'utf8').catch(() => '');
    const known = new Set(before.split(/\r?\n/));
    const lines = patterns
      .map((pattern) => `${quote(pattern)} merge=${DRIVER_NAME}`)
      .filter((line) => !known.has(line));
    const driver = `${driverCommand} merge-driver %O %A %B %P %L`;
    io.writeLine(
      lines.length === 0
        ? '.gitattributes has all lines already.'
        : `To .gitattributes:\n${lines.map((line) => `  ${line}`).join('\n')}`,
    );
    io.writeLine(`To .git/config:\n  merge.${DRIVER_NAME}.driver = ${driver}`);
    if (values.yes !== true && !(await io.confirm('Write this?'))) {
      io.writeLine('Nothing was written.');
      return 0;
    }
    await git(root, ['config', `merge.${DRIVER_NAME}.name`, 'API Live Sync: merge OpenAPI files by their elements']);
    await git(root, ['config', `merge.${DRIVER_NAME}.driver`, driver]);
    if (lines.length > 0) {
      const separator = before === '' || before.endsWith('\n') ? '' : '\n';
      await writeFile(attributesPath, `${before}${separator}${lines.join('\n')}\n`);
    }
    return 0;
  } catch (error) {
    io.writeError(
      `api-live-sync install-merge-driver: ${error instanceof Error ? error.message.trim() : String(error)}`,
    );
    return EXIT_ERROR;
  }
}

async function findDocuments(root: string): Promise<string[]> {
  const listed = await git(root, ['ls-files', '-z', '--', '*.yaml', '*.yml', '*.json', '*.jsonc']);
  const found: string[] = [];
  for (const path of listed.split('\0')) {
    if (path === '') continue;
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
  const { stdout } = await execute('git', [...args], { cwd, maxBuffer: 1 << 26 });
  return stdout;
}
