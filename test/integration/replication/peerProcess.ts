// A peer in a process of its own, driven over the channel of `fork`: see peerProcesses.ts.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { DocId, LibraryId, ProposalId } from '../../../src/core/ids.ts';
import type { Proposal } from '../../../src/core/replication/entry.ts';
import { createAmbient } from '../../../src/node/ambient.ts';
import { SyncService } from '../../../src/peer/syncService.ts';
import { hashOf, peerInfo, RecordingSink, silentLogger } from '../../unit/replication/fakes.ts';
import type { PeerCommand, PeerReport } from './peerProcesses.ts';

const report = (message: PeerReport): void => {
  process.send?.(message);
};

const [name = '', libraryId = '', directory = '', journal = '', heartbeatMs, timeoutMs] = process.argv.slice(2);
const sink = new RecordingSink();
// The durable half of a replica, as far as this test needs one: where it stands.
if (existsSync(journal)) {
  // A line that was cut short by a kill does not count.
  const line = readFileSync(journal, 'utf8').split('\n').slice(0, -1).at(-1) ?? '0 ';
  const [index = '0', runningHash = ''] = line.split(' ');
  sink.index = Number(index) as typeof sink.index;
  sink.runningHash = runningHash;
}

function record(): void {
  appendFileSync(journal, `${String(sink.index)} ${sink.runningHash ?? ''}\n`);
  report({ kind: 'applied', index: sink.index, runningHash: sink.runningHash ?? '' });
}

report({ kind: 'applied', index: sink.index, runningHash: sink.runningHash ?? '' });
const applySyncEntry = sink.applySyncEntry.bind(sink);
sink.applySyncEntry = async (entry, runningHash) => {
  await applySyncEntry(entry, runningHash);
  record();
};
const applyHeads = sink.applyHeads.bind(sink);
sink.applyHeads = async (heads, index, runningHash) => {
  await applyHeads(heads, index, runningHash);
  record();
};

const service = await SyncService.start({
  libraryId: libraryId as LibraryId,
  libraryDirectory: directory,
  peer: peerInfo(name),
  sink,
  ambient: createAmbient(silentLogger),
  heartbeatMs: Number(heartbeatMs),
  timeoutMs: Number(timeoutMs),
});
service.onDidChangeStatus((status) => {
  report({ kind: 'status', role: status.role, connection: status.connection, peers: status.peers.length });
});
report({
  kind: 'status',
  role: service.status.role,
  connection: service.status.connection,
  peers: service.status.peers.length,
});

/** Saves a document of its own over and over; an edit that was lost with its answer is sent again by the link. */
async function write(count: number, startAt: number): Promise<void> {
  const docId = `doc-${name}` as DocId;
  for (let step = startAt; step < startAt + count; step += 1) {
    const before = step === 0 ? '' : textOf(step - 1);
    const after = textOf(step);
    const proposal: Proposal = {
      proposalId: `${name}:${String(step)}` as ProposalId,
      docId,
      kind: step === 0 ? 'create' : 'edit',
      baseHash: step === 0 ? undefined : hashOf(before),
      hash: hashOf(after),
      patch: [{ offset: 0, deleteCount: before.length, insert: after }],
      ...(step === 0 ? { path: `${name}.yaml` } : {}),
      changes: [],
    };
    const result = await service.propose(proposal);
    report({
      kind: 'answered',
      proposalId: proposal.proposalId,
      result: result.kind,
      index: result.kind === 'committed' ? result.index : 0,
    });
  }
  report({ kind: 'written' });
}

function textOf(step: number): string {
  return `owner: ${name}\nstep: ${String(step)}\n`;
}

process.on('message', (command: PeerCommand) => {
  if (command.kind === 'write') void write(command.count, command.startAt);
  else {
    service.dispose();
    void service.closed.then(() => {
      process.disconnect();
    });
  }
});
// A test that is gone leaves no process behind.
process.on('disconnect', () => {
  service.dispose();
});
