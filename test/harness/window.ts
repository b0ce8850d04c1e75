import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { Dialog } from './dialog.ts';
import { Editor } from './editor.ts';
import { nextExtensionHost } from './extensionHost.ts';
import type { ExtensionHost } from './extensionHost.ts';
import { Notifications } from './notifications.ts';
import { testResultsDir } from './paths.ts';
import { QuickInput } from './quickInput.ts';
import { themeClasses, themes } from './settings.ts';
import type { Theme } from './settings.ts';
import { untilGone, untilShown } from './shown.ts';
import { StatusBar } from './statusBar.ts';
import type { VsCodeServer } from './vscodeServer.ts';
import { defaultTimeoutMilliseconds, waitFor } from './waitFor.ts';
import { Webviews } from './webviews.ts';

export interface WindowParts {
  readonly page: Page;
  readonly server: VsCodeServer;
  readonly folder: string;
  readonly workspaceFile: string | undefined;
  readonly companionDir: string;
  readonly claimedHosts: Set<number>;
  readonly waitForExtensionHost: boolean;
}

/** One VS Code window on one folder. Acts through the page like a person, reads through the extension host where the page could mislead. */
export class WorkbenchWindow {
  readonly page: Page;
  readonly folder: string;
  readonly quickInput: QuickInput;
  readonly statusBar: StatusBar;
  readonly notifications: Notifications;
  readonly dialog: Dialog;
  readonly webviews: Webviews;
  readonly editor: Editor;
  readonly #parts: WindowParts;
  readonly #log: string[] = [];
  #host: ExtensionHost | undefined;

  constructor(parts: WindowParts) {
    this.#parts = parts;
    this.page = parts.page;
    this.folder = parts.folder;
    this.quickInput = new QuickInput(this.page);
    this.statusBar = new StatusBar(this.page);
    this.notifications = new Notifications(this.page);
    this.dialog = new Dialog(this.page);
    this.webviews = new Webviews(this.page);
    this.editor = new Editor(this);
    this.page.setDefaultTimeout(defaultTimeoutMilliseconds);
    this.page.on('console', (message) => this.#log.push(`[${message.type()}] ${message.text()}`));
    this.page.on('pageerror', (error) => this.#log.push(`[page error] ${error.message}`));
  }

  /** Loads VS Code's page. */
  async load(): Promise<void> {
    const { server, workspaceFile } = this.#parts;
    await this.page.goto(
      server.address(workspaceFile === undefined ? { folder: this.folder } : { workspace: workspaceFile }),
    );
  }

  /** Waits until the window can be worked with. */
  async whenReady(): Promise<void> {
    await untilShown(this.page.locator('.monaco-workbench .part.statusbar'));
    if (this.#parts.waitForExtensionHost) {
      this.#host = await nextExtensionHost(this.#parts.companionDir, this.folder, this.#parts.claimedHosts);
    }
  }

  /** The window's extension host, to read what the page does not show reliably. */
  get host(): ExtensionHost {
    if (this.#host === undefined) throw new Error('This window was opened without waiting for its extension host.');
    return this.#host;
  }

  /** Runs a command by its title, as it stands in the palette: `API Live Sync: Sync Now`. */
  async runCommand(title: string): Promise<void> {
    await waitFor(`the command ${title}`, async () => {
      await this.quickInput.openPalette();
      await this.quickInput.type(`>${title}`);
      if (await this.quickInput.offers(title)) return true;
      // It lists what there was when it was opened, and a window that has just come up learns of more commands.
      await this.quickInput.cancel();
      return false;
    });
    await this.quickInput.pick(title);
    await this.quickInput.whenPaletteClosed();
  }

  /** Loads the window anew, with a new extension host, as "Developer: Reload Window" does. */
  async reload(): Promise<void> {
    this.#host?.close();
    this.#host = undefined;
    await this.page.reload();
    await this.whenReady();
  }

  /** Says that the folder's authors are trusted; for workbenches with `workspaceTrust`, whose folders start in Restricted Mode. */
  async trustFolder(): Promise<void> {
    await this.runCommand('Workspaces: Manage Workspace Trust');
    await this.page.locator('.workspace-trust-editor').getByRole('button', { name: 'Trust', exact: true }).click();
    await waitFor('the folder to be trusted', async () =>
      this.host.evaluate(({ vscode }) => vscode.workspace.isTrusted),
    );
  }

  /** Changes a setting of the user, or of this window's folder. (VS Code's server does not notice when its settings.json is written by others.) */
  async updateSetting(key: string, value: unknown, target: 'user' | 'folder' = 'user'): Promise<void> {
    await this.host.evaluate(
      async ({ vscode, argument }) => {
        const where =
          argument.target === 'user' ? vscode.ConfigurationTarget.Global : vscode.ConfigurationTarget.Workspace;
        await vscode.workspace.getConfiguration().update(argument.key, argument.value, where);
      },
      { key, value, target },
    );
  }

  /** Changes the color theme and waits until the window wears it. */
  async setTheme(theme: Theme): Promise<void> {
    await this.updateSetting('workbench.colorTheme', themes[theme]);
    await untilShown(this.page.locator(`.monaco-workbench.${themeClasses[theme]}`));
  }

  /** Closes all editors, with what is not saved in them, and all notifications: for the next test in this window. */
  async cleanUp(): Promise<void> {
    await this.host.evaluate(async ({ vscode }) => {
      const { executeCommand } = vscode.commands;
      for (const document of vscode.workspace.textDocuments.filter(({ isDirty }) => isDirty)) {
        await vscode.window.showTextDocument(document);
        await executeCommand('workbench.action.files.revert');
      }
      await executeCommand('workbench.action.closeAllEditors');
      await executeCommand('notifications.clearAll');
    });
    await untilGone(this.page.locator('.editor-instance').first());
    await waitFor('no notification to be left', async () => (await this.notifications.list()).length === 0);
  }

  /** Puts a picture of the window into test-results. */
  async screenshot(name: string): Promise<string> {
    await mkdir(testResultsDir, { recursive: true });
    const file = path.join(testResultsDir, `${name}.png`);
    await this.page.screenshot({ path: file });
    return file;
  }

  /** What is in front, in one line: for a test that failed where nobody sees the pictures. */
  async describe(): Promise<string> {
    const texts = async (selector: string): Promise<string> =>
      (await this.page.locator(selector).allInnerTexts())
        .map((text) => text.replaceAll(/\s+/g, ' ').trim())
        .join(' | ');
    const [editors, question, quickInput, status] = await Promise.all([
      texts('.tab.active'),
      texts('.monaco-dialog-box .dialog-message-container'),
      texts('.quick-input-widget:visible'),
      texts('.part.statusbar .statusbar-item[id^="api-live-sync"]'),
    ]);
    const notices = (await this.notifications.list()).map(({ message }) => message).join(' | ');
    const notes: string[] = [];
    for (const frame of await this.webviews.frames()) notes.push(...(await frame.locator('.note').allInnerTexts()));
    return JSON.stringify({ editors, question, quickInput, notices, status, panel: notes.join(' | ') });
  }

  /** What the page's console said. */
  log(): string {
    return this.#log.join('\n');
  }

  /** Closes the window: its extension host ends as with a closed window on the desktop. */
  async close(): Promise<void> {
    this.dispose();
    await this.page.close();
  }

  /** Lets go of the extension host without closing the page. */
  dispose(): void {
    this.#host?.close();
    this.#host = undefined;
  }
}
