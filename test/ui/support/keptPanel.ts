import { waitFor } from '../../harness/waitFor.ts';
import type { WorkbenchWindow } from '../../harness/window.ts';

/** In a browser VS Code keeps what is open every few seconds, and a reload does not wait for it. */
export async function untilKept(window: WorkbenchWindow, words: readonly string[]): Promise<void> {
  await waitFor('VS Code to have kept the panel', async () =>
    window.page.evaluate(async (wanted) => {
      interface Result<T> {
        result: T;
        onsuccess: () => void;
        onerror: () => void;
      }
      interface Store {
        getAll(): Result<unknown[]>;
      }
      interface Database {
        objectStoreNames: Iterable<string>;
        transaction(name: string): { objectStore(name: string): Store };
        close(): void;
      }
      const { indexedDB, requestAnimationFrame, requestIdleCallback } = globalThis as unknown as {
        requestAnimationFrame: (callback: (value: unknown) => void) => void;
        requestIdleCallback: (callback: (value: unknown) => void) => void;
        indexedDB: { databases(): Promise<{ name: string }[]>; open(name: string): Result<Database> };
      };
      // VS Code keeps things in an idle callback, which a browser without a screen may put off by half a minute when
      // nothing is drawn: after a frame there is idle time, and what was asked for before us has run by our turn.
      for (let frame = 0; frame < 10; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
      await new Promise((resolve) => requestIdleCallback(resolve));
      const settle = async <T>(request: Result<T>): Promise<T> =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(new Error('The storage could not be read.'));
        });
      for (const { name } of await indexedDB.databases()) {
        const database = await settle(indexedDB.open(name));
        for (const storeName of database.objectStoreNames) {
          const values = await settle(database.transaction(storeName).objectStore(storeName).getAll());
          const isKept = values.some(
            // It is JSON within JSON within JSON.
            (value) =>
              typeof value === 'string' &&
              value.includes('apiLiveSync.conflicts') &&
              wanted.every((word) => value.replaceAll('\\', '').includes(word)),
          );
          if (!isKept) continue;
          database.close();
          return true;
        }
        database.close();
      }
      return false;
    }, words),
  );
}
