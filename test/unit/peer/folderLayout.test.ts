import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createFolderLayout } from '../../../src/peer/folderLayout.ts';

let root: string;
let folder: string;
before(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'layout-')));
  folder = join(root, 'workspace');
  await mkdir(join(folder, 'api'), { recursive: true });
  await mkdir(join(root, 'outside'));
  await symlink(join(root, 'outside'), join(folder, 'link'), 'dir');
});
after(() => rm(root, { recursive: true }));

test('[I10] a document never lands outside of the workspace folder, in git, behind a link that leads out, or where it is ignored', async () => {
  const layout = createFolderLayout(folder, { layout: 'same', pairs: {} }, (path) => path.startsWith('node_modules'));
  for (const path of [
    '../x.yaml',
    '/etc/x.yaml',
    '.git/x.yaml',
    'a/../../x.yaml',
    'link/x.yaml',
    'link/deep/x.yaml',
    'node_modules/x.yaml',
    'run.sh',
    'C:/x.yaml',
  ]) {
    assert.equal(await layout.placeFor(path), undefined, path);
  }
  assert.equal(await layout.placeFor('api/new/x.yaml'), 'api/new/x.yaml');
});

test('[I10] a document whose file is a link has its place only where the link stays inside', async () => {
  await writeFile(join(root, 'outside', 'secret.json'), '{}');
  await symlink(join(root, 'outside', 'secret.json'), join(folder, 'api', 'secret.json'));
  await symlink(join(root, 'outside', 'none.json'), join(folder, 'api', 'dangling.json'));
  await symlink(join('..', 'shared.json'), join(folder, 'api', 'shared.json'));
  const layout = createFolderLayout(folder, { layout: 'same', pairs: {} }, () => false);
  assert.equal(await layout.placeFor('api/secret.json'), undefined);
  assert.equal(await layout.placeFor('api/dangling.json'), undefined);
  assert.equal(await layout.placeFor('api/shared.json'), 'api/shared.json');
});

test('[I10] a paired folder takes up its pairs and nothing else', async () => {
  const layout = createFolderLayout(
    folder,
    { layout: 'paired', pairs: { 'api/openapi.yaml': 'contracts/shop.yaml' } },
    () => false,
  );
  assert.equal(await layout.placeFor('api/openapi.yaml'), 'contracts/shop.yaml');
  assert.equal(await layout.placeFor('api/other.yaml'), undefined);
  assert.equal(await layout.placeFor('__proto__'), undefined);
  assert.equal(layout.createsDocuments, false);
});

test('a file outside of the folder has no local path', () => {
  const layout = createFolderLayout(folder, { layout: 'same', pairs: {} }, () => false);
  assert.equal(layout.localPathOf(join(root, 'outside', 'x.yaml')), undefined);
  assert.equal(layout.localPathOf(join(folder, 'api', 'x.yaml')), 'api/x.yaml');
  assert.equal(layout.localPathOf(join(folder, '..hidden.yaml')), '..hidden.yaml');
});
