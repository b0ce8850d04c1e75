import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withWorkbench } from '../harness/workbench.ts';

test('two windows on two folders are two extension hosts, and what is typed and saved is on the disk', async () => {
  await withWorkbench({ extension: 'none' }, async (workbench) => {
    const backend = await workbench.openWindow(await workbench.workspace('backend'));
    const frontend = await workbench.openWindow(await workbench.workspace('frontend'));
    assert.notEqual(backend.host.pid, frontend.host.pid);

    assert.ok((await frontend.commandsFor('File: Save All')).includes('File: Save All Files'));

    const before = await frontend.editor.onDisk('openapi.yaml');
    await backend.editor.open('openapi.yaml');
    await backend.editor.replace('openapi.yaml', 'title: Harbor Tours', 'title: Quay Tours');
    assert.equal(await backend.editor.isDirty('openapi.yaml'), true);
    await backend.editor.save('openapi.yaml');

    assert.equal(
      await backend.editor.onDisk('openapi.yaml'),
      before.replace('title: Harbor Tours', 'title: Quay Tours'),
    );
    assert.equal(await frontend.editor.onDisk('openapi.yaml'), before);
  });
});
