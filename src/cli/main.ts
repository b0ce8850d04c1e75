import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LogFields, Logger } from '../core/ports.ts';
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

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === 'serve') {
    const { runServeCommand } = await import('./serveCommand.ts');
    const stop = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    const writeLine = (line: string): void => void process.stdout.write(`${line}\n`);
    return runServeCommand(rest, {
      writeLine,
      logger: createConsoleLogger(process.env['API_LIVE_SYNC_VERBOSE'] === '1'),
      workers: workers(),
      stop,
    });
  }
  process.stderr.write(`${USAGE}\n`);
  return command === '--help' || command === 'help' ? 0 : 128;
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
