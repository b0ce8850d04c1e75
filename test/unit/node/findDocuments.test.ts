import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findDocuments, inspectFile } from '../../../src/node/documents/findDocuments.ts';

const SPEC = "openapi: 3.1.0\ninfo:\n  title: Shop\n  version: '1'\npaths: {}\n";

let root: string;
let folder: string;
before(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'find-')));
  folder = join(root, 'workspace');
  await mkdir(join(folder, 'api'), { recursive: true });
  await writeFile(join(root, 'secret.json'), '{"token":"t"}');
  await writeFile(join(root, 'other.yaml'), SPEC);
  await writeFile(join(folder, 'pet.json'), '{"type":"object"}');
  await writeFile(
    join(folder, 'openapi.yaml'),
    `${SPEC}components:\n  schemas:\n    A: { $ref: './x.json' }\n    B: { $ref: 'link.json' }\n    C: { $ref: './dangling.json' }\n`,
  );
  await symlink('../secret.json', join(folder, 'x.json'));
  await symlink(join(root, 'other.yaml'), join(folder, 'api', 'other.yaml'));
  await symlink('pet.json', join(folder, 'link.json'));
  await symlink(join(root, 'none.json'), join(folder, 'dangling.json'));
});
after(() => rm(root, { recursive: true }));

test('[I10] what a link leads to outside of the folder is no document, wherever it is named; a link inside is one', () => {
  const candidates = ['openapi.yaml', 'x.json', 'link.json', 'pet.json', 'dangling.json', 'api/other.yaml'];
  const found = findDocuments(
    folder,
    candidates.map((path) => join(folder, path)),
  );
  assert.deepEqual(
    found.map(({ path, isRoot }) => [path, isRoot]),
    [
      ['link.json', false],
      ['openapi.yaml', true],
    ],
  );
});

test('[I8] one file is inspected by itself: a root, something else, or what only a search can tell', async () => {
  const at = (path: string): string => join(folder, path);
  assert.equal(inspectFile(folder, at('openapi.yaml')), 'root');
  assert.equal(inspectFile(folder, at('pet.json')), 'other');
  for (const path of ['x.json', 'api/other.yaml', 'none.yaml', 'api', '../other.yaml'])
    assert.equal(inspectFile(folder, at(path)), 'unclear', path);
  assert.equal(inspectFile(join(folder, 'none'), at('pet.json')), 'unclear');
  // A program may still be writing it.
  for (const text of ['', '{"info":{"title":"T"},']) {
    await writeFile(at('cut.json'), text);
    assert.equal(inspectFile(folder, at('cut.json')), 'unclear', text);
  }
});
