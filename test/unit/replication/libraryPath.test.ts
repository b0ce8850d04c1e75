import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLibraryPath, foldPath, utf8Length } from '../../../src/core/replication/libraryPath.ts';

test('[I10] a path that could leave the library or name anything but a plain file is refused', () => {
  const refused = [
    '',
    '/etc/passwd',
    '..',
    '../x.yaml',
    'a/../../x.yaml',
    './x.yaml',
    'a//b.yaml',
    'a/',
    'C:/x.yaml',
    'c:x.yaml',
    'a\\b.yaml',
    '\\\\host\\share',
    'a/b\u0000.yaml',
    'a\nb.yaml',
    'x.yaml:stream',
    'a?.yaml',
    'con',
    'CON.yaml',
    'a/nul',
    'lpt1.json',
    'a/x.yaml.',
    'a/x.yaml ',
    'a /b.yaml',
    '.git/config',
    'a/.GIT/hooks/x',
    'git~1/config',
    '.g\u200cit/config',
    'x\u202eyaml',
    '\ud800.yaml',
    `${'a'.repeat(256)}.yaml`,
    `${'a/'.repeat(600)}x`,
  ];
  for (const path of refused) assert.notEqual(checkLibraryPath(path), undefined, JSON.stringify(path));
});

test('[I10] ordinary paths are allowed', () => {
  for (const path of [
    'openapi.yaml',
    'api/v1/openapi.json',
    '.api/spec.yml',
    'Käse/ünïcode 1.yaml',
    'github/openapi.yaml',
    'a.b/c..d.yaml',
    'console.yaml',
    '.gitlab/api.yaml',
  ]) {
    assert.equal(checkLibraryPath(path), undefined, path);
  }
});

test('[REP-04] paths that one file system takes for the same fold to the same', () => {
  assert.equal(foldPath('API/OpenAPI.yaml'), foldPath('api/openapi.YAML'));
  assert.equal(foldPath('caf\u00e9.yaml'), foldPath('cafe\u0301.yaml'));
  assert.notEqual(foldPath('a.yaml'), foldPath('b.yaml'));
});

test('[I10] the length in UTF-8 is that of the encoder', () => {
  for (const text of ['', 'abc', 'é', '€', '😀', 'a😀é€', '\ud800', 'x\udc00y', '\ud83d\ud83d\ude00']) {
    assert.equal(utf8Length(text), Buffer.byteLength(text, 'utf8'), JSON.stringify(text));
  }
});
