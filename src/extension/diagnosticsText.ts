import type { FolderDiagnostics } from '../peer/folderSession.ts';

/** The programs around the extension. */
export interface Environment {
  readonly extension: string;
  readonly editor: string;
  readonly node: string;
  /** Operating system and processor, as Node names them. */
  readonly platform: string;
  /** `ssh-remote`, `wsl`, `dev-container`, …; undefined for a local window. */
  readonly remote: string | undefined;
  readonly isTrusted: boolean;
}

/** What Copy Diagnostics puts on the clipboard: readable by people, and JSON for whoever has to compare two of them. */
export function diagnosticsText(
  environment: Environment,
  folders: readonly { readonly diagnostics: FolderDiagnostics }[],
): string {
  const report = { environment, folders: folders.map(({ diagnostics }) => diagnostics) };
  return `API Live Sync diagnostics\n${JSON.stringify(report, undefined, 2)}\n`;
}
