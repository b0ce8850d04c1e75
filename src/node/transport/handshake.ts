import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import type { LibraryId } from '../../core/ids.ts';

/** Names what the proofs are for, so that one made for another purpose or a later version is worth nothing here. */
const CONTEXT = 'api-live-sync/1';
const NONCE_BYTES = 32;

export type HandshakeRole = 'leader' | 'follower';

/** Both sides' random numbers: a proof over both cannot have been recorded earlier. */
export interface Nonces {
  readonly follower: string;
  readonly leader: string;
}

const nonceSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** First, from the follower: who it wants to talk to. */
export const greetingSchema = z.strictObject({
  kind: z.literal('greeting'),
  libraryId: z.string().max(200),
  nonce: nonceSchema,
});
/** Second, from the leader: that it knows the token. */
export const challengeSchema = z.strictObject({ kind: z.literal('challenge'), nonce: nonceSchema, proof: nonceSchema });
/** Third, from the follower: that it knows the token. */
export const responseSchema = z.strictObject({ kind: z.literal('response'), proof: nonceSchema });
/** Last, from the leader. */
export const acceptedSchema = z.strictObject({ kind: z.literal('accepted') });

export type HandshakeMessage =
  | z.infer<typeof greetingSchema>
  | z.infer<typeof challengeSchema>
  | z.infer<typeof responseSchema>
  | z.infer<typeof acceptedSchema>;

export function makeNonce(): string {
  return randomBytes(NONCE_BYTES).toString('hex');
}

/** What only somebody who has the library's token can compute; the token itself never leaves the process. */
export function makeProof(token: string, role: HandshakeRole, libraryId: LibraryId, nonces: Nonces): string {
  const words = [CONTEXT, role, libraryId, nonces.follower, nonces.leader].join('\n');
  return createHmac('sha256', token).update(words, 'utf8').digest('hex');
}

/** Compares in a time that does not depend on how much of the proof is right. */
export function isProof(found: string, expected: string): boolean {
  const a = Buffer.from(found, 'utf8');
  const b = Buffer.from(expected, 'utf8');
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
