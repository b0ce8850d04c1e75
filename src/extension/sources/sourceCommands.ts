import { isAbsolute, resolve } from 'node:path';
import * as vscode from 'vscode';
import type { Logger } from '../../core/ports.ts';
import {
  checkLiveSource,
  type LiveSourceConfig,
  sourceAddress,
  sourceName,
} from '../../core/sources/liveSourceConfig.ts';
import type { FoundSource } from '../../node/sources/findSources.ts';
import { leadsOutside } from '../../node/sources/fileSource.ts';
import type { SyncResult } from '../../peer/sources/liveSyncService.ts';
import type { SourceCommandId } from '../commandTable.ts';
import { commandIds } from '../commandTable.ts';
import type { Answer } from '../commands.ts';
import type { OpenFolder } from '../folderSessions.ts';
import { count } from '../words.ts';
import type { SourceApprovals } from './sourceApprovals.ts';
import type { SourceDiff } from './sourceDiff.ts';
import type { SourceFollower } from './sourceFollower.ts';
import type { SourcePlace } from './sourceNotice.ts';
import type { SourceSecrets } from './sourceSecrets.ts';
import { addToSettings, openSourceSettings, readSourceSettings, removeFromSettings } from './sourceSettings.ts';
import { resultSentence } from './sourceWords.ts';

export interface SourceCommandsOptions {
  /** Opens the sessions if that has not happened yet; the reason in a sentence where they cannot be had. */
  readonly folders: () => Promise<readonly OpenFolder[] | string>;
  readonly followerOf: (folder: OpenFolder) => SourceFollower | undefined;
  readonly approvals: SourceApprovals;
  readonly secrets: SourceSecrets;
  readonly diff: SourceDiff;
  /** Runs something whose outcome a person is answered, so that no notice says it again. */
  readonly answering: <T>(places: readonly SourcePlace[], run: () => Promise<T>) => Promise<T>;
  readonly logger: Logger;
}

type Handlers = { readonly [id in SourceCommandId]: (argument: unknown) => Promise<Answer> };

interface Found {
  readonly folder: OpenFolder;
  readonly config: LiveSourceConfig;
}

const cancelled: Answer = { kind: 'cancelled' };
const done: Answer = { kind: 'done' };
const declined = (sentence: string): Answer => ({ kind: 'declined', sentence });
const noSources = 'There is no live source in this window yet. Choose "Add Live Source…".';

/** What the commands of live sources do. Those of the view's rows are called with the row, others ask which one is meant. */
export function sourceCommandHandlers(options: SourceCommandsOptions): Handlers {
  const withFound = (
    placeHolder: string,
    act: (found: Found) => Promise<Answer>,
  ): ((argument: unknown) => Promise<Answer>) => {
    return async (argument) => {
      const folders = await options.folders();
      if (typeof folders === 'string') return declined(folders);
      const found = await pickSource(folders, argument, placeHolder);
      if (found === 'none') return declined(noSources);
      return found === undefined ? cancelled : await act(found);
    };
  };
  return {
    [commandIds.addSource]: () => addSource(options),
    [commandIds.allowSources]: () => allowSources(options),
    [commandIds.editSource]: withFound('Which live source?', async ({ folder, config }) => {
      await openSourceSettings(vscode.Uri.file(folder.path), config.target);
      return done;
    }),
    [commandIds.removeSource]: withFound('Which live source should be removed?', (found) =>
      removeSource(options, found),
    ),
    [commandIds.syncSource]: withFound('Which live source should be asked?', (found) => syncSources(options, [found])),
    [commandIds.syncAllSources]: async () => {
      const folders = await options.folders();
      if (typeof folders === 'string') return declined(folders);
      const all = allSources(folders);
      return all.length === 0 ? declined(noSources) : await syncSources(options, all);
    },
    [commandIds.pauseSources]: () => setPaused(options, true),
    [commandIds.resumeSources]: () => setPaused(options, false),
    [commandIds.showSourceChanges]: withFound('The changes of which live source?', async ({ folder, config }) => {
      const preview = await folder.session.sources.previewChanges(config.id);
      if (preview === undefined)
        return declined(`${sourceName(config)} has changed nothing in ${config.target} since the window was opened.`);
      await options.diff.show(preview, sourceName(config));
      return done;
    }),
    [commandIds.applySourceChanges]: withFound('The changes of which live source?', async (found) => {
      const { folder, config } = found;
      if (folder.session.sources.getSourceStatus(config.id).state !== 'changesWaiting')
        return declined(`No changes of ${sourceName(config)} wait to be applied.`);
      const outcome = await options.answering([placeOf(found)], () => folder.session.sources.applyChanges(config.id));
      return outcome.isDone ? done : { kind: 'failed', problem: outcome.problem };
    }),
    [commandIds.setSourceSecret]: withFound('The secret of which live source?', (found) => setSecret(options, found)),
  };
}

// ---- adding ----

async function addSource(options: SourceCommandsOptions): Promise<Answer> {
  const folders = await options.folders();
  if (typeof folders === 'string') return declined(folders);
  const folder = await pickFolder(folders);
  if (folder === 'none') return declined('Open a folder first: a live source writes into a file of it.');
  if (folder === undefined) return cancelled;
  const uri = vscode.Uri.file(folder.path);
  const settings = readSourceSettings(uri, folder.name);
  if (settings.sources === undefined) return declined(settings.warnings.join(' '));
  const address = await askAddress(folder);
  if (address === undefined) return cancelled;
  const target = await askTarget(folder, settings.sources);
  if (target === undefined) return cancelled;
  const mode = await askMode();
  if (mode === undefined) return cancelled;
  const given = { ...address, target, ...(mode === 'auto' ? {} : { mode }) };
  const { value: config, problems } = checkLiveSource(given);
  if (config === undefined) return declined(problems.map(({ message }) => message).join(' '));
  // Choosing it is the yes; what stands in the settings later is compared with what was chosen.
  await options.approvals.approve(folder.path, [config]);
  await addToSettings(uri, given);
  const follower = options.followerOf(folder);
  follower?.follow();
  await follower?.settled;
  return await syncSources(options, [{ folder, config }]);
}

async function askAddress(
  folder: OpenFolder,
): Promise<{ readonly url: string } | { readonly file: string } | undefined> {
  const byHand = [
    {
      label: '$(globe) Running server…',
      detail: 'The address of its API description, such as http://localhost:8000/openapi.json',
      from: 'url' as const,
      url: '',
    },
    {
      label: '$(file) Generated file…',
      detail: 'A file that a build makes, such as build/openapi.json',
      from: 'file' as const,
      url: '',
    },
  ];
  // The list shows that it is busy for the second or two that looking takes.
  const items = folder.session.sources.findSources().then((found) => [...found.map(foundItem), ...byHand]);
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'Add Live Source',
    placeHolder: 'Where does the API description come from?',
    matchOnDescription: true,
  });
  if (chosen === undefined) return undefined;
  if (chosen.from === 'found') return { url: chosen.url };
  if (chosen.from === 'url') {
    const url = await vscode.window.showInputBox({
      title: 'Add Live Source',
      prompt: 'Address of the API description',
      placeHolder: 'http://localhost:8000/openapi.json',
      ignoreFocusOut: true,
      validateInput: (text) => firstProblem({ url: text.trim(), target: 'openapi.yaml' }),
    });
    return url === undefined ? undefined : { url: url.trim() };
  }
  const file = await vscode.window.showInputBox({
    title: 'Add Live Source',
    prompt: 'Path or pattern of the generated file, relative to the folder',
    placeHolder: 'build/**/openapi.json',
    ignoreFocusOut: true,
    validateInput: (text) => firstProblem({ file: text.trim(), target: 'openapi.yaml' }),
  });
  if (file === undefined) return undefined;
  if (!leadsOutside(folder.session.folder, file.trim())) return { file: file.trim() };
  const path = isAbsolute(file.trim()) ? file.trim() : resolve(folder.path, file.trim());
  const detail = `${path} does not lie in ${folder.name}. It is only read, never written.`;
  const isSure = await vscode.window.showWarningMessage(
    'Read a file outside of this folder?',
    { modal: true, detail },
    'Read It',
  );
  return isSure === 'Read It' ? { file: file.trim() } : undefined;
}

async function askTarget(folder: OpenFolder, sources: readonly LiveSourceConfig[]): Promise<string | undefined> {
  const documents = await folder.session.findDocuments();
  const items = documents.map((path) => ({
    label: path,
    path,
    ...(sources.some(({ target }) => target === path) ? { description: 'has a live source already' } : {}),
  }));
  const other = { label: '$(new-file) New file…', path: undefined };
  const chosen =
    documents.length === 0
      ? other
      : await vscode.window.showQuickPick([...items, other], {
          title: 'Add Live Source',
          placeHolder: 'Which file should follow it? What is written there by hand stays.',
        });
  if (chosen === undefined) return undefined;
  if (chosen.path !== undefined) return chosen.path;
  const path = await vscode.window.showInputBox({
    title: 'Add Live Source',
    prompt: 'File to make, relative to the folder',
    value: 'openapi.yaml',
    ignoreFocusOut: true,
    validateInput: (text) => firstProblem({ url: 'http://localhost/', target: text.trim() }),
  });
  return path?.trim();
}

async function askMode(): Promise<LiveSourceConfig['mode'] | undefined> {
  const items = [
    {
      label: 'Merge by itself',
      detail: 'What changes in the source is merged into the file; what clashes with your changes is shown.',
      mode: 'auto' as const,
    },
    { label: 'Review first', detail: 'You look at the difference and apply it.', mode: 'review' as const },
    { label: 'Only tell me', detail: 'A notice says what differs; nothing is written.', mode: 'notify' as const },
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'Add Live Source',
    placeHolder: 'What should happen when it changes?',
  });
  return chosen?.mode;
}

function foundItem(found: FoundSource): vscode.QuickPickItem & { readonly from: 'found'; readonly url: string } {
  const name = found.title === undefined || found.title === '' ? (found.framework ?? 'An API') : found.title;
  return {
    label: `${found.isRunning ? '$(radio-tower)' : '$(circle-outline)'} ${name}`,
    description: found.url,
    detail: [found.framework, found.isRunning ? 'running now' : 'not running now']
      .filter((part) => part !== undefined)
      .join(' · '),
    from: 'found',
    url: found.url,
  };
}

function firstProblem(source: object): string | undefined {
  return checkLiveSource(source).problems[0]?.message;
}

// ---- the rest ----

async function allowSources(options: SourceCommandsOptions): Promise<Answer> {
  const folders = await options.folders();
  if (typeof folders === 'string') return declined(folders);
  const waiting = folders.flatMap((folder) => options.followerOf(folder) ?? []).filter((one) => one.waiting.length > 0);
  if (waiting.length === 0) return declined('No live source waits for your yes.');
  const named = waiting.flatMap((one) => one.waiting.map((source) => `${sourceAddress(source)} → ${source.target}`));
  const choice = await vscode.window.showWarningMessage(
    'Allow these live sources?',
    { modal: true, detail: named.join('\n') },
    'Allow',
  );
  if (choice !== 'Allow') return cancelled;
  for (const one of waiting) await one.allow();
  return done;
}

async function removeSource(options: SourceCommandsOptions, { folder, config }: Found): Promise<Answer> {
  const detail = `Stays: ${config.target} as it is now.\n\nGoes: the source in the settings of ${folder.name}; the file no longer follows ${sourceName(config)}.`;
  const choice = await vscode.window.showWarningMessage('Remove this live source?', { modal: true, detail }, 'Remove');
  if (choice !== 'Remove') return cancelled;
  await removeFromSettings(vscode.Uri.file(folder.path), config.id);
  const follower = options.followerOf(folder);
  follower?.follow();
  await follower?.settled;
  return done;
}

async function syncSources(options: SourceCommandsOptions, all: readonly Found[]): Promise<Answer> {
  const [only] = all;
  const what = all.length === 1 && only !== undefined ? sourceName(only.config) : count(all.length, 'live source');
  const results = await options.answering(all.map(placeOf), () =>
    Promise.resolve(
      vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title: `Asking ${what}`, cancellable: true },
        async (_progress, token) => {
          const controller = new AbortController();
          const subscription = token.onCancellationRequested(() => controller.abort());
          try {
            return await Promise.all(
              all.map(({ folder, config }) => folder.session.sources.syncSource(config.id, controller.signal)),
            );
          } finally {
            subscription.dispose();
          }
        },
      ),
    ),
  );
  if (results.some(({ problem }) => problem?.code === 'cancelled')) return cancelled;
  const failed = results.find(({ kind }) => kind === 'failed');
  if (failed?.problem !== undefined) return { kind: 'failed', problem: failed.problem };
  const first = results[0];
  if (all.length === 1 && only !== undefined && first !== undefined)
    return { kind: 'done', sentence: resultSentence(only.config, first) };
  return { kind: 'done', sentence: summary(results) };
}

function summary(results: readonly SyncResult[]): string {
  const changed = results.filter(({ kind }) => kind === 'changed').length;
  return `${count(results.length, 'live source')} asked, ${changed === 0 ? 'nothing was new' : `${count(changed, 'file')} changed`}.`;
}

async function setPaused(options: SourceCommandsOptions, isPaused: boolean): Promise<Answer> {
  const folders = await options.folders();
  if (typeof folders === 'string') return declined(folders);
  const suitable = folders.filter(
    ({ session }) => session.sources.getAllSourceStatuses().length > 0 && session.sources.isPaused !== isPaused,
  );
  if (suitable.length === 0) return declined(isPaused ? 'No live source runs here.' : 'No live source is paused.');
  for (const { session } of suitable) await (isPaused ? session.sources.pause() : session.sources.resume());
  return done;
}

async function setSecret(options: SourceCommandsOptions, { folder, config }: Found): Promise<Answer> {
  if (config.url === undefined) return declined('Only a source with a URL sends headers, in which a secret could be.');
  const { origin } = new URL(config.url);
  const named = Object.values(config.headers).flatMap((value) =>
    [...value.matchAll(/\$\{secret:([A-Za-z0-9_.-]{1,100})\}/g)].map((match) => match[1] ?? ''),
  );
  const names = [...new Set(named)];
  if (names.length === 0)
    return declined(
      'This source asks for no secret. Write "${secret:NAME}" into one of its "headers" first, for example "Bearer ${secret:token}".',
    );
  const name =
    names.length === 1 ? names[0] : await vscode.window.showQuickPick(names, { placeHolder: 'Which secret?' });
  if (name === undefined) return cancelled;
  const value = await vscode.window.showInputBox({
    title: `Secret "${name}" for ${origin}`,
    prompt: `Kept in the secret storage of the editor, sent to ${origin} only. Leave it empty to forget it.`,
    password: true,
    ignoreFocusOut: true,
  });
  if (value === undefined) return cancelled;
  if (value === '') {
    await options.secrets.remove(origin, name);
    return { kind: 'done', sentence: `The secret "${name}" for ${origin} is forgotten.` };
  }
  await options.secrets.write(origin, name, value);
  return await syncSources(options, [{ folder, config }]);
}

// ---- picking ----

function allSources(folders: readonly OpenFolder[]): Found[] {
  return folders.flatMap((folder) =>
    folder.session.sources.getAllSourceStatuses().map(({ config }) => ({ folder, config })),
  );
}

async function pickSource(
  folders: readonly OpenFolder[],
  argument: unknown,
  placeHolder: string,
): Promise<Found | 'none' | undefined> {
  const all = allSources(folders);
  const place = asPlace(argument);
  const meant = all.find(({ folder, config }) => folder.path === place?.folder && config.id === place.sourceId);
  if (meant !== undefined) return meant;
  if (all.length <= 1) return all[0] ?? 'none';
  const items = all.map((found) => ({
    label: found.config.target,
    description: sourceAddress(found.config),
    ...(folders.length > 1 ? { detail: found.folder.name } : {}),
    found,
  }));
  return (await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true }))?.found;
}

async function pickFolder(folders: readonly OpenFolder[]): Promise<OpenFolder | 'none' | undefined> {
  if (folders.length <= 1) return folders[0] ?? 'none';
  const items = folders.map((folder) => ({ label: folder.name, description: folder.path, folder }));
  return (await vscode.window.showQuickPick(items, { placeHolder: 'Into which folder should it write?' }))?.folder;
}

/** Commands can be called by anybody, with anything. */
function asPlace(argument: unknown): SourcePlace | undefined {
  if (typeof argument !== 'object' || argument === null) return undefined;
  const { folder, sourceId } = argument as { readonly folder?: unknown; readonly sourceId?: unknown };
  return typeof folder === 'string' && typeof sourceId === 'string' ? { folder, sourceId } : undefined;
}

function placeOf({ folder, config }: Found): SourcePlace {
  return { folder: folder.path, sourceId: config.id };
}
