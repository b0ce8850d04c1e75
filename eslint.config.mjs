import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What a folder of `src` may not import; docs/ARCHITECTURE.md says why. */
function zone(folder, patterns, extra = {}) {
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: patterns.map(([regex, message]) => ({ regex, message })), ...extra },
      ],
    },
  };
}

const editor = ['^vscode$', 'Only src/extension may import vscode.'];
const upTo = (...names) => [
  `/(${names.join('|')})/`,
  `Imports point one way: core ← node ← peer ← {cli, extension}; not to ${names.join(', ')}.`,
];

export default tseslint.config(
  { ignores: ['dist/**', 'out/**', 'node_modules/**', '.cache/**', 'test-results/**'] },
  eslint.configs.recommended,
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './src/webview/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'No default exports.' },
        { selector: 'TSEnumDeclaration', message: 'Unions of literals instead of enums.' },
      ],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  zone('core', [
    editor,
    ['^node:', 'core is pure: no node:*.'],
    [
      '^(?!\\.|yaml$|jsonc-parser$|fast-myers-diff$|p-queue$|zod($|/))',
      'core imports yaml, jsonc-parser, fast-myers-diff, p-queue, zod and itself only.',
    ],
    upTo('node', 'peer', 'cli', 'extension', 'server', 'webview', 'protocol'),
  ]),
  zone('node', [editor, upTo('peer', 'cli', 'extension', 'server', 'webview', 'protocol')]),
  zone('peer', [editor, upTo('cli', 'extension', 'server', 'webview', 'protocol')]),
  zone('cli', [editor, upTo('extension', 'server', 'webview')]),
  zone('extension', [upTo('cli', 'server', 'webview')]),
  zone('protocol', [editor, upTo('node', 'peer', 'cli', 'extension', 'server', 'webview')]),
  zone('webview', [
    editor,
    ['^node:', 'The webview runs in a browser.'],
    upTo('node', 'peer', 'cli', 'extension', 'server'),
  ]),
  {
    files: ['src/core/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...[
          'setTimeout',
          'setInterval',
          'setImmediate',
          'queueMicrotask',
          'process',
          'performance',
          'crypto',
          'fetch',
          'console',
        ].map((name) => ({ name, message: 'core is deterministic: clock, timers and chance are passed in.' })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Use the Clock that is passed in.' },
        { object: 'Math', property: 'random', message: 'Use the Random that is passed in.' },
      ],
    },
  },
  {
    files: ['src/cli/**/*.ts', 'test/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // `test()` and `describe()` of node:test return promises that the runner awaits itself.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            {
              from: 'package',
              name: ['test', 'it', 'describe', 'suite', 'before', 'after', 'beforeEach', 'afterEach'],
              package: 'node:test',
            },
          ],
        },
      ],
    },
  },
  { files: ['**/*.mjs'], languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } } },
);
