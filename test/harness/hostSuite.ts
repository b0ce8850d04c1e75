import type { Settings } from './settings.ts';
import type { SampleWorkspace } from './workspaces.ts';

/** What one suite inside VS Code runs on. */
export interface HostSuite {
  /** The sample of which the suite gets a fresh copy. */
  readonly workspace?: SampleWorkspace;
  /** User settings on top of quiet ones. */
  readonly settings?: Settings;
  /** Added to the environment of the extension host. */
  readonly env?: Readonly<Record<string, string>>;
  /** Adds the extension with the test models (test/modelExtension). */
  readonly models?: boolean;
  /** Leaves the folder untrusted: the suite runs in Restricted Mode. */
  readonly untrusted?: boolean;
}

/** Tells the suite where its copy of the workspace is. */
export const workspaceVariable = 'API_LIVE_SYNC_TEST_WORKSPACE';

/** Tells the suite where to write its counts. */
export const resultVariable = 'API_LIVE_SYNC_TEST_RESULT';

/** The counts of one suite. */
export interface HostResult {
  readonly passed: number;
  readonly failed: number;
  readonly pending: number;
}
