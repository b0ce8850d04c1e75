import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';

/** Builds what ships, packs it as a VSIX without any network, and prints its size. */
const { name, version } = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string; version: string };
const vsix = `${name}-${version}.vsix`;

function run(...command: string[]): void {
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run('esbuild.mjs', '--production');
run(
  'node_modules/@vscode/vsce/vsce',
  'package',
  '--no-dependencies',
  '--allow-missing-repository',
  '--no-rewrite-relative-links',
  '--out',
  vsix,
);
console.log(`${vsix}: ${(statSync(vsix).size / 1024).toFixed(0)} kB`);
