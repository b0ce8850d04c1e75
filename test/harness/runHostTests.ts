/** `npm run test:host`: every suite of test/host inside a real extension host. Arguments choose suites by a part of their name. */
import { existsSync } from 'node:fs';
import { glob, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runTests, TestRunFailedError } from '@vscode/test-electron';
import { build } from 'esbuild';
import { hostSuites } from '../host/suites.ts';
import { findDesktopVsCode } from './desktopVsCode.ts';
import { resultVariable, workspaceVariable } from './hostSuite.ts';
import type { HostResult, HostSuite } from './hostSuite.ts';
import { extensionIsBuilt, installExtension } from './installExtension.ts';
import { trustVariable } from './launcherVariables.ts';
import { installModelExtension } from './modelExtension.ts';
import { compiledTestsDir, projectRoot } from './paths.ts';
import { baseSettings } from './settings.ts';
import { copyWorkspace } from './workspaces.ts';

const hostDir = path.join(projectRoot, 'test', 'host');

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(filters: readonly string[]): Promise<number> {
  const chosen: string[] = [];
  for await (const file of glob('**/*.test.ts', { cwd: hostDir })) {
    if (filters.length === 0 || filters.some((filter) => file.includes(filter))) chosen.push(file);
  }
  chosen.sort();
  if (chosen.length === 0) {
    say('No suite chosen.');
    return 1;
  }
  const launcher = path.join(import.meta.dirname, 'launcher.ts');
  const executable = (await findDesktopVsCode(say)) ?? launcher;
  const interruption = new AbortController();
  process.on('SIGINT', () => {
    interruption.abort();
  });
  const total = { passed: 0, failed: 0, pending: 0 };
  for (const file of chosen) {
    say(`\n── ${file}`);
    const suite = hostSuites[file] ?? {};
    if (suite.untrusted === true && process.platform === 'win32') {
      say('Left out: a desktop VS Code under test trusts every folder.');
      continue;
    }
    const result = await runSuite(file, suite, suite.untrusted === true ? launcher : executable);
    if (interruption.signal.aborted) return 130;
    total.passed += result.passed;
    total.failed += result.failed;
    total.pending += result.pending;
  }
  say(`\n${total.passed} passed, ${total.failed} failed${total.pending > 0 ? `, ${total.pending} skipped` : ''}`);
  return total.failed === 0 ? 0 : 1;
}

/** One suite on a VS Code, a workspace and a state directory of its own. A suite that ends without counts counts as one failure. */
async function runSuite(file: string, suite: HostSuite, executable: string): Promise<HostResult> {
  const dir = await realpath(await mkdtemp(path.join(tmpdir(), 'als-host-')));
  try {
    const workspace = await copyWorkspace(suite.workspace ?? 'harbor-tours', path.join(dir, 'workspace'));
    const userDataDir = path.join(dir, 'user-data');
    await mkdir(path.join(userDataDir, 'User'), { recursive: true });
    await writeFile(
      path.join(userDataDir, 'User', 'settings.json'),
      JSON.stringify({ ...baseSettings, ...suite.settings }),
    );
    const resultFile = path.join(dir, 'result.json');
    let failure: unknown;
    try {
      await runTests({
        vscodeExecutablePath: executable,
        extensionDevelopmentPath: await developmentPath(suite, dir),
        extensionTestsPath: await bundleSuite(file),
        launchArgs: [workspace, `--user-data-dir=${userDataDir}`, `--extensions-dir=${path.join(dir, 'extensions')}`],
        extensionTestsEnv: {
          API_LIVE_SYNC_STATE_DIR: path.join(dir, 'state'),
          [workspaceVariable]: workspace,
          [resultVariable]: resultFile,
          ...(suite.untrusted === true ? { [trustVariable]: 'ask' } : {}),
          ...suite.env,
        },
      });
    } catch (error) {
      if (!(error instanceof TestRunFailedError)) throw error;
      failure = error;
    }
    if (!existsSync(resultFile)) {
      say(`${file} ended without a result${failure instanceof Error ? `: ${failure.message}` : '.'}`);
      return { passed: 0, failed: 1, pending: 0 };
    }
    const result = JSON.parse(await readFile(resultFile, 'utf8')) as HostResult;
    return failure !== undefined && result.failed === 0 ? { ...result, failed: 1 } : result;
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Makes one file of a suite, in the module format that VS Code's test entry asks for. */
async function bundleSuite(file: string): Promise<string> {
  const outfile = path.join(compiledTestsDir, 'host', file.replace(/\.ts$/, ''), 'index.cjs');
  await build({
    entryPoints: [path.join(hostDir, 'index.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    sourcemap: 'inline',
    external: ['vscode', 'mocha'],
    inject: [path.join(import.meta.dirname, 'hostConsole.ts')],
    logLevel: 'warning',
    plugins: [
      {
        name: 'host-tests',
        setup: (bundler) => {
          bundler.onResolve({ filter: /^host-tests$/ }, () => ({ path: 'host-tests', namespace: 'host-tests' }));
          bundler.onLoad({ filter: /.*/, namespace: 'host-tests' }, () => ({
            contents: `export function loadHostTests() { require(${JSON.stringify(path.join(hostDir, file))}); }`,
            resolveDir: hostDir,
          }));
        },
      },
    ],
  });
  return outfile;
}

/** The extension under development: the product, or the one with the test models; then the product is installed, as VS Code's page takes only one. */
async function developmentPath(suite: HostSuite, dir: string): Promise<string> {
  if (suite.models === true) {
    if (extensionIsBuilt()) await installExtension(path.join(dir, 'extensions'));
    return installModelExtension(path.join(dir, 'development'));
  }
  return extensionIsBuilt() ? projectRoot : writeStubExtension(path.join(dir, 'stub'));
}

/** For runs before the product is built: VS Code wants some extension to be under development. */
async function writeStubExtension(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  const manifest = { name: 'stub', publisher: 'api-live-sync-tests', version: '1.0.0', engines: { vscode: '^1.90.0' } };
  await writeFile(path.join(dir, 'package.json'), JSON.stringify(manifest));
  return dir;
}

process.exitCode = await main(process.argv.slice(2));
