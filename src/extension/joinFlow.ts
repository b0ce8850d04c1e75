import * as vscode from 'vscode';
import type { DocumentPair, LibraryChoice, UserProblem } from '../peer/folderSession.ts';
import type { OpenFolder } from './folderSessions.ts';
import { folderNamesSentence, pairSentence, pairsSentence } from './sentences.ts';
import { count } from './words.ts';
import { pairWith } from './pairs.ts';

export type JoinResult =
  | { readonly kind: 'joined'; readonly libraryName: string }
  | { readonly kind: 'noLibrary' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly problem: UserProblem };

/** Join…: pick a library, look at the pairs, join. Two clicks where the suggested pairs are right. */
export async function joinByHand(folder: OpenFolder): Promise<JoinResult> {
  const libraries = await folder.session.listLibraries();
  if (libraries.length === 0) return { kind: 'noLibrary' };
  const library = await pickLibrary(folder, libraries);
  if (library === undefined) return { kind: 'cancelled' };
  const pairs = await confirmPairs(folder, library);
  if (pairs === undefined) return { kind: 'cancelled' };
  const outcome = await folder.session.join(library.libraryId, pairs);
  return outcome.isDone ? { kind: 'joined', libraryName: library.name } : { kind: 'failed', problem: outcome.problem };
}

async function pickLibrary(
  folder: OpenFolder,
  libraries: readonly LibraryChoice[],
): Promise<LibraryChoice | undefined> {
  const items = libraries.map((library) => ({
    label: `$(library) ${library.name}`,
    description: folderNamesSentence(library),
    detail: pairsSentence(library.pairs),
    library,
  }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: `Join (1/2): keep ${folder.name} in step with`,
    placeHolder: 'Pick an API of this machine',
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return chosen?.library;
}

/** Shows the pairs until the person joins (the pairs) or goes away (undefined). */
async function confirmPairs(folder: OpenFolder, library: LibraryChoice): Promise<readonly DocumentPair[] | undefined> {
  let pairs = library.pairs;
  for (;;) {
    const paired = pairs.filter((pair) => pair.localPath !== undefined);
    const join = {
      label: '$(check) Join',
      description:
        paired.length === pairs.length
          ? count(pairs.length, 'document')
          : `${paired.length} of ${count(pairs.length, 'document')}`,
      detail: pairsSentence(pairs),
      action: 'join' as const,
    };
    const edit = {
      label: '$(edit) Edit Pairs…',
      description: 'Which file here belongs to which document',
      action: 'edit' as const,
    };
    const chosen = await vscode.window.showQuickPick(paired.length === 0 ? [edit] : [join, edit], {
      title: `Join (2/2): ${library.name}`,
      placeHolder:
        paired.length === 0 ? `No file of ${folder.name} looks like one of ${library.name}` : 'These belong together',
    });
    if (chosen === undefined) return undefined;
    if (chosen.action === 'join') return pairs;
    pairs = await editPairs(folder, library, pairs);
  }
}

async function editPairs(
  folder: OpenFolder,
  library: LibraryChoice,
  before: readonly DocumentPair[],
): Promise<readonly DocumentPair[]> {
  const localPaths = await folder.session.findDocuments();
  let pairs = before;
  for (;;) {
    const rows = pairs.map((pair) => ({
      label: pairSentence(pair),
      description: [pair.title, reason(pair)].filter((part) => part !== undefined).join(' · '),
      pair,
    }));
    const done = { label: '$(check) Done', description: '', pair: undefined };
    const chosen = await vscode.window.showQuickPick([done, ...rows], {
      title: `Pairs with ${library.name}`,
      placeHolder: 'Pick a pair to change it',
    });
    if (chosen?.pair === undefined) return pairs;
    const { pair } = chosen;
    const file = await pickLocalPath(pair, localPaths);
    if (file !== undefined) pairs = pairWith(pairs, pair.libraryPath, file.localPath);
  }
}

async function pickLocalPath(
  pair: DocumentPair,
  localPaths: readonly string[],
): Promise<{ readonly localPath: string | undefined } | undefined> {
  const leaveOut = { label: '$(circle-slash) Leave This One Out', localPath: undefined };
  const files = localPaths.map((localPath) => ({ label: localPath, localPath }));
  return await vscode.window.showQuickPick([...files, leaveOut], {
    title: `Which file here is ${pair.libraryPath}?`,
    placeHolder: files.length === 0 ? 'There is no OpenAPI file in this folder' : 'Pick a file',
  });
}

function reason(pair: DocumentPair): string | undefined {
  switch (pair.matchedBy) {
    case 'path':
      return 'same path';
    case 'title':
      return 'same title';
    case 'operations':
      return 'same operations';
    case undefined:
      return undefined;
  }
}
