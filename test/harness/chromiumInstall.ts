import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { installOnce } from './installOnce.ts';
import type { Progress } from './installOnce.ts';
import { runNpm } from './npm.ts';
import { unpackTar } from './tar.ts';

const packageName = '@sparticuz/chromium';
const packageVersion = '153.0.0';

/** Raise this when the steps below change: the cache then makes a new folder. */
const recipe = 1;

/** A browser on disk and what its process needs in the environment. */
export interface BrowserInstallation {
  readonly executablePath: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Finds a Chromium: the one named in `API_LIVE_SYNC_BROWSER`, else the one from npm (it holds a Linux binary), else one that is installed.
 */
export async function ensureChromium(progress: Progress): Promise<BrowserInstallation> {
  const override = process.env['API_LIVE_SYNC_BROWSER'];
  if (override !== undefined && override !== '') return { executablePath: override, env: {} };
  if (process.platform === 'linux' && process.arch === 'x64') return chromiumFromNpm(progress);
  const installed = usualPlaces.find((file) => existsSync(file));
  if (installed === undefined) {
    throw new Error('No browser found: install Chromium or Chrome, or name one in API_LIVE_SYNC_BROWSER.');
  }
  return { executablePath: installed, env: {} };
}

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

async function chromiumFromNpm(progress: Progress): Promise<BrowserInstallation> {
  const dir = await installOnce({ name: `chromium-${packageVersion}-r${String(recipe)}-linux-x64`, install }, progress);
  // The bundled libraries come last: what the machine has fits the machine best.
  const libraries = [process.env['LD_LIBRARY_PATH'], ...systemLibraryDirs(), path.join(dir, 'lib')];
  return {
    executablePath: path.join(dir, 'chromium'),
    env: {
      ...(systemHasNss()
        ? {}
        : { LD_LIBRARY_PATH: libraries.filter((entry) => entry !== undefined && entry !== '').join(':') }),
      FONTCONFIG_FILE: path.join(dir, 'fonts.conf'),
    },
  };
}

function systemLibraryDirs(): string[] {
  return ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/usr/lib64'].filter((dir) => existsSync(dir));
}

/** The only libraries it needs that a bare Debian lacks are NSS and NSPR (and expat); whoever has NSS has the others. */
function systemHasNss(): boolean {
  return systemLibraryDirs().some((dir) =>
    ['libnss3.so', 'libnssutil3.so', 'libnspr4.so', 'libexpat.so.1'].every((file) => existsSync(path.join(dir, file))),
  );
}

async function install(dir: string, progress: Progress): Promise<void> {
  progress(`Installing a browser from npm (${packageName} ${packageVersion}), once; about 70 MB.`);
  const download = path.join(dir, 'download');
  await mkdir(download);
  await writeFile(path.join(download, 'package.json'), '{ "private": true }\n');
  await runNpm(download, ['install', `${packageName}@${packageVersion}`, '--ignore-scripts']);

  progress('Unpacking the browser.');
  const packed = path.join(download, 'node_modules', packageName, 'bin');
  const executable = path.join(dir, 'chromium');
  await writeFile(executable, await unpackBrotli(path.join(packed, 'chromium.br')));
  await chmod(executable, 0o755);
  // NSS and its friends, for machines that lack them.
  await unpackTar(await unpackBrotli(path.join(packed, 'al2023.tar.br')), dir);
  // Vulkan in software: without it, canvas and terminal draw nothing.
  await unpackTar(await unpackBrotli(path.join(packed, 'swiftshader.tar.br')), dir);
  await unpackTar(await unpackBrotli(path.join(packed, 'fonts.tar.br')), path.join(dir, 'fonts'));
  // The folder gets its last name only when it is complete, so the file must not name it: "cwd" and "relative" resolve beside the file.
  await writeFile(path.join(dir, 'fonts.conf'), fontsConfig);
  await rm(download, { recursive: true });
  progress('The browser is installed.');
}

async function unpackBrotli(file: string): Promise<Buffer> {
  return promisify(brotliDecompress)(await readFile(file));
}

/** The machine's own fonts where there are any, and one bundled family so that text is never empty. */
const fontsConfig = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;
