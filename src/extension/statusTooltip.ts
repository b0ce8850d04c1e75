import type { FolderStatus } from '../peer/folderSession.ts';
import { documentWords } from './documentWords.ts';
import { bySeverity } from './statusSeverity.ts';
import { listNames } from './words.ts';

/** A line of the status bar's tooltip. */
export type TooltipLine =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'item'; readonly text: string };

/** A tooltip is to be read at a glance; the rest is in the list that opens on a click. */
const MAX_TOOLTIP_DOCUMENTS = 10;

/** What one folder is doing, and its documents, those that need a person first. @param name where there are several folders. */
export function folderTooltip(status: FolderStatus, name: string | undefined): TooltipLine[] {
  const title = status.library === undefined ? 'API Live Sync' : `API Live Sync: ${status.library.name}`;
  const lines: TooltipLine[] = [{ kind: 'heading', text: name === undefined ? title : `${title} (${name})` }];
  const say = (text: string): number => lines.push({ kind: 'text', text });
  if (status.problem !== undefined)
    say([status.problem.message, status.problem.remedy].filter((part) => part !== undefined).join(' '));
  switch (status.phase) {
    case 'asleep':
      say('Stopped in this window.');
      break;
    case 'starting':
      say('Starting.');
      break;
    case 'running':
      say(connectionWords(status));
      break;
    case 'paused':
      say('Paused: nothing is sent or written until you resume.');
      break;
    case 'observing':
      say(`Observing, nothing is sent or written: ${status.observing ?? 'this branch has not joined'}.`);
      if (status.unjoinedBranch !== undefined) say('Choose Keep in Step to have this branch kept in step, too.');
      break;
    case 'attached':
      say('Another window keeps this folder in step.');
      break;
    case 'failed':
      break;
  }
  // What needs a person comes first, so that it is not among "and 12 more".
  const documents = status.documents.toSorted((a, b) => bySeverity(a.state, b.state));
  for (const document of documents.slice(0, MAX_TOOLTIP_DOCUMENTS)) {
    lines.push({ kind: 'item', text: `${document.path}: ${documentWords(document)}` });
  }
  if (documents.length > MAX_TOOLTIP_DOCUMENTS) {
    lines.push({
      kind: 'item',
      text: `and ${(documents.length - MAX_TOOLTIP_DOCUMENTS).toLocaleString('en-US')} more`,
    });
  }
  return lines;
}

function connectionWords(status: FolderStatus): string {
  if (status.connection === 'connecting') return 'Connecting to the other windows.';
  if (status.connection === 'offline') return 'Offline: no other window answers. Your changes are kept and sent later.';
  // Some peers carry the folder in their name, to be told apart from another window of the same person.
  const names = status.peers.map(({ name, folderName }) =>
    name.includes(`(${folderName})`) ? name : `${name} (${folderName})`,
  );
  const role = status.role === 'leader' ? 'This window leads' : 'This window follows';
  return names.length === 0 ? `${role}. Nobody else is here now.` : `${role}. With ${listNames(names, 6)}.`;
}
