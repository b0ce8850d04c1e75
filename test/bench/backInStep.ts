// `node test/bench/backInStep.ts [entries] [documents] [operations of each]`: a whole peer (its own process, real files,
// SQLite and sockets) that was away while documents changed, beside the floor: the same texts written to disk by temporary file, fsync and rename.
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { DocId, RevisionHash } from '../../src/core/ids.ts';
import { diffSplices } from '../../src/core/merge/splices.ts';
import { createAmbient } from '../../src/node/ambient.ts';
import { libraryDirectory, listLibraries } from '../../src/node/libraryDirectory.ts';
import { SyncService } from '../../src/peer/syncService.ts';
import { Machine } from '../integration/support/headlessPeer.ts';
import { editOf, peerInfo, RecordingSink, silentLogger } from '../unit/replication/fakes.ts';

const ENTRIES = Number(process.argv[2] ?? 10_000);
const DOCUMENTS = Number(process.argv[3] ?? 100);
const OPERATIONS = Number(process.argv[4] ?? 20);
const CLI = new URL('../../dist/cli.js', import.meta.url).pathname;

const pathOf = (document: number): string => `apis/service-${String(document)}/openapi.yaml`;

function textOf(document: number, version: number): string {
  const operations = Array.from(
    { length: OPERATIONS },
    (_, at) => `  /things-${String(at)}:
    get:
      operationId: getThing${String(at)}
      summary: Things ${String(at)} of service ${String(document)}, version ${String(at === version % OPERATIONS ? version : 0)}
      responses:
        '200': { description: OK }
`,
  );
  return `openapi: 3.1.0\ninfo:\n  title: Service ${String(document)}\n  version: 1.0.${String(version)}\npaths:\n${operations.join('')}`;
}

async function writeAll(folder: string, version: number): Promise<number> {
  const begun = performance.now();
  for (let document = 0; document < DOCUMENTS; document++) {
    const target = join(folder, pathOf(document));
    const handle = await open(`${target}.new`, 'w');
    await handle.writeFile(textOf(document, version));
    await handle.sync();
    await handle.close();
    await rename(`${target}.new`, target);
  }
  return performance.now() - begun;
}

async function main(): Promise<void> {
  const machine = await Machine.create();
  try {
    const files = Object.fromEntries(
      Array.from({ length: DOCUMENTS }, (_, document) => [pathOf(document), textOf(document, 0)]),
    );
    const folder = await machine.workspace('frontend', files);
    const before = machine.serve(folder, { name: 'bob', cli: CLI });
    await before.untilInStep(DOCUMENTS);
    await before.end();

    const [library] = await listLibraries(machine.stateDir);
    if (library === undefined) throw new Error('There is no library.');
    const leader = await SyncService.start({
      libraryId: library.libraryId,
      libraryDirectory: libraryDirectory(machine.stateDir, library.libraryId),
      peer: peerInfo('alice'),
      ambient: createAmbient(silentLogger),
      heartbeatMs: 5_000,
      timeoutMs: 60_000,
      sink: new RecordingSink(),
    });
    const heads = await leader.fetchHeads();
    const byPath = new Map(heads.map((head) => [head.path, head.docId]));
    const rounds = ENTRIES / DOCUMENTS;
    for (let version = 1; version <= rounds; version++) {
      await Promise.all(
        Array.from({ length: DOCUMENTS }, async (_, document) => {
          const docId: DocId | undefined = byPath.get(pathOf(document));
          if (docId === undefined) throw new Error('A document is missing.');
          const [before, after] = [textOf(document, version - 1), textOf(document, version)];
          const proposal = { ...editOf('alice', docId, before, after), patch: diffSplices(before, after) };
          const result = await leader.propose(proposal);
          if (result.kind !== 'committed') throw new Error(`Not committed: ${result.kind}`);
        }),
      );
    }
    const goal = new Map<string, RevisionHash | undefined>(
      (await leader.fetchHeads()).map((head) => [head.path, head.hash]),
    );
    const begun = performance.now();
    // By the leader's clock: what bob says of it comes late, because he is busy catching up.
    let connected: number | undefined;
    leader.onDidChangeStatus(({ peers }) => (connected ??= peers.length > 0 ? performance.now() : undefined));
    const bob = machine.serve(folder, { name: 'bob', cli: CLI });
    await bob.until(
      'in step',
      (status) =>
        status.isCaughtUp &&
        status.documents.length === DOCUMENTS &&
        status.documents.every(({ state }) => state === 'inStep'),
    );
    const done = performance.now();
    if (connected === undefined) throw new Error('The leader has not seen bob.');
    for (const [path] of goal)
      if ((await bob.read(path)) !== textOf(Number(/\d+/.exec(path)?.[0]), rounds))
        throw new Error(`${path} is not in step.`);
    await bob.end();
    leader.dispose();
    const floorMs = await writeAll(folder, rounds + 1);
    console.log(
      `${String(ENTRIES)} entries of ${String(DOCUMENTS)} documents: back in step ${((done - connected) / 1_000).toFixed(2)} s after connecting (target 2 s for 10,000), ${((done - begun) / 1_000).toFixed(2)} s with the start of the process; writing the files alone ${(floorMs / 1_000).toFixed(2)} s, ratio ${((done - connected) / floorMs).toFixed(1)}`,
    );
  } finally {
    await machine.dispose();
  }
}

await main();
