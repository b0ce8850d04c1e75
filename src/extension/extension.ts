import type { ExtensionContext } from 'vscode';
import type { ExtensionApi } from './api.ts';
import { App } from './app.ts';

let app: App | undefined;

/** Called by VS Code. Registers what a person can reach and returns at once; everything else happens after that. */
export function activate(context: ExtensionContext): ExtensionApi {
  const startedAt = performance.now();
  const created = new App(context);
  app = created;
  context.subscriptions.push(created);
  const activationMs = performance.now() - startedAt;
  created.startUp(activationMs);
  return created.api(activationMs);
}

/** Called by VS Code when the window closes: lets locks and files go before the process ends. */
export async function deactivate(): Promise<void> {
  const ending = app;
  app = undefined;
  ending?.dispose();
  await ending?.closed;
}
