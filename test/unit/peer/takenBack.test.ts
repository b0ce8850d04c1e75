import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workingText } from '../../../src/core/workingText.ts';
import type { DocumentRecord } from '../../../src/peer/replica/documentRecord.ts';
import type { RevisionHistory } from '../../../src/peer/replica/revisionHistory.ts';
import { TakenBack } from '../../../src/peer/replica/takenBack.ts';

/** A document whose agreed text somebody else has changed, in a checkout whose HEAD has `committedText`. */
function documentInGit(committedText: string): {
  readonly takenBack: TakenBack;
  readonly git: { stamp: string };
  readonly found: (text: string) => void;
} {
  const git = { stamp: 'before' };
  const record = {
    working: workingText('agreed'),
    workingHash: 'agreed',
    isFileFromSave: false,
    commit: () => Promise.resolve(),
    stored: { shadow: { hash: 'agreed', text: 'agreed' }, head: { hash: 'agreed', text: 'agreed' } },
    ctx: {
      committed: {
        stamp: () => Promise.resolve(git.stamp),
        isCommitted: (_file: string, text: string) => Promise.resolve(text === committedText),
      },
    },
  };
  const history = { isTakingBack: () => Promise.resolve(false), hasForeign: () => Promise.resolve(true) };
  const takenBack = new TakenBack(
    record as unknown as DocumentRecord,
    history as unknown as RevisionHistory, // Both are large, and this rule asks them for what stands above only.
  );
  const found = (text: string): void => {
    record.working = workingText(text);
    record.workingHash = text;
  };
  return { takenBack, git, found };
}

test('[I1] a file that git set back while a reader waited for it to be whole is behind', async () => {
  const { takenBack, git, found } = documentInGit('committed');
  takenBack.hasRead(await takenBack.stampNow(), true);
  const stampBeforeReading = await takenBack.stampNow();
  git.stamp = 'after the stash';
  found('committed');
  takenBack.hasRead(stampBeforeReading, true);
  assert.equal(await takenBack.check('api.yaml', undefined), true);
});

test('[I1] a person who types what is committed is not asked while git did nothing', async () => {
  const { takenBack, found } = documentInGit('committed');
  takenBack.hasRead(await takenBack.stampNow(), true);
  found('committed');
  takenBack.hasRead(await takenBack.stampNow(), true);
  assert.equal(await takenBack.check('api.yaml', undefined), false);
});
