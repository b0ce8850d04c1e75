import { makeRepository } from '../../harness/sampleRepository.ts';
import { waitFor } from '../../harness/waitFor.ts';
import { withWorkbench, type Workbench, type WorkbenchOptions } from '../../harness/workbench.ts';
import type { WorkbenchWindow } from '../../harness/window.ts';

/** The document that most tests edit. */
export const SPEC = 'openapi.yaml';
/** Of every checkout that does not say otherwise. */
export const REMOTE = 'https://example.test/harbor/tours.git';

/** A checkout of the sample API, as a clone of one repository on `main` unless it says otherwise. */
export async function checkout(
  workbench: Workbench,
  name: string,
  repository = { remoteUrl: REMOTE, branch: 'main' },
): Promise<string> {
  const folder = await workbench.workspace(name);
  await makeRepository(folder, repository);
  return folder;
}

/** The text of the product's status bar item. */
export async function status(window: WorkbenchWindow, text: RegExp): Promise<string> {
  return (await window.statusBar.waitFor(/API Live Sync/, text)).text;
}

/** Two windows on two clones, kept in step. */
export interface TwoWindows {
  readonly a: WorkbenchWindow;
  readonly b: WorkbenchWindow;
  readonly workbench: Workbench;
}

/** Two windows on two clones, in which somebody said yes once. */
export async function withTwoWindows(
  body: (windows: TwoWindows) => Promise<void>,
  options: WorkbenchOptions = {},
): Promise<void> {
  await withWorkbench(options, async (workbench) => body(await openTwoWindows(workbench)));
}

export async function openTwoWindows(workbench: Workbench): Promise<TwoWindows> {
  const a = await workbench.openWindow(await checkout(workbench, 'backend'));
  const b = await workbench.openWindow(await checkout(workbench, 'frontend'));
  await b.notifications.waitFor('Keep them in step?');
  await b.notifications.click('Keep them in step?', 'Keep in Step');
  await Promise.all([status(a, /[Ii]n step/), status(b, /[Ii]n step/)]);
  return { a, b, workbench };
}

/** Waits until both windows have the same document on disk, and gives it back. */
export async function untilEqual(
  a: WorkbenchWindow,
  b: WorkbenchWindow,
  condition: (text: string) => boolean,
  file: string = SPEC,
): Promise<string> {
  return waitFor('both files to be equal with what is expected in them', async () => {
    const [one, other] = await Promise.all([a.editor.onDisk(file), b.editor.onDisk(file)]);
    return one === other && condition(one) ? one : undefined;
  });
}
