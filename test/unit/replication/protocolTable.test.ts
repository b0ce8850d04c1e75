import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const ROW = /^\| (?<what>[^|]+) \| `(?<title>[^`]+)` \|$/;
/** The list is as long as what it answers; a row that is lost should be missed. */
const ROWS = 55;

test('every mistake that docs/PROTOCOL.md names has a test of the title that it says', async () => {
  const protocol = await readFile(`${PROJECT}/docs/PROTOCOL.md`, 'utf8');
  const begin = protocol.indexOf('### What a naive version gets wrong');
  const section = protocol.slice(begin, protocol.indexOf('\n## ', begin));
  const titles = section.split('\n').flatMap((line) => ROW.exec(line)?.groups?.['title'] ?? []);
  assert.equal(titles.length, ROWS);
  let tests = '';
  for await (const path of glob('test/**/*.test.ts', { cwd: PROJECT })) {
    tests += await readFile(`${PROJECT}/${path}`, 'utf8');
  }
  const missing = titles.filter((title) => !['test(', 'it('].some((call) => begins(tests, call, title)));
  assert.deepEqual(missing, []);
});

/** Whether there is a call with this title's beginning as its first argument, on the same line or the next. */
function begins(tests: string, call: string, title: string): boolean {
  return ["'", '`'].some((quote) =>
    ['', '\n  '].some((space) => tests.includes(`${call}${space}${quote}${title.replaceAll("'", "\\'")}`)),
  );
}
