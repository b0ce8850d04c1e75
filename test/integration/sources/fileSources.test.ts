import assert from 'node:assert/strict';
import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { SourceWorld } from './sourceWorld.ts';
import { specOf } from './specServer.ts';

const TARGET = 'openapi.yaml';
let worlds: SourceWorld[] = [];
afterEach(async () => {
  for (const world of worlds) await world.close();
  worlds = [];
});

async function open(): Promise<SourceWorld> {
  const world = await SourceWorld.open();
  worlds.push(world);
  return world;
}

const spec = (summary: string): string => JSON.stringify(specOf({ 'get /pets': summary }));

test('[SRC] a generated file that is not there yet is taken when it is made, and each time it is made anew', async () => {
  const world = await open();
  // So rarely that only the watch on the file can tell in time.
  await world.add({ file: 'build/openapi.json', target: TARGET, intervalSeconds: 86_400 });
  await world.untilState('failed');
  assert.match(world.sources.getSourceStatus(TARGET).problem?.message ?? '', /build\/openapi\.json is not there yet/);
  await world.write('build/openapi.json', spec('First'));
  await world.untilState('inStep');
  assert.match(await world.read(TARGET), /summary: First/);
  await world.write('build/openapi.json', spec('Second'));
  await world.until('the second', ([status]) => status?.changes.some(({ kind }) => kind === 'changed') === true);
  assert.match(await world.read(TARGET), /summary: Second/);
});

test('[SRC] of the files that a glob fits the newest is taken', async () => {
  const world = await open();
  await world.write('out/a/openapi.json', spec('Old'));
  await world.write('out/b/openapi.json', spec('New'));
  await utimes(join(world.folder, 'out/a/openapi.json'), 1_000, 1_000);
  await world.add({ file: 'out/**/openapi.json', target: TARGET });
  await world.untilState('inStep');
  assert.match(await world.read(TARGET), /summary: New/);
  await world.write('out/a/openapi.json', spec('Newer'));
  await world.until('the newer', ([status]) => status?.changes.some(({ kind }) => kind === 'changed') === true);
  assert.match(await world.read(TARGET), /summary: Newer/);
});

test('[SRC] [I10] a link that leads out of the folder is not read; a path that says so is', async () => {
  const world = await open();
  const outside = join(world.folder, '..', 'backend');
  await mkdir(outside);
  await writeFile(join(outside, 'openapi.json'), spec('Outside'));
  await symlink(outside, join(world.folder, 'build'));
  await world.add({ file: 'build/openapi.json', target: TARGET });
  await world.untilState('failed');
  assert.equal(world.sources.getSourceStatus(TARGET).problem?.code, 'source-file-outside');
  await world.sources.removeSource(TARGET);
  await world.add({ file: '../backend/openapi.json', target: TARGET });
  await world.untilState('inStep');
  assert.match(await world.read(TARGET), /summary: Outside/);
});
