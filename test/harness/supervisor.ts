/**
 * Runs one command and ends it, with everything that it started, as soon as whoever asked for it is gone.
 * Usage: node supervisor.ts COMMAND ARGUMENTS…, started with an IPC channel: the channel closes with its other end, also on kill -9.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { endProcessTree, runVariable, temporaryDirVariable } from './processTree.ts';

const graceMilliseconds = 2000;

const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error('Usage: supervisor.ts COMMAND ARGUMENTS…');

// A group of its own, so that the whole of it can be signalled; and a Ctrl-C in the terminal reaches us, not it.
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });

let ending = false;
async function end(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  if (child.pid !== undefined) {
    await endProcessTree(child.pid, process.env[runVariable], graceMilliseconds);
  }
  const temporary = process.env[temporaryDirVariable];
  if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  process.exit(code);
}

process.on('disconnect', () => void end(0));
// The terminal sends Ctrl-C to everyone; our parent decides what it means and then disconnects.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => void end(0));
process.on('SIGHUP', () => void end(0));

child.once('error', (error) => {
  process.stderr.write(`${command} could not be started: ${error.message}\n`);
  void end(1);
});
child.once('exit', (code) => {
  // What it leaves behind in its group is ended too.
  void end(code ?? 1);
});
