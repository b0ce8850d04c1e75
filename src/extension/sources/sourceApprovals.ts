import type { LiveSourceConfig } from '../../core/sources/liveSourceConfig.ts';
import { hashText } from '../../node/hashText.ts';

/** Where an editor keeps small values for a workspace, on this machine and outside of the workspace. */
export interface ApprovalMemory {
  get(key: string): unknown;
  update(key: string, value: unknown): Thenable<void>;
}

const KEY = 'apiLiveSync.approvedSources';
/** Values that were allowed and are not used any more are forgotten, the oldest first. */
const MAX_APPROVALS = 500;

/**
 * Which sources a person has said yes to: per folder and value, so that a repository cannot make a source out of what
 * was allowed for another one, nor change one after it was allowed.
 */
export class SourceApprovals {
  readonly #memory: ApprovalMemory;

  constructor(memory: ApprovalMemory) {
    this.#memory = memory;
  }

  isApproved(folder: string, source: LiveSourceConfig): boolean {
    return this.#list().includes(keyOf(folder, source));
  }

  async approve(folder: string, sources: readonly LiveSourceConfig[]): Promise<void> {
    const keys = sources.map((source) => keyOf(folder, source));
    const others = this.#list().filter((key) => !keys.includes(key));
    await this.#memory.update(KEY, [...others, ...keys].slice(-MAX_APPROVALS));
  }

  #list(): readonly string[] {
    const value = this.#memory.get(KEY);
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  }
}

function keyOf(folder: string, source: LiveSourceConfig): string {
  return hashText(`${folder}\n${JSON.stringify(source)}`);
}
