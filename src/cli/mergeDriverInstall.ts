import { parseArgs } from 'node:util';
import { installMergeDriver, planMergeDriver } from '../node/git/mergeDriver.ts';
import { EXIT_ERROR, type MergeIo, readInfoVersion } from './mergeFiles.ts';

const USAGE = `Usage: api-live-sync install-merge-driver [--yes] [--info-version ask|higher|ours|theirs] [PATTERN…]

Makes git merge, rebase and cherry-pick use this merge for the OpenAPI files of the repository: writes a line per file
(or per PATTERN, as in gitignore) to .gitattributes, and the driver to the repository's own git configuration. Asks first.
--info-version: what to do when both sides changed info.version; a conflict (ask) unless you say otherwise.`;

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
      options: {
        yes: { type: 'boolean', short: 'y' },
        'info-version': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      io.writeLine(USAGE);
      return 0;
    }
    const plan = await planMergeDriver(io.cwd, positionals, driverCommand, readInfoVersion(values['info-version']));
    io.writeLine(
      plan.lines.length === 0
        ? '.gitattributes has all lines already.'
        : `To .gitattributes:\n${plan.lines.map((line) => `  ${line}`).join('\n')}`,
    );
    io.writeLine(`To .git/config:\n  merge.api-live-sync.driver = ${plan.driver}`);
    if (values.yes !== true && !(await io.confirm('Write this?'))) {
      io.writeLine('Nothing was written.');
      return 0;
    }
    await installMergeDriver(plan);
    return 0;
  } catch (error) {
    io.writeError(`api-live-sync install-merge-driver: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT_ERROR;
  }
}
