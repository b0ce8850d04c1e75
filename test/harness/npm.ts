import { spawn } from 'node:child_process';

/** Runs npm in a folder; throws with the end of its output when it fails. */
export async function runNpm(cwd: string, args: readonly string[]): Promise<void> {
  const child = spawn('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    env: environmentForNestedNpm(process.env),
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4000);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => {
      reject(new Error(`npm could not be started: ${error.message}`, { cause: error }));
    });
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${output.trim()}`);
}

/**
 * npm hands its scripts what it knows about *this* project; an npm started from such a script would take that for its own.
 * Registry, cache and proxy settings stay.
 */
function environmentForNestedNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own =
    /^(npm_package_|npm_lifecycle_|npm_command$|npm_config_(local_prefix|prefix|global|workspace|omit|ignore_scripts|dry_run)|INIT_CWD$)/i;
  return Object.fromEntries(Object.entries(env).filter(([key]) => !own.test(key)));
}
