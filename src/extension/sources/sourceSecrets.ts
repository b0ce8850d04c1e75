import type * as vscode from 'vscode';

/** Keeps secrets of sources in the editor's secret storage, each bound to the origin that it may be sent to. */
export class SourceSecrets {
  readonly #storage: vscode.SecretStorage;

  constructor(storage: vscode.SecretStorage) {
    this.#storage = storage;
  }

  async read(origin: string, name: string): Promise<string | undefined> {
    return await this.#storage.get(keyOf(origin, name));
  }

  async write(origin: string, name: string, value: string): Promise<void> {
    await this.#storage.store(keyOf(origin, name), value);
  }

  async remove(origin: string, name: string): Promise<void> {
    await this.#storage.delete(keyOf(origin, name));
  }
}

function keyOf(origin: string, name: string): string {
  return `apiLiveSync.source ${origin} ${name}`;
}
