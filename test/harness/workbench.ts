import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { launchBrowser } from './browser.ts';
import { companionDirVariable, writeCompanionExtension } from './companion.ts';
import { installExtension } from './installExtension.ts';
import type { Progress } from './installOnce.ts';
import { installModelExtension } from './modelExtension.ts';
import { testResultsDir } from './paths.ts';
import { baseSettings, typingSettings } from './settings.ts';
import type { Settings } from './settings.ts';
import { startServer } from './vscodeServer.ts';
import type { VsCodeServer } from './vscodeServer.ts';
import { WorkbenchWindow } from './window.ts';
import { copyWorkspace } from './workspaces.ts';
import type { SampleWorkspace } from './workspaces.ts';

export interface WorkbenchOptions {
  /** Adds the extension with the test models (test/modelExtension). */
  readonly models?: boolean;
  /** User settings on top of quiet ones. */
  readonly settings?: Settings;
  /** Settings of scope `machine`: in a window of a server they count where the server has them. */
  readonly machineSettings?: Settings;
  /** Added to the environment of the extension hosts. */
  readonly env?: Readonly<Record<string, string>>;
  /** The product's per-user state; a folder of its own if not given. Two workbenches with one are two editors of one person. */
  readonly stateDir?: string;
  /** Lets folders be untrusted (Restricted Mode). */
  readonly workspaceTrust?: boolean;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly progress?: Progress;
}

export interface OpenWindowOptions {
  /** Do not wait for the extension host; for windows that stop at a dialog. */
  readonly waitForExtensionHost?: boolean;
  /** A `.code-workspace` file to open instead of the folder, which is one of its folders. */
  readonly workspaceFile?: string;
}

/** One person's VS Code: a server, a browser, and windows on folders, in a temporary folder of their own. */
export class Workbench {
  /** Holds everything of this workbench; deleted when it closes. */
  readonly dir: string;
  /** `API_LIVE_SYNC_STATE_DIR` of its extension hosts. */
  readonly stateDir: string;
  readonly server: VsCodeServer;
  readonly windows: WorkbenchWindow[] = [];
  readonly #browser: Browser;
  readonly #context: BrowserContext;
  readonly #companionDir: string;
  readonly #claimedHosts = new Set<number>();
  readonly #turns = new Map<string, Promise<unknown>>();

  private constructor(
    dir: string,
    stateDir: string,
    companionDir: string,
    server: VsCodeServer,
    context: BrowserContext,
    browser: Browser,
  ) {
    this.dir = dir;
    this.stateDir = stateDir;
    this.#companionDir = companionDir;
    this.server = server;
    this.#context = context;
    this.#browser = browser;
  }

  static async start(options: WorkbenchOptions = {}): Promise<Workbench> {
    const dir = await realpath(await mkdtemp(path.join(tmpdir(), 'als-')));
    const folder = async (name: string): Promise<string> => {
      const target = path.join(dir, name);
      await mkdir(target, { recursive: true });
      return target;
    };
    const [extensionsDir, userDataDir, companionDir] = [
      await folder('extensions'),
      await folder('user-data'),
      await folder('c'),
    ];
    const stateDir = options.stateDir ?? (await folder('state'));
    await installExtension(extensionsDir);
    if (options.models === true) await installModelExtension(extensionsDir);
    await writeCompanionExtension(extensionsDir);
    await writeSettings(path.join(userDataDir, 'User'), { ...baseSettings, ...typingSettings, ...options.settings });

    await writeSettings(path.join(userDataDir, 'Machine'), options.machineSettings ?? {});
    // The browser starts while the server does.
    const starting = launchBrowser(options.progress);
    starting.catch(() => undefined);
    const server = await startServer({
      serverDataDir: path.join(dir, 'server'),
      userDataDir,
      extensionsDir,
      workspaceTrust: options.workspaceTrust,
      temporaryDir: dir,
      env: { API_LIVE_SYNC_STATE_DIR: stateDir, [companionDirVariable]: companionDir, ...options.env },
      progress: options.progress,
    });
    try {
      const browser = await starting;
      const context = await browser.newContext({ viewport: options.viewport ?? { width: 1280, height: 800 } });
      await context.grantPermissions(['clipboard-read', 'clipboard-write']);
      return new Workbench(dir, stateDir, companionDir, server, context, browser);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** A fresh copy of a sample workspace in this workbench's own folder. */
  async workspace(name: string, sample: SampleWorkspace = 'harbor-tours'): Promise<string> {
    return copyWorkspace(sample, path.join(this.dir, 'workspaces', name));
  }

  /** Opens a folder in a window of its own and waits until it can be worked with. */
  async openWindow(folder: string, options: OpenWindowOptions = {}): Promise<WorkbenchWindow> {
    const window = new WorkbenchWindow({
      page: await this.#context.newPage(),
      server: this.server,
      folder,
      workspaceFile: options.workspaceFile,
      companionDir: this.#companionDir,
      claimedHosts: this.#claimedHosts,
      waitForExtensionHost: options.waitForExtensionHost ?? true,
    });
    this.windows.push(window);
    await inTurn(this.#turns, folder, async () => {
      // Two pages that load VS Code's one large script into the browser's cache at the same moment get in each other's way.
      await inTurn(this.#turns, 'load', async () => window.load());
      // Windows on one folder open one after the other: each must be matched with its own extension host.
      await window.whenReady();
    });
    return window;
  }

  /** Pictures of all windows, for a test that failed. */
  async screenshots(name: string): Promise<void> {
    await Promise.all(
      this.windows.map(async (window, index) =>
        window.screenshot(`${name}-${String(index + 1)}`).catch(() => undefined),
      ),
    );
  }

  /** What the windows show, one line for each. */
  async describe(): Promise<string> {
    const lines = this.windows.map(async (window, index) => {
      // A page that is gone or stuck has nothing to say, and is no reason to hide why the test failed.
      const shown = await window.describe().catch((error: unknown) => String(error));
      return `Window ${String(index + 1)} (${path.basename(window.folder)}): ${shown}`;
    });
    return (await Promise.all(lines)).join('\n');
  }

  /** Ends windows, browser and server with all they started, and deletes the folder. */
  async close(): Promise<void> {
    for (const window of this.windows) window.dispose();
    await this.#context.close().catch(() => undefined);
    await this.#browser.close();
    await this.server.stop();
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Runs a test on a workbench of its own and closes it, however the test ends. When it fails, the failure says what the windows
 * showed; pictures of them and what the server said lie in test-results.
 */
export async function withWorkbench(
  options: WorkbenchOptions,
  body: (workbench: Workbench) => Promise<void>,
): Promise<void> {
  const workbench = await Workbench.start(options);
  try {
    await body(workbench);
  } catch (error) {
    throw await failureOn(workbench, error);
  } finally {
    await workbench.close();
  }
}

/** Why a test failed with what its windows showed. Leaves pictures of them and what the server said in test-results. */
export async function failureOn(workbench: Workbench, error: unknown): Promise<Error> {
  const name = `failed-${String(Date.now())}`;
  await workbench.screenshots(name);
  await mkdir(testResultsDir, { recursive: true });
  await writeFile(
    path.join(testResultsDir, `${name}.log`),
    workbench.windows.map((window) => window.log()).join('\n') + workbench.server.output(),
  );
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`${message}\n${await workbench.describe()}`, { cause: error });
}

/** Runs what has the same name one after the other. */
async function inTurn(turns: Map<string, Promise<unknown>>, name: string, work: () => Promise<void>): Promise<void> {
  const done = (turns.get(name) ?? Promise.resolve()).then(work);
  turns.set(
    name,
    done.catch(() => undefined),
  );
  return done;
}

async function writeSettings(folder: string, settings: Settings): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'settings.json'), `${JSON.stringify(settings, null, 2)}\n`);
}
