import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failuresIn } from '../../harness/failures.ts';

describe('what failed, said last', () => {
  it('has titles, messages and causes, without the stacks', () => {
    const report = [
      '✖ opens (3ms)',
      'ℹ fail 1',
      '✖ failing tests:',
      '',
      'test at test/ui/panel.test.ts:20:5',
      '✖ opens (3ms)',
      '  Error: opens: Waited 30 s for a row.',
      '',
      '      at panel.test.ts:20:5 {',
      '    [cause]: Error: no page',
      '        at row.ts:1:1',
      '  }',
      '',
      'test at test/ui/panel.test.ts:30:5',
      '✖ closes (1ms)',
      '  Expected values to be equal:',
      '  + 1',
    ];
    assert.deepEqual(failuresIn(report), [
      'test at test/ui/panel.test.ts:20:5',
      '✖ opens (3ms)',
      '  Error: opens: Waited 30 s for a row.',
      '    [cause]: Error: no page',
      'test at test/ui/panel.test.ts:30:5',
      '✖ closes (1ms)',
      '  Expected values to be equal:',
      '  + 1',
    ]);
    assert.deepEqual(failuresIn(['✔ all is well']), []);
  });

  it('reads the report of the extension host as well', () => {
    const report = [
      '  2 passing (1s)',
      '  1 failing',
      '',
      '  1) panel opens:',
      '     Error: no',
      '      at x.ts:1:1',
      '',
    ];
    assert.deepEqual(failuresIn(report), ['  1) panel opens:', '     Error: no']);
  });
});
