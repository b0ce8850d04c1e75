import { FILE_CARRIED, type DocumentStatus } from '../peer/folderSession.ts';
import { count, listNames } from './words.ts';

/** What one document is doing, for a person. */
export function documentWords(document: DocumentStatus): string {
  switch (document.state) {
    case 'inStep':
      return document.problem?.code === 'formatters-disagree' ? 'in step, in your own formatting' : 'in step';
    case 'syncing':
      return 'syncing';
    case 'waiting': {
      const names = listNames(document.waitingFor);
      return `${names === '' ? 'changes' : `changes from ${names}`} wait until you save`;
    }
    case 'held':
      return count(document.conflictCount, 'conflict');
    case 'invalid':
      return document.problem?.message ?? 'cannot be read; nothing is sent until it is mended';
    case 'behind':
      return document.problem?.code === FILE_CARRIED
        ? 'still has what it had on the branch before'
        : 'was set back to an older version by something outside';
    case 'missing':
      return 'the file is gone';
    case 'misnamed':
      return document.problem?.message ?? 'has two names';
    case 'unwritable':
      return document.problem?.message ?? 'cannot be written';
  }
}
