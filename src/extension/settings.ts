import * as z from 'zod/mini';
import type { PeerSettings } from '../peer/folderSession.ts';
import { retentionOf } from '../peer/logCompaction.ts';

/** Every setting of the extension. The package manifest declares the same; a unit test compares them. */
export const settingIds = {
  autoStart: 'apiLiveSync.autoStart',
  displayName: 'apiLiveSync.displayName',
  ignore: 'apiLiveSync.ignore',
  heartbeatSeconds: 'apiLiveSync.heartbeatSeconds',
  timeoutSeconds: 'apiLiveSync.timeoutSeconds',
  infoVersion: 'apiLiveSync.infoVersion',
  bulkDocuments: 'apiLiveSync.bulkDocuments',
  historyDays: 'apiLiveSync.historyDays',
  historyMegabytes: 'apiLiveSync.historyMegabytes',
  aiProvider: 'apiLiveSync.ai.provider',
  aiBaseUrl: 'apiLiveSync.ai.baseUrl',
  aiModel: 'apiLiveSync.ai.model',
  aiTimeoutSeconds: 'apiLiveSync.ai.timeoutSeconds',
  noticeConflicts: 'apiLiveSync.notices.conflicts',
  noticeChanges: 'apiLiveSync.notices.changes',
  noticeCommits: 'apiLiveSync.notices.commits',
  /** Per folder, and checked by `sources/sourceSettings.ts`. */
  sources: 'apiLiveSync.sources',
} as const;

export type SettingId = (typeof settingIds)[keyof typeof settingIds];

export type AutoStart = 'ask' | 'on' | 'off';

/** Who is asked for proposals; `ask`: the person, the first time. */
export type AiProvider = 'openai' | 'vscode' | 'off';

export interface Settings {
  readonly autoStart: AutoStart;
  readonly displayName: string;
  readonly ignore: readonly string[];
  readonly heartbeatSeconds: number;
  readonly timeoutSeconds: number;
  readonly infoVersion: PeerSettings['infoVersion'];
  readonly bulkDocuments: number;
  readonly historyDays: number;
  readonly historyMegabytes: number;
  readonly aiProvider: 'ask' | AiProvider;
  readonly aiBaseUrl: string;
  readonly aiModel: string;
  readonly aiTimeoutSeconds: number;
  readonly noticeConflicts: boolean;
  readonly noticeChanges: boolean;
  readonly noticeCommits: boolean;
}

/** What counts where nothing is set, or nothing that makes sense. */
export const defaultSettings: Settings = {
  autoStart: 'ask',
  displayName: '',
  ignore: [],
  heartbeatSeconds: 5,
  timeoutSeconds: 15,
  infoVersion: 'ask',
  bulkDocuments: 20,
  historyDays: 30,
  historyMegabytes: 50,
  aiProvider: 'ask',
  aiBaseUrl: 'https://api.openai.com/v1',
  aiModel: '',
  aiTimeoutSeconds: 60,
  noticeConflicts: true,
  noticeChanges: true,
  noticeCommits: true,
};

/** Shorter beats would keep a laptop awake, longer ones would leave a dead leader unnoticed. */
const HEARTBEAT_SECONDS = { min: 1, max: 60 };
const TIMEOUT_SECONDS = { min: 3, max: 600 };
/** Two files are somebody's saves; beyond the upper bound nothing would ever be sent together. */
const BULK_DOCUMENTS = { min: 2, max: 2_000 };
/** Who was away for longer than the history gets the newest versions only; less than a day would be everybody. */
const HISTORY_DAYS = { min: 1, max: 3_650 };
const HISTORY_MEGABYTES = { min: 1, max: 10_000 };
/** A name has to fit into a status line. */
const DISPLAY_NAME_MAX_LENGTH = 60;
const IGNORE_MAX_COUNT = 200;
/** Models on small machines take minutes to begin. */
const AI_TIMEOUT_SECONDS = { min: 5, max: 600 };

/** A setting's check, and what a person is told to put there instead. */
const checks: { readonly [key in keyof Settings]: { schema: z.ZodMiniType<Settings[key]>; expected: string } } = {
  autoStart: { schema: z.enum(['ask', 'on', 'off']), expected: '"ask", "on" or "off"' },
  displayName: {
    // Control characters could break a status line in two.
    schema: z.string().check(z.maxLength(DISPLAY_NAME_MAX_LENGTH), z.regex(/^\P{Cc}*$/u)),
    expected: `a text of at most ${DISPLAY_NAME_MAX_LENGTH} characters`,
  },
  ignore: {
    schema: z.readonly(
      z.array(z.string().check(z.minLength(1), z.maxLength(500))).check(z.maxLength(IGNORE_MAX_COUNT)),
    ),
    expected: 'a list of file patterns',
  },
  heartbeatSeconds: {
    schema: z.number().check(z.gte(HEARTBEAT_SECONDS.min), z.lte(HEARTBEAT_SECONDS.max)),
    expected: `a number from ${HEARTBEAT_SECONDS.min} to ${HEARTBEAT_SECONDS.max}`,
  },
  timeoutSeconds: {
    schema: z.number().check(z.gte(TIMEOUT_SECONDS.min), z.lte(TIMEOUT_SECONDS.max)),
    expected: `a number from ${TIMEOUT_SECONDS.min} to ${TIMEOUT_SECONDS.max}`,
  },
  infoVersion: {
    schema: z.enum(['ask', 'higher', 'ours', 'theirs']),
    expected: '"ask", "higher", "ours" or "theirs"',
  },
  bulkDocuments: {
    schema: z.int().check(z.gte(BULK_DOCUMENTS.min), z.lte(BULK_DOCUMENTS.max)),
    expected: `a whole number from ${BULK_DOCUMENTS.min} to ${BULK_DOCUMENTS.max}`,
  },
  historyDays: {
    schema: z.number().check(z.gte(HISTORY_DAYS.min), z.lte(HISTORY_DAYS.max)),
    expected: `a number from ${HISTORY_DAYS.min} to ${HISTORY_DAYS.max}`,
  },
  historyMegabytes: {
    schema: z.number().check(z.gte(HISTORY_MEGABYTES.min), z.lte(HISTORY_MEGABYTES.max)),
    expected: `a number from ${HISTORY_MEGABYTES.min} to ${HISTORY_MEGABYTES.max}`,
  },
  aiProvider: { schema: z.enum(['ask', 'openai', 'vscode', 'off']), expected: '"ask", "openai", "vscode" or "off"' },
  aiBaseUrl: { schema: z.string().check(z.minLength(1), z.maxLength(1000)), expected: 'a web address' },
  aiModel: { schema: z.string().check(z.maxLength(200), z.regex(/^\P{Cc}*$/u)), expected: 'the name of a model' },
  noticeConflicts: { schema: z.boolean(), expected: 'true or false' },
  noticeChanges: { schema: z.boolean(), expected: 'true or false' },
  noticeCommits: { schema: z.boolean(), expected: 'true or false' },
  aiTimeoutSeconds: {
    schema: z.number().check(z.gte(AI_TIMEOUT_SECONDS.min), z.lte(AI_TIMEOUT_SECONDS.max)),
    expected: `a number from ${AI_TIMEOUT_SECONDS.min} to ${AI_TIMEOUT_SECONDS.max}`,
  },
};

export interface CheckedSettings {
  readonly settings: Settings;
  /** One plain sentence per value that cannot be used. */
  readonly warnings: readonly string[];
}

/** Checks what stands in the user's settings. A wrong value counts as not set and is said in one sentence. */
export function checkSettings(read: (id: SettingId) => unknown): CheckedSettings {
  const warnings: string[] = [];
  const check = <K extends keyof Settings>(key: K): Settings[K] => {
    const id = settingIds[key];
    const value = read(id);
    if (value === undefined || value === null) return defaultSettings[key];
    const result = checks[key].schema.safeParse(value);
    if (result.success) return result.data;
    warnings.push(`The setting ${id} should be ${checks[key].expected}; until then the default counts.`);
    return defaultSettings[key];
  };
  const settings: Settings = {
    autoStart: check('autoStart'),
    displayName: check('displayName'),
    ignore: check('ignore'),
    heartbeatSeconds: check('heartbeatSeconds'),
    timeoutSeconds: check('timeoutSeconds'),
    infoVersion: check('infoVersion'),
    bulkDocuments: check('bulkDocuments'),
    historyDays: check('historyDays'),
    historyMegabytes: check('historyMegabytes'),
    aiProvider: check('aiProvider'),
    aiBaseUrl: check('aiBaseUrl'),
    aiModel: check('aiModel'),
    aiTimeoutSeconds: check('aiTimeoutSeconds'),
    noticeConflicts: check('noticeConflicts'),
    noticeChanges: check('noticeChanges'),
    noticeCommits: check('noticeCommits'),
  };
  if (settings.timeoutSeconds >= settings.heartbeatSeconds * 2) return { settings, warnings };
  // With less than two beats in the timeout, one late packet would look like a death.
  const timeoutSeconds = settings.heartbeatSeconds * 3;
  warnings.push(
    `The setting ${settingIds.timeoutSeconds} should be at least twice ${settingIds.heartbeatSeconds}; until then ${timeoutSeconds} counts.`,
  );
  return { settings: { ...settings, timeoutSeconds }, warnings };
}

/** The part of the settings that a peer needs, in its own units. */
export function toPeerSettings(settings: Settings): PeerSettings {
  const displayName = settings.displayName.trim();
  return {
    displayName: displayName === '' ? undefined : displayName,
    ignore: settings.ignore,
    heartbeatMs: settings.heartbeatSeconds * 1000,
    timeoutMs: settings.timeoutSeconds * 1000,
    infoVersion: settings.infoVersion,
    bulkDocuments: settings.bulkDocuments,
    retention: retentionOf(settings.historyDays, settings.historyMegabytes),
    watchesNewFolders: false,
  };
}
