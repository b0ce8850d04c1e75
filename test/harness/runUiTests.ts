/** `npm run test:ui`: the tests of test/ui in a real workbench. Arguments choose files by a part of their name; `--` passes the rest to Node's test runner. */
import { spawn } from 'node:child_process';
import { glob } from 'node:fs/promises';
import path from 'node:path';
import { ensureChromium } from './chromiumInstall.ts';
import { extensionIsBuilt } from './installExtension.ts';
import { projectRoot } from './paths.ts';
import { ensureVsCode } from './vscodeInstall.ts';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(args: readonly string[]): Promise<number> {
  const filters = args.filter((arg) => !arg.startsWith('-'));
  const flags = args.filter((arg) => arg.startsWith('-') && arg !== '--');
  const files: string[] = [];
  for await (const file of glob('test/ui/**/*.test.ts', { cwd: projectRoot })) {
    if (filters.length === 0 || filters.some((filter) => path.basename(file).includes(filter))) files.push(file);
  }
  if (files.length === 0) {
    say('No test chosen.');
    return 1;
  }
  // Here and not in the tests, so that their time limits measure them and not a download.
  await Promise.all([ensureVsCode(say), ensureChromium(say)]);
  if (!extensionIsBuilt()) say('The extension is not built: tests that need it will fail. Run "npm run build" first.');

  const child = spawn(
    process.execPath,
    ['--test', '--test-concurrency=1', '--test-reporter=spec', ...flags, ...files.sort()],
    {
      cwd: projectRoot,
      stdio: 'inherit',
    },
  );
  // The terminal sends Ctrl-C to the tests too; they end what they started, and then we end.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.once('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}

process.exitCode = await main(process.argv.slice(2));
