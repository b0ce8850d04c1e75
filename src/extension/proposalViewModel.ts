import type { Proposal } from '../core/advice/askAdvisor.ts';
import { isGood } from '../core/advice/resolutionCheck.ts';
import type { Resolution } from '../core/merge/types.ts';
import type { AdviceProgress } from '../core/ports.ts';
import type { HeldConflict } from '../peer/folderSession.ts';
import type { ProposalView } from '../protocol/conflictPanel.ts';
import { problemSentence } from './problems.ts';
import { count } from './words.ts';

/** What the panel shows of a proposal. */
export function toProposalView(proposal: Proposal, { conflict, theirsName }: HeldConflict, by: string): ProposalView {
  if (proposal.kind === 'declined') return { state: 'declined', reason: proposal.reason, by };
  if (proposal.kind === 'failed') return { state: 'failed', sentence: problemSentence(proposal.problem) };
  const { resolution, reason, confidence, checks } = proposal;
  const text = {
    ours: conflict.ours?.text,
    theirs: conflict.theirs?.text,
    base: conflict.base?.text,
    both: undefined,
    custom: resolution.choice === 'custom' ? resolution.text : undefined,
  }[resolution.choice];
  return {
    state: 'ready',
    title: titleOf(resolution, conflict.ours === undefined, conflict.theirs === undefined, theirsName),
    ...(text === undefined ? {} : { text: text.replace(/\n$/, '') }),
    reason,
    confidence,
    by,
    checks: checks.map(({ outcome, sentence }) => ({ outcome, sentence })),
    canTake: isGood(checks),
  };
}

/** What the person who waits for an answer reads. */
export function askingNote(progress: AdviceProgress | undefined): string {
  if (progress === undefined) return 'Waiting for an answer…';
  if (progress.kind === 'waiting')
    return `The service asked to wait: trying again in ${count(progress.seconds, 'second')}…`;
  return `Receiving the answer: ${count(progress.characters, 'character')}…`;
}

function titleOf({ choice }: Resolution, isOursGone: boolean, isTheirsGone: boolean, theirsName: string): string {
  switch (choice) {
    case 'ours':
      return isOursGone ? 'Leave it deleted, as you did' : 'Keep yours';
    case 'theirs':
      return isTheirsGone ? `Delete it, as ${theirsName} did` : `Take the one from ${theirsName}`;
    case 'both':
      return 'Take both';
    case 'base':
      return 'Go back to what it was';
    case 'custom':
      return 'A text of its own';
  }
}
