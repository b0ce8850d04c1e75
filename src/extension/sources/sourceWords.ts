import { changeSentence, type ElementChange } from '../../core/sources/elementChange.ts';
import { type LiveSourceConfig, sourceAddress, sourceName } from '../../core/sources/liveSourceConfig.ts';
import type { SyncResult, SyncStatus } from '../../peer/sources/liveSyncService.ts';
import { count } from '../words.ts';

/** More than these are no quiet notice any more. */
const MAX_NAMED = 3;

/** "added POST /pets, changed GET /pets (summary) and 3 more" */
export function changesSentence(changes: readonly ElementChange[]): string {
  const named = changes.slice(0, MAX_NAMED).map(changeSentence).join(', ');
  return changes.length > MAX_NAMED ? `${named} and ${count(changes.length - MAX_NAMED, 'more', 'more')}` : named;
}

/** What one source has just written, in one line. */
export function changedSentence(config: LiveSourceConfig, changes: readonly ElementChange[]): string {
  const isNew = changes.some(({ kind, pointer }) => kind === 'added' && /^\/(?:openapi|swagger)$/.test(pointer));
  const operations = changes.filter(({ pointer }) => /^\/paths\/[^/]+\/[^/]+$/.test(pointer)).length;
  if (isNew) return `${config.target} was made from ${sourceName(config)}: ${count(operations, 'operation')}.`;
  const what = changes.length === 0 ? 'changed the layout only' : changesSentence(changes);
  return `${sourceName(config)} → ${config.target}: ${what}.`;
}

/** What one source would write. */
export function waitingSentence(config: LiveSourceConfig, changes: readonly ElementChange[]): string {
  return `${sourceName(config)} differs from ${config.target}: ${changesSentence(changes) || 'in its layout only'}.`;
}

/** How a sync that somebody asked for ended. */
export function resultSentence(config: LiveSourceConfig, result: SyncResult): string {
  const held = result.conflictCount === 0 ? '' : ` ${count(result.conflictCount, 'conflict')} to settle.`;
  switch (result.kind) {
    case 'unchanged':
      return `${config.target} has all that ${sourceName(config)} says.${held}`;
    case 'changed':
      return `${changedSentence(config, result.changes)}${held}`;
    case 'changesWaiting':
      return `${waitingSentence(config, result.changes)} Nothing is written until you apply it.`;
    case 'waiting':
    case 'failed':
      return [result.problem?.message, result.problem?.remedy].filter((part) => part !== undefined).join(' ');
  }
}

/** What a source is doing, beside its name. @param now wall clock, milliseconds. */
export function stateWords(status: SyncStatus, now: number): string {
  const last = status.lastSyncAt === undefined ? '' : ` · ${agoWords(now - status.lastSyncAt)}`;
  switch (status.state) {
    case 'new':
      return 'not asked yet';
    case 'syncing':
      return `syncing${last}`;
    case 'inStep':
      return `in step${last}`;
    case 'changesWaiting':
      return `${count(status.changes.length, 'change')} to look at`;
    case 'waiting':
      return `waits: ${status.problem?.message ?? ''}`;
    case 'held':
      return `${count(status.conflictCount, 'conflict')}${last}`;
    case 'failed':
      return status.problem?.message ?? 'failed';
    case 'paused':
      return `paused${last}`;
    case 'elsewhere':
      return 'run by another window';
    case 'atLeader':
      return `followed by the leader's window${status.leaderName === undefined ? '' : ` (${status.leaderName})`}`;
  }
}

/** "just now", "40 s ago", "5 min ago", "3 h ago" */
export function agoWords(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 10) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}

/** Asks whether sources that stand in the settings of a folder may be asked. */
export function consentSentence(folderName: string, sources: readonly LiveSourceConfig[]): string {
  const named = sources
    .slice(0, MAX_NAMED)
    .map((source) => `${sourceAddress(source)} → ${source.target}`)
    .join(', ');
  const more = sources.length > MAX_NAMED ? ` and ${count(sources.length - MAX_NAMED, 'more', 'more')}` : '';
  return `The settings of ${folderName} name live sources: ${named}${more}. May they be asked, and their answers merged into these files?`;
}
