// Builds everything that ships: `node esbuild.mjs [--production] [--watch]`.
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { context, build } from 'esbuild';

const isProduction = process.argv.includes('--production');
const isWatching = process.argv.includes('--watch');

const common = {
  bundle: true,
  minify: isProduction,
  sourcemap: isProduction ? false : 'linked',
  logLevel: 'info',
  legalComments: 'none',
  // jsonc-parser's UMD `main` breaks in a bundle without a warning.
  mainFields: ['module', 'main'],
};

const node = {
  ...common,
  platform: 'node',
  format: 'cjs',
  target: 'node22',
  // Only code that asks whether it runs from its source looks at it; a bundle answers that with "no".
  define: { 'import.meta.url': 'undefined' },
};

/** What the extension loads as a file of its own: the peer after consent, the OpenAI client when somebody asks an AI. */
const loadFromOwnBundles = {
  name: 'load-from-own-bundles',
  setup(setup) {
    setup.onResolve({ filter: /\/peer\/peer\.ts$/ }, () => ({ path: './peer.cjs', external: true }));
    setup.onResolve({ filter: /\/advice\/openAiAdvisor\.ts$/ }, () => ({
      path: './openAiAdvisor.cjs',
      external: true,
    }));
  },
};

/** @type {import('esbuild').BuildOptions[]} */
const bundles = [
  {
    ...node,
    entryPoints: ['src/extension/extension.ts'],
    outfile: 'dist/extension.cjs',
    external: ['vscode'],
    plugins: [loadFromOwnBundles],
  },
  // `vscode` is not external here: that this bundle builds proves that no part of a peer needs an editor.
  { ...node, entryPoints: ['src/peer/peer.ts'], outfile: 'dist/peer.cjs' },
  { ...node, entryPoints: ['src/node/advice/openAiAdvisor.ts'], outfile: 'dist/openAiAdvisor.cjs' },
  { ...node, entryPoints: ['src/node/log/logWorker.ts'], outfile: 'dist/logWorker.cjs' },
  { ...node, entryPoints: ['src/node/replica/replicaWorker.ts'], outfile: 'dist/replicaWorker.cjs' },
  { ...node, entryPoints: ['src/node/documents/documentWorker.ts'], outfile: 'dist/documentWorker.cjs' },
  { ...node, entryPoints: ['src/cli/main.ts'], outfile: 'dist/cli.js', banner: { js: '#!/usr/bin/env node' } },
  {
    ...common,
    platform: 'browser',
    format: 'iife',
    target: 'chrome120',
    entryPoints: ['src/webview/conflictPanel/conflictPanel.ts'],
    outfile: 'dist/webview/conflictPanel.js',
  },
];

await rm('dist', { recursive: true, force: true });
await mkdir('dist/webview', { recursive: true });
// The project is made of ES modules, what ships is CommonJS: `dist/cli.js` has to know.
await writeFile('dist/package.json', '{ "type": "commonjs" }\n');
await cp('node_modules/@vscode/codicons/dist/codicon.css', 'dist/webview/codicon.css');
await cp('node_modules/@vscode/codicons/dist/codicon.ttf', 'dist/webview/codicon.ttf');

if (isWatching) {
  const contexts = await Promise.all(bundles.map((options) => context(options)));
  await Promise.all(contexts.map((one) => one.watch()));
} else {
  await Promise.all(bundles.map((options) => build(options)));
}
