import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { projectRoot } from './paths.ts';

const sourceDir = path.join(projectRoot, 'test', 'modelExtension');

/** Puts the extension with the test models into a folder of extensions, beside the product. */
export async function installModelExtension(extensionsDir: string): Promise<string> {
  const target = path.join(extensionsDir, 'api-live-sync-tests.model-1.0.0');
  await mkdir(target, { recursive: true });
  await cp(path.join(sourceDir, 'package.json'), path.join(target, 'package.json'));
  await build({
    entryPoints: [path.join(sourceDir, 'extension.ts')],
    outfile: path.join(target, 'extension.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    external: ['vscode'],
    logLevel: 'warning',
  });
  return target;
}
