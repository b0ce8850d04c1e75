import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { after } from 'node:test';
import { sampleWorkspacesDir } from '../../harness/paths.ts';
import { waitFor } from '../../harness/waitFor.ts';
import { failureOn, Workbench } from '../../harness/workbench.ts';
import { openTwoWindows, SPEC, status, type TwoWindows } from './twoWindows.ts';

export interface OwnDocument extends TwoWindows {
  /** A document of this test alone, which both windows have: the sample API as it was made, under another name. */
  readonly file: string;
}

/** Tests that take turns in one pair of windows. */
export interface SharedWindows {
  /** A test in these windows, which have what the tests before it left, and nothing open or unsaved. */
  readonly inTurn: (body: (windows: TwoWindows) => Promise<void>) => () => Promise<void>;
  /** The same, with a document of its own. */
  readonly withOwnDocument: (name: string, body: (windows: OwnDocument) => Promise<void>) => () => Promise<void>;
}

/**
 * Two windows on two clones that the tests of a file use one after the other, as people do: to open them takes longer than most
 * tests. After a test that failed the next one gets new ones.
 */
export function shareTwoWindows(): SharedWindows {
  let open: TwoWindows | undefined;
  after(async () => open?.workbench.close());
  const inTurn = (body: (windows: TwoWindows) => Promise<void>) => async (): Promise<void> => {
    const workbench = open?.workbench ?? (await Workbench.start());
    try {
      if (open === undefined) open = await openTwoWindows(workbench);
      else await Promise.all([open.a, open.b].map((window) => window.cleanUp()));
      await body(open);
    } catch (error) {
      const failure = await failureOn(workbench, error);
      open = undefined;
      await workbench.close();
      throw failure;
    }
  };
  return {
    inTurn,
    withOwnDocument: (name, body) =>
      inTurn(async (windows) => {
        const { a, b } = windows;
        await copyFile(path.join(sampleWorkspacesDir, 'harbor-tours', SPEC), path.join(a.folder, name));
        const text = await a.editor.onDisk(name);
        // What is not there yet reads as nothing.
        await waitFor(`${name} in both windows`, async () => (await b.editor.onDisk(name).catch(() => '')) === text);
        await Promise.all([status(a, /in step/i), status(b, /in step/i)]);
        await body({ ...windows, file: name });
      }),
  };
}
