import { existsSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { projectRoot } from './paths.ts';

/** What of the project goes into the packaged extension, as far as it exists. */
const packaged = ['package.json', 'package.nls.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist', 'media', 'l10n'];

/** Whether the extension has been built. */
export function extensionIsBuilt(): boolean {
  return existsSync(path.join(projectRoot, 'dist', 'extension.cjs'));
}

/**
 * Installs the built extension as VS Code keeps an installed one: unpacked in the folder of extensions. A server that starts after that
 * finds it there. An extension under development would be reloaded by a second window; an installed one runs in as many as there are.
 */
export async function installExtension(extensionsDir: string): Promise<string> {
  if (!extensionIsBuilt()) throw new Error('The extension is not built: run "npm run build" first.');
  const { publisher, name, version } = await readManifest();
  const target = path.join(extensionsDir, `${publisher}.${name}-${version}`);
  await mkdir(target, { recursive: true });
  for (const entry of packaged) {
    const from = path.join(projectRoot, entry);
    if (existsSync(from)) await cp(from, path.join(target, entry), { recursive: true });
  }
  return target;
}

/** Publisher, name and version out of package.json. */
export async function readManifest(): Promise<{ publisher: string; name: string; version: string }> {
  const manifest: unknown = JSON.parse(await readFile(path.join(projectRoot, 'package.json'), 'utf8'));
  return manifest as { publisher: string; name: string; version: string };
}
