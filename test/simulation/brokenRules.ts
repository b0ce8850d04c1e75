/** One rule of docs/PROTOCOL.md, broken in the source. */
export interface BrokenRule {
  readonly rule: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Which simulator notices it; default `machine`. */
  readonly simulation?: 'machine' | 'hosts' | 'hostsWithLastingFaults';
}

const MANAGER = 'src/core/replication/transactionManager.ts';
const COMMITTED = 'src/core/replication/committedState.ts';
const DRAFT = 'src/core/replication/transactionDraft.ts';
const PUMP = 'src/core/replication/entryPump.ts';
const MEMORY_LOG = 'src/core/replication/memoryReplicatedLog.ts';
const LEADERSHIP = 'src/peer/syncLeadership.ts';

const SUCCESSION = 'src/core/replication/succession.ts';
const RECONCILIATION = 'src/core/replication/reconciliation.ts';

/** What the simulators must notice, each within some seeds: see brokenRules.test.ts. */
export const BROKEN_RULES: readonly BrokenRule[] = [
  {
    rule: '[REP-05] a proposal that is known is appended again',
    file: MANAGER,
    find: 'known.get(proposalId) ?? draft.indexOf(proposalId)',
    replace: '(known.size < 0 ? draft.indexOf(proposalId) : undefined)',
  },
  {
    rule: '[REP-09] a proposal is answered before it is durable',
    file: MANAGER,
    find: 'if (draft.records.length > 0) await this.#log.append(draft.records, this.#state.last.index, this.#term);',
    replace:
      'for (const { queued, results: decided } of results) queued.resolve(decided); if (draft.records.length > 0) await this.#log.append(draft.records, this.#state.last.index, this.#term);',
  },
  {
    rule: '[REP-07] after a failed transaction the heads are not read again',
    file: COMMITTED,
    find: 'this.heads.replaceAll(heads);',
    replace: 'void heads;',
  },
  {
    rule: '[REP-04] the base is not compared with the head',
    file: 'src/core/replication/checkProposal.ts',
    find: 'head.hash !== proposal.baseHash) return true;',
    replace: 'head.hash === undefined) return true;',
  },
  {
    rule: '[REP-08] a proposal is not compared with those before it in the same transaction',
    file: DRAFT,
    find: 'this.#heads.set(head);',
    replace: 'if (before === undefined) this.#heads.set(head);',
  },
  {
    rule: '[REP-13] entries are handed over while another one is still being taken in',
    file: PUMP,
    find: 'if (this.#isRunning) return;',
    replace: '',
  },
  {
    rule: '[REP-14] an announcement moves nothing',
    file: PUMP,
    find: 'if (to > this.#target) this.#target = to;',
    replace: '',
  },
  {
    rule: '[REP-18] a proposal whose answer was lost is not sent again',
    file: 'src/core/replication/follower.ts',
    find: 'const answer = await ask(session);',
    replace: 'const answer = (await ask(session)) ?? (await new Promise<never>(() => undefined));',
  },
  {
    rule: '[REC-02] the running hash is not compared',
    file: MANAGER,
    find: 'const isOurs = position.runningHash === undefined || position.runningHash === runningHash;',
    replace: 'const isOurs = true;',
  },
  {
    rule: '[REC-04] a replica from before the horizon is told that the log never knew it',
    file: MANAGER,
    find: "return position.index < horizon ? 'compacted' : 'onLog';",
    replace: "return position.index < horizon ? 'unknown' : 'onLog';",
  },
  {
    rule: '[REC-06] compaction stores no text',
    file: MEMORY_LOG,
    find: 'this.#anchorAt(horizon);',
    replace: 'void this.#anchorAt;',
  },
  {
    rule: '[REP-16] a log that is compacted as a whole begins at 1 again',
    file: MEMORY_LOG,
    find: 'return this.#records.at(-1)?.entry.index ?? this.#horizon;',
    replace: 'return this.#records.at(-1)?.entry.index ?? LOG_START;',
  },
  {
    rule: '[ELE-03] the lock is released before the log is closed',
    file: LEADERSHIP,
    find: 'this.#compaction.dispose();\n    try {',
    replace: 'this.#compaction.dispose();\n    host.releaseLock();\n    try {',
  },
  {
    rule: '[ELE-04] a follower that loses its leader does not reach for the lock',
    file: 'src/peer/syncService.ts',
    find: 'if (this.#host.tryLock()) return',
    replace: 'if (this.#role === undefined && this.#host.tryLock()) return',
  },
  {
    rule: '[ELE-09] entries are taken in before the term of their leader is durable',
    file: 'src/core/replication/hostCopy.ts',
    find: 'await log.adoptTerm(leadership());',
    replace: 'void leadership;',
    simulation: 'hosts',
  },
  {
    rule: '[ELE-09] a leader of an older term than the log knows is followed',
    file: SUCCESSION,
    find: ': compareTerms(term, own.term) >= 0;',
    replace: ': true;',
    simulation: 'hostsWithLastingFaults',
  },
  {
    rule: '[ELE-09] what comes from another leader still changes the log of a host that leads',
    file: MANAGER,
    find: "if (this.#isLeading) throw new SyncError('stale-term', 'This host leads now.');",
    replace: '',
    simulation: 'hostsWithLastingFaults',
  },
  {
    rule: '[ELE-13] a leader out of reach is followed through nobody',
    file: SUCCESSION,
    find: "(host.role === 'leading' || host.role === 'following')",
    replace: "host.role === 'leading'",
    simulation: 'hosts',
  },
  {
    rule: '[ELE-13] a host follows through one that follows through others itself',
    file: SUCCESSION,
    find: "host.role === 'following')",
    replace: "host.role === 'following' || host.role === 'relayed')",
    simulation: 'hostsWithLastingFaults',
  },
  {
    rule: '[ELE-12] a leader that meets a higher term goes on as before',
    file: SUCCESSION,
    find: "own.role === 'leading' ? compareTerms(term, own.term) > 0",
    replace: "own.role === 'leading' ? false",
    simulation: 'hosts',
  },
  {
    rule: '[ELE-12] two leaders outbid each other at once',
    file: SUCCESSION,
    find: 'return now - this.#disputedSince >= this.#options.timeoutMs;',
    replace: 'return true;',
    simulation: 'hosts',
  },
  {
    rule: '[REP-26] a commit is told although its entry has not come in',
    file: 'src/peer/syncService.ts',
    find: 'if (isCertain || (await this.#follower.untilApplied(namedIndex(result)))) return result;',
    replace: 'if (isCertain || namedIndex(result) >= 0) return result;',
    simulation: 'hosts',
  },
  {
    rule: '[REP-26] a connection goes on where the replica has moved since hello',
    file: PUMP,
    find: 'if (said !== undefined && !(await this.#isWhereSaid(source, said))) {',
    replace: 'if (said !== undefined && said.index < 0) {',
    simulation: 'hosts',
  },
  {
    rule: '[REC-07] the logs are taken to be equal where the hashes differ',
    file: RECONCILIATION,
    find: 'if (own !== undefined && own === theirs[at]) {',
    replace: 'if (own !== undefined && at >= 0) {',
    simulation: 'hosts',
  },
  {
    rule: '[REC-08] what was set aside is forgotten',
    file: RECONCILIATION,
    find: "if (!isUntouched(docId, log.headIndex(docId))) return 'contested';",
    replace: "return 'contested';",
    simulation: 'hosts',
  },
  {
    rule: '[REC-08] a document that the leader has touched since is brought back where the old base fits again',
    file: RECONCILIATION,
    find: "if (!isUntouched(docId, log.headIndex(docId))) return 'contested';",
    replace: '',
    simulation: 'hosts',
  },
  {
    rule: '[REC-08] what was set aside in several steps is proposed in the order of these',
    file: MEMORY_LOG,
    find: '.sort((a, b) => compareTerms(a.term, b.term) || a.index - b.index)',
    replace: '',
    simulation: 'hostsWithLastingFaults',
  },
  {
    rule: '[REC-08] a host serves its peers while its log is still being brought to where another leader’s stood',
    file: PUMP,
    find: ' || this.#isReconciling;',
    replace: ';',
    simulation: 'hostsWithLastingFaults',
  },
  {
    rule: '[REC-09] a host keeps the entries that the leader lacks',
    file: RECONCILIATION,
    find: 'if (shared < index && options.canRewind && (await tryRewind(log, shared))) return true;',
    replace: 'if (shared < index && options.canRewind) return true; void tryRewind;',
    simulation: 'hosts',
  },
  {
    rule: '[REC-09] a log that goes back keeps the heads of what it has set aside',
    file: MEMORY_LOG,
    find: 'for (const head of restored) this.#heads.set(head.docId, head);',
    replace: 'void restored;',
    simulation: 'hosts',
  },
  {
    rule: '[REC-09] what was set aside still counts as decided',
    file: MEMORY_LOG,
    find: 'this.#proposals.delete(entry.proposalId);',
    replace: '',
    simulation: 'hosts',
  },
  {
    rule: '[REC-10] a log that is taken over keeps its own running hashes',
    file: MEMORY_LOG,
    find: 'this.#forgottenHashes.splice(shared + 1);',
    replace: '',
    simulation: 'hosts',
  },
];
