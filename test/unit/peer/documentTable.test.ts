import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId } from '../../../src/core/ids.ts';
import type { DocumentLayout } from '../../../src/peer/replica/documentLayout.ts';
import type { DocumentReplica } from '../../../src/peer/replica/documentReplica.ts';
import { DocumentTable } from '../../../src/peer/replica/documentTable.ts';

/** What the table looks at of a document. */
const documentAt = (localPath: string, docId = localPath): DocumentReplica =>
  ({ docId: docId as DocId, localPath }) as unknown as DocumentReplica;

test('[REN-05] a place that was kept and is given up is told of where another document was refused it, once', () => {
  const table = new DocumentTable({} as DocumentLayout);
  const [mover, other] = [documentAt('a.yaml'), documentAt('b.yaml')];
  for (const document of [mover, other]) table.add(document);

  assert.equal(table.reserve(mover, 'c.yaml'), true);
  assert.equal(table.release(mover), false, 'nobody has asked for the place');
  assert.equal(table.reserve(mover, 'c.yaml'), true);
  assert.equal(table.reserve(other, 'c.yaml'), false);
  assert.equal(table.reserve(other, 'a.yaml'), false);
  assert.equal(table.release(mover), true);
  assert.equal(table.at('c.yaml'), undefined);
  assert.equal(table.at('a.yaml'), mover, 'where it stays, it stays');
  assert.equal(table.reserve(mover, 'c.yaml'), true);
  assert.equal(table.release(mover), false, 'whoever was refused has been told');
});

test('[REP-04] who leaves a place that another document has got meanwhile takes nothing from that one', () => {
  const table = new DocumentTable({} as DocumentLayout);
  const [ours, theirs] = [documentAt('a.yaml', 'ours'), documentAt('a.yaml', 'theirs')];
  table.add(theirs);
  // The disk was full when ours was to let go: it has its place again, and the other one is offered again.
  table.add(ours);
  table.remove(theirs);
  assert.equal(table.at('a.yaml'), ours);
});
