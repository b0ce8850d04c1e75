import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { afterEach, test } from 'node:test';
import { SourceWorld } from './sourceWorld.ts';
import { json, SpecServer, specOf } from './specServer.ts';

const TARGET = 'api/openapi.yaml';
/** As a person keeps it: other quotes, order and indentation, comments, and things that the code does not say. */
const BY_HAND = `# The API of the pet shop
openapi: "3.0.3"
info:
    title: Pets # the name
    version: 1.0.0
    description: >
        Written by hand.

paths:
    /pets:
        get:
            description: What the code does not say
            responses:
                "200": { description: OK }
            summary: 'List pets'
    /old:
        get:
            summary: Old
            responses:
                "200": { description: OK }
x-team: pets
`;

let close: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of close.reverse()) await one();
  close = [];
});

async function open(value: unknown, file?: string): Promise<{ world: SourceWorld; server: SpecServer }> {
  const server = await new SpecServer(json(value)).start();
  close.push(() => server.stop());
  const world = await SourceWorld.open();
  close.push(() => world.close());
  if (file !== undefined) await world.write(TARGET, file);
  return { world, server };
}

const FIRST = specOf({ 'get /pets': 'List pets', 'get /old': 'Old' });

test('[SRC] a JSON answer becomes the YAML file that it is for', async () => {
  const { world, server } = await open(FIRST);
  await world.add({ url: server.url, target: TARGET });
  await world.untilState('inStep');
  assert.equal(
    await world.read(TARGET),
    `openapi: 3.0.3
info:
  title: Pets
  version: 1.0.0
paths:
  /pets:
    get:
      summary: List pets
      responses:
        '200':
          description: OK
  /old:
    get:
      summary: Old
      responses:
        '200':
          description: OK
`
      .replace('openapi: 3.0.3', "openapi: '3.0.3'")
      .replace('version: 1.0.0', "version: '1.0.0'"),
  );
});

test('[SRC] [I3] what people wrote stays, byte for byte: the code adds, changes and removes beside it', async () => {
  const { world, server } = await open(FIRST, BY_HAND);
  await world.add({ url: server.url, target: TARGET });
  await world.untilState('inStep');
  // The two say the same, each with something of its own.
  assert.equal(await world.read(TARGET), BY_HAND);
  server.handler = json(specOf({ 'get /pets': 'All pets', 'post /pets': 'Add a pet' }));
  await world.until('the change', ([status]) => status?.lastChangeAt !== undefined && status.state === 'inStep');
  assert.equal(
    await world.read(TARGET),
    `# The API of the pet shop
openapi: "3.0.3"
info:
    title: Pets # the name
    version: 1.0.0
    description: >
        Written by hand.

paths:
    /pets:
        get:
            description: What the code does not say
            responses:
                "200": { description: OK }
            summary: All pets
        post:
            summary: Add a pet
            responses:
                '200':
                    description: OK
x-team: pets
`,
  );
  const [status] = world.sources.getAllSourceStatuses();
  assert.deepEqual(status?.changes.map(({ kind, label, details }) => `${kind} ${label} ${details.join()}`).sort(), [
    'added POST /pets ',
    'changed GET /pets summary',
    'removed GET /old ',
  ]);
});

test('[SRC] [I1] what both changed is held: the file keeps what people made, until they choose; undo brings the question back', async () => {
  const { world, server } = await open(FIRST, BY_HAND);
  await world.add({ url: server.url, target: TARGET });
  await world.untilState('inStep');
  const mine = BY_HAND.replace("'List pets'", "'My pets'");
  await world.write(TARGET, mine);
  server.handler = json(specOf({ 'get /pets': 'All pets', 'get /old': 'Old' }));
  await world.untilState('held');
  assert.equal(await world.read(TARGET), mine);
  const { session } = world.peer;
  const [held] = session.conflicts;
  assert.deepEqual(
    [session.conflicts.length, held?.conflict.label, held?.theirsName, session.status.conflictCount],
    [1, 'GET /pets · summary', new URL(server.url).host, 1],
  );
  assert.ok(held !== undefined);
  // Held over a restart, and while the source says the same again.
  await world.restart();
  await world.add({ url: server.url, target: TARGET });
  await world.untilState('held');
  assert.equal(await world.read(TARGET), mine);
  const again = world.peer.session;
  assert.deepEqual(await again.resolveConflicts(held.docId, new Map([[held.conflict.id, { choice: 'theirs' }]])), {
    isDone: true,
  });
  assert.equal(await world.read(TARGET), BY_HAND.replace("'List pets'", 'All pets'));
  assert.equal(again.conflicts.length, 0);
  assert.deepEqual(await again.undoResolution(), { isDone: true });
  assert.equal(await world.read(TARGET), mine);
  assert.equal(again.conflicts.length, 1);
  assert.deepEqual(await again.resolveConflicts(held.docId, new Map([[held.conflict.id, { choice: 'ours' }]])), {
    isDone: true,
  });
  assert.equal(await world.read(TARGET), mine);
  await world.untilState('inStep');
  // What was decided stays decided.
  const asked = server.requests.length;
  await world.until('asked again', () => server.requests.length > asked + 2);
  assert.equal(again.conflicts.length, 0);
});

test('[SRC] after a restart the source goes on from its last revision', async () => {
  const { world, server } = await open(FIRST, BY_HAND);
  await world.add({ url: server.url, target: TARGET });
  await world.untilState('inStep');
  await world.restart();
  // Removed by hand while nobody was there: it does not come back.
  await world.write(TARGET, BY_HAND.replace(/ {4}\/old:[^]*?(?=x-team)/, ''));
  server.handler = json(specOf({ 'get /pets': 'All pets', 'get /old': 'Old' }));
  await world.add({ url: server.url, target: TARGET });
  await world.until('the change', ([status]) => status?.lastChangeAt !== undefined);
  const text = await world.read(TARGET);
  assert.ok(text.includes('All pets') && !text.includes('/old'));
});

test('[SRC] review: nothing is written until somebody applies it; notify: neither', async () => {
  for (const mode of ['review', 'notify'] as const) {
    const { world, server } = await open(FIRST, BY_HAND);
    await world.add({ url: server.url, target: TARGET, mode });
    await world.untilState('inStep');
    server.handler = json(specOf({ 'get /pets': 'All pets', 'get /old': 'Old' }));
    await world.untilState('changesWaiting');
    assert.equal(await world.read(TARGET), BY_HAND);
    const preview = await world.sources.previewChanges(TARGET);
    assert.equal(preview?.after, BY_HAND.replace("'List pets'", 'All pets'));
    assert.deepEqual(await world.sources.applyChanges(TARGET), { isDone: true });
    assert.equal(await world.read(TARGET), BY_HAND.replace("'List pets'", 'All pets'));
    assert.equal(world.sources.getSourceStatus(TARGET).state, 'inStep');
  }
});

test('[SRC] a selection brings what it names and what that needs; what it leaves out is not taken away', async () => {
  const withTags = specOf(
    { 'get /pets': 'List pets', 'get /admin/users': 'Users' },
    { components: { schemas: { Pet: { type: 'object' }, User: { type: 'object' } } } },
  );
  const { world, server } = await open(withTags);
  await world.add({ url: server.url, target: TARGET, exclude: { paths: ['/admin/**'], components: ['schemas/User'] } });
  await world.untilState('inStep');
  const narrow = await world.read(TARGET);
  assert.ok(
    narrow.includes('/pets') && narrow.includes('Pet:') && !narrow.includes('/admin') && !narrow.includes('User:'),
  );
  await world.sources.updateSource({ ...world.sources.getSourceStatus(TARGET).config, exclude: {} });
  await world.until('the rest', ([status]) => (status?.changes.length ?? 0) > 0 && status?.state === 'inStep');
  const whole = await world.read(TARGET);
  assert.ok(whole.includes('/admin/users') && whole.includes('User:'));
  await world.sources.updateSource({ ...world.sources.getSourceStatus(TARGET).config, exclude: { paths: ['/pets'] } });
  const asked = server.requests.length;
  await world.until('asked again', ([status]) => server.requests.length > asked && status?.state === 'inStep');
  assert.equal(await world.read(TARGET), whole);
});

test('[SRC] an unsaved file waits for its save', async () => {
  const unsaved = new Set<string>();
  const server = await new SpecServer(json(FIRST)).start();
  close.push(() => server.stop());
  const world = await SourceWorld.open({
    wrapFiles: (files) => ({ ...files, hasUnsavedEdits: (file) => unsaved.has(file) }),
  });
  close.push(() => world.close());
  await world.write(TARGET, BY_HAND);
  unsaved.add(`${world.folder}/${TARGET}`);
  server.handler = json(specOf({ 'get /pets': 'List pets', 'get /new': 'New', 'get /old': 'Old' }));
  await world.add({ url: server.url, target: TARGET });
  await world.untilState('waiting');
  assert.equal(await world.read(TARGET), BY_HAND);
  unsaved.clear();
  await world.untilState('inStep');
  assert.ok((await world.read(TARGET)).includes('/new'));
});

test('[SRC] a deleted file is not made again by itself, but when a person asks for it', async () => {
  const { world, server } = await open(FIRST, BY_HAND);
  await world.add({ url: server.url, target: TARGET });
  await world.untilState('inStep');
  await rm(`${world.folder}/${TARGET}`);
  await world.untilState('failed');
  assert.equal(world.sources.getSourceStatus(TARGET).problem?.code, 'target-missing');
  const result = await world.sources.syncSource(TARGET);
  assert.equal(result.kind, 'changed');
  assert.ok((await world.read(TARGET)).includes('/pets'));
});

test('[SRC] of two windows on one folder one asks; the other takes over when that is gone', async () => {
  const { world, server } = await open(FIRST);
  await world.add({ url: server.url, target: TARGET });
  await world.untilState('inStep');
  const second = await world.secondWindow();
  const { config } = world.sources.getSourceStatus(TARGET);
  await second.session.sources.addSource(config);
  assert.equal(second.session.sources.getSourceStatus(TARGET).state, 'elsewhere');
  assert.equal((await second.session.sources.syncSource(TARGET)).problem?.code, 'served-elsewhere');
  const inStep = new Promise<void>((resolve) => {
    second.session.sources.onDidHappen((event) => {
      if (event.type === 'sync:completed') resolve();
    });
  });
  await world.restart();
  await inStep;
  assert.equal(second.session.sources.getSourceStatus(TARGET).state, 'inStep');
  await second.close();
});

test('[SRC] pause asks nobody, also after a restart; a person may still ask; a source that is removed and added again goes on', async () => {
  const { world, server } = await open(FIRST);
  await world.add({ url: server.url, target: TARGET });
  await world.untilState('inStep');
  await world.sources.pause();
  await world.restart();
  const asked = server.requests.length;
  await world.add({ url: server.url, target: TARGET });
  assert.equal(world.sources.getSourceStatus(TARGET).state, 'paused');
  assert.equal((await world.sources.syncSource(TARGET)).kind, 'unchanged');
  assert.equal(server.requests.length, asked + 1);
  await world.sources.resume();
  await world.untilState('inStep');
  await world.sources.removeSource(TARGET);
  assert.deepEqual(world.sources.getAllSourceStatuses(), []);
  // Added again, it goes on from where it was: what somebody took out by hand stays out.
  await world.write(TARGET, (await world.read(TARGET)).replace(/ {2}\/old:[^]*$/, ''));
  await world.add({ url: server.url, target: TARGET });
  await world.untilState('inStep');
  assert.ok(!(await world.read(TARGET)).includes('/old'));
});

test('[SRC] wrong sources are refused in words, and the same id twice', async () => {
  const { world, server } = await open(FIRST);
  await assert.rejects(world.sources.addSource({ target: '../outside.yaml', url: 'ftp://x' } as never), /target/);
  await world.add({ url: server.url, target: TARGET });
  await assert.rejects(world.add({ url: server.url, target: TARGET }), /already/);
  await assert.rejects(world.sources.syncSource('nobody'), /nobody/);
});
