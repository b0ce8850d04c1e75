import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FolderPaths } from '../../../src/extension/folderPaths.ts';

const link = join('/', 'home', 'alice', 'api');
const real = join('/', 'data', 'api');

describe('a folder that was opened through a symbolic link', () => {
  const paths = new FolderPaths(link, real);

  it('has two names for each file', () => {
    assert.equal(paths.toReal(join(link, 'v1', 'openapi.yaml')), join(real, 'v1', 'openapi.yaml'));
    assert.equal(paths.toEditor(join(real, 'openapi.yaml')), join(link, 'openapi.yaml'));
  });

  it('leaves names outside of it alone', () => {
    assert.equal(paths.toReal(`${link}-2/openapi.yaml`), `${link}-2/openapi.yaml`);
    assert.equal(paths.contains(join(link, '..', 'other.yaml')), false);
    assert.equal(paths.contains(link), false);
    assert.equal(paths.contains(join(link, '..hidden.yaml')), true);
    assert.equal(paths.containsReal(join(real, 'openapi.yaml')), true);
    assert.equal(paths.containsReal(join(link, 'openapi.yaml')), false);
  });
});
