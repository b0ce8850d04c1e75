import * as z from 'zod';
import type { DocId, LogIndex, PeerId, ProposalId, RevisionHash, Term } from '../ids.ts';
import type { Splice } from '../merge/types.ts';
import { BULK_REASONS } from './entry.ts';
import type { Author, BulkDocument, BulkProposal, DocumentEntry, DocumentHead, LogEntry, Proposal } from './entry.ts';
import { insertedUnits } from './bulkEntry.ts';
import {
  MAX_BULK_DOCUMENTS,
  MAX_BULK_UNITS,
  MAX_CHANGE_LENGTH,
  MAX_CHANGES,
  MAX_DOCUMENT_BYTES,
  MAX_NAME_LENGTH,
  MAX_PATH_BYTES,
  MAX_SPLICES,
} from './limits.ts';

const MAX_ID_LENGTH = 200;
/** Printable ASCII: an id is compared, stored and logged, never read by people. */
const ID_PATTERN = /^[\x21-\x7e]+$/;

/** The schema of an opaque id; the brand is ours to give because the shape has been checked. */
function id<T extends string>(): z.ZodType<T> {
  return z.string().min(1).max(MAX_ID_LENGTH).regex(ID_PATTERN) as unknown as z.ZodType<T>;
}

const natural = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const logIndexSchema = natural as unknown as z.ZodType<LogIndex>;
export const peerIdSchema = id<PeerId>();
export const docIdSchema = id<DocId>();
export const opaqueIdSchema = id;
export const proposalIdSchema = id<ProposalId>();
export const naturalSchema = natural;
export const revisionHashSchema = z.string().regex(/^[0-9a-f]{64}$/) as unknown as z.ZodType<RevisionHash>;
/** '' stands before the first entry. */
export const runningHashSchema = z.string().regex(/^([0-9a-f]{64})?$/);
export const displayNameSchema = z.string().max(MAX_NAME_LENGTH);

export const termSchema: z.ZodType<Term> = z.strictObject({ number: natural, leaderId: peerIdSchema });

export const authorSchema: z.ZodType<Author> = z.strictObject({ peerId: peerIdSchema, name: displayNameSchema });

const spliceSchema: z.ZodType<Splice> = z.strictObject({
  offset: natural,
  deleteCount: natural,
  insert: z.string().max(MAX_DOCUMENT_BYTES),
});

const changeFields = {
  proposalId: id<ProposalId>(),
  docId: docIdSchema,
  baseHash: revisionHashSchema.optional(),
  hash: revisionHashSchema.optional(),
  patch: z.array(spliceSchema).max(MAX_SPLICES),
  // What a path may look like is the TransactionManager's rule, which answers with a sentence; here only its size is bounded.
  path: z.string().max(MAX_PATH_BYTES).optional(),
  basePath: z.string().max(MAX_PATH_BYTES).optional(),
  changes: z.array(z.string().max(MAX_CHANGE_LENGTH)).max(MAX_CHANGES),
};

export const proposalSchema = z
  .strictObject({ ...changeFields, kind: z.enum(['create', 'edit', 'delete', 'rename', 'resolve']) })
  .transform((value): Proposal => ({ ...withoutPaths(value), ...paths(value), kind: value.kind }));

const stampFields = { index: logIndexSchema, term: termSchema, author: authorSchema, at: z.number() };

const originFields = {
  reason: z.enum(BULK_REASONS),
  headCommit: z
    .string()
    .regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/)
    .optional(),
};

const bulkHashFields = {
  proposalId: id<ProposalId>(),
  docId: docIdSchema,
  baseHash: revisionHashSchema,
  hash: revisionHashSchema,
};
const patchSchema = z.array(spliceSchema).max(MAX_SPLICES);

/** None of them twice, and within the bounds of a message. */
function isBulk(documents: readonly BulkDocument[]): boolean {
  const docIds = new Set(documents.map(({ docId }) => docId));
  return docIds.size === documents.length && insertedUnits(documents) <= MAX_BULK_UNITS;
}

/** Many edits in one message ([BLK-01]). */
export const bulkProposalSchema: z.ZodType<BulkProposal> = z.strictObject({
  ...originFields,
  documents: z
    .array(z.strictObject({ ...bulkHashFields, patch: patchSchema }))
    .min(1)
    .max(MAX_BULK_DOCUMENTS)
    .refine(isBulk),
});

const bulkEntrySchema = z.strictObject({
  ...stampFields,
  ...originFields,
  kind: z.literal('bulk'),
  proposalId: id<ProposalId>(),
  documents: z
    .array(z.strictObject({ ...bulkHashFields, patch: patchSchema.optional() }))
    .min(1)
    .max(MAX_BULK_DOCUMENTS)
    .refine(isBulk),
});

const documentEntrySchema = z
  .strictObject({
    ...changeFields,
    ...stampFields,
    kind: z.enum(['create', 'edit', 'delete', 'rename', 'resolve', 'leader']),
  })
  .transform((value): DocumentEntry => ({
    index: value.index,
    term: value.term,
    ...withoutPaths(value),
    ...paths(value),
    kind: value.kind,
    author: value.author,
    at: value.at,
  }));

export const logEntrySchema: z.ZodType<LogEntry> = z.union([documentEntrySchema, bulkEntrySchema]);

export const documentHeadSchema = z
  .strictObject({
    docId: docIdSchema,
    path: z.string().max(MAX_PATH_BYTES),
    hash: revisionHashSchema.optional(),
    index: logIndexSchema,
    author: authorSchema,
    at: z.number(),
  })
  .transform((value): DocumentHead => ({ ...value, hash: value.hash }));

/** The entry in a parsed JSON value, or undefined where it is none. */
export function parseLogEntry(value: unknown): LogEntry | undefined {
  return logEntrySchema.safeParse(value).data;
}

/** Says why a proposal cannot even be sent; undefined where it can. */
export function checkProposalShape(proposal: Proposal): string | undefined {
  const { error } = proposalSchema.safeParse(proposal);
  return error === undefined ? undefined : z.prettifyError(error);
}

/** The same for the edits of a bulk. */
export function checkBulkShape(bulk: BulkProposal): string | undefined {
  const { error } = bulkProposalSchema.safeParse(bulk);
  return error === undefined ? undefined : z.prettifyError(error);
}

/** What the fields above parse to. */
type ParsedChange = z.infer<z.ZodObject<typeof changeFields>>;

function withoutPaths(value: ParsedChange) {
  return {
    proposalId: value.proposalId,
    docId: value.docId,
    baseHash: value.baseHash,
    hash: value.hash,
    patch: value.patch,
    changes: value.changes,
  };
}

/** An absent path stays absent: `undefined` under the key would be another shape than the one that was sent. */
function paths(value: { readonly path?: string | undefined; readonly basePath?: string | undefined }) {
  return {
    ...(value.path === undefined ? {} : { path: value.path }),
    ...(value.basePath === undefined ? {} : { basePath: value.basePath }),
  };
}
