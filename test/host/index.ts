import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import { loadHostTests } from 'host-tests';
import { resultVariable } from '../harness/hostSuite.ts';
import type { HostResult } from '../harness/hostSuite.ts';

/** VS Code calls this in the extension host; it resolves when everything passed and rejects otherwise. */
export async function run(): Promise<void> {
  // mocha has kept the global console as it found it; here `console` is the one of hostConsole.ts.
  Object.assign(Mocha.reporters.Base, { consoleLog: console.log });
  const mocha = new Mocha({ ui: 'bdd', color: false, timeout: 60_000, reporter: 'spec' });
  // This is what makes `describe` and `it` known; mocha does it for files that it loads itself.
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  loadHostTests();

  const result = await new Promise<HostResult>((resolve) => {
    const runner = mocha.run(() => {
      const stats = runner.stats;
      resolve({ passed: stats?.passes ?? 0, failed: stats?.failures ?? 0, pending: stats?.pending ?? 0 });
    });
  });
  const resultFile = process.env[resultVariable];
  if (resultFile !== undefined) writeFileSync(resultFile, JSON.stringify(result));
  if (result.failed > 0) throw new Error(`${result.failed} failed`);
  if (result.passed === 0) throw new Error('No test ran.');
}
