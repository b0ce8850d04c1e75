import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import type { LogFields, Logger } from '../core/ports.ts';
import type { MergeIo } from './mergeFiles.ts';
import type { PeerWorkers } from '../peer/index.ts';

const USAGE = `Usage: api-live-sync COMMAND

  serve FOLDER                              keep the OpenAPI files of a folder in step, without an editor
  merge BASE OURS THEIRS --output OUT       merge three versions of an OpenAPI file
  merge-driver %O %A %B %P %L               the same, as git calls it
  install-merge-driver                      make git merge OpenAPI files of this repository so

api-live-sync COMMAND --help says more.`;

/** A log line per event on standard error: what a service manager keeps. */
function createConsoleLogger(isVerbose: boolean): Logger {
  const write = (level: string) => (message: string, fields?: LogFields) => {
    process.stderr.write(
      `${new Date().toISOString()} ${level} ${message}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}\n`,
    );
  };
  const quiet = (): void => undefined;
  return {
    trace: quiet,
    debug: isVerbose ? write('debug') : quiet,
    info: isVerbose ? write('info') : quiet,
    warn: write('warn'),
    error: write('error'),
  };
}

/** Beside the bundle lie bundled workers; where the source runs, the sources do. */
function workers(): PeerWorkers {
  // Undefined in a bundle, whatever its type says.
  const url: unknown = import.meta.url;
  if (typeof url !== 'string' || !url.endsWith('.ts')) {
    const bundled = (name: string): string => join(__dirname, `${name}.cjs`);
    return { log: bundled('logWorker'), replica: bundled('replicaWorker'), documents: bundled('documentWorker') };
  }
  const source = (path: string): string => fileURLToPath(new URL(path, url));
  return {
    log: source('../node/log/logWorker.ts'),
    replica: source('../node/replica/replicaWorker.ts'),
    documents: source('../node/documents/documentWorker.ts'),
  };
}

const mergeIo: MergeIo = {
  writeLine: (line) => void process.stdout.write(`${line}\n`),
  writeError: (line) => void process.stderr.write(`${line}\n`),
  confirm: async (question) => {
    if (!process.stdin.isTTY) throw new Error('nobody is here to answer. Nothing was written; --yes does it unasked');
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    // Ctrl+D ends the terminal's input without an answer.
    const closed = once(terminal, 'close').then(() => '');
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), closed]);
    terminal.close();
    return /^y(es)?$/i.test(answer.trim());
  },
  cwd: process.cwd(),
};

/** Each command's code is loaded when it is called: a merge needs no SQLite, and runs on Node 20 too. */
async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'merge':
      return (await import('./mergeCommand.ts')).runMergeCommand(rest, mergeIo);
    case 'merge-driver':
      return (await import('./mergeDriverCommand.ts')).runMergeDriverCommand(rest, mergeIo);
    case 'install-merge-driver': {
      const { runInstallMergeDriverCommand } = await import('./mergeDriverInstall.ts');
      return runInstallMergeDriverCommand(
        rest,
        mergeIo,
        `"${process.execPath}" "${process.argv[1] ?? 'api-live-sync'}"`,
      );
    }
    case 'serve':
      return serve(rest);
    default:
      (command === '--help' || command === 'help' ? process.stdout : process.stderr).write(`${USAGE}\n`);
      return command === '--help' || command === 'help' ? 0 : 128;
  }
}

async function serve(args: readonly string[]): Promise<number> {
  const { runServeCommand } = await import('./serveCommand.ts');
  const stop = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const logger = createConsoleLogger(process.env['API_LIVE_SYNC_VERBOSE'] === '1');
  return runServeCommand(args, {
    writeLine: mergeIo.writeLine,
    logger,
    workers: workers(),
    stop,
    environment: process.env,
  });
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`api-live-sync: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 128;
  },
);
