import type * as vscode from 'vscode';

/** The keys for AI services, in the editor's SecretStorage: each belongs to one origin and goes nowhere else. */
export class AiKeys {
  readonly #secrets: Pick<vscode.SecretStorage, 'get' | 'store' | 'delete'>;

  constructor(secrets: Pick<vscode.SecretStorage, 'get' | 'store' | 'delete'>) {
    this.#secrets = secrets;
  }

  async get(origin: string): Promise<string | undefined> {
    return this.#secrets.get(secretName(origin));
  }

  /** An empty key takes away what was stored. */
  async set(origin: string, key: string): Promise<void> {
    const trimmed = key.trim();
    if (trimmed === '') await this.#secrets.delete(secretName(origin));
    else await this.#secrets.store(secretName(origin), trimmed);
  }
}

function secretName(origin: string): string {
  return `ai.key ${origin}`;
}
