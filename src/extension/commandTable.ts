/** Those of live sources; `sources/sourceCommands.ts` has what they do. */
const sourceCommandIds = {
  addSource: 'apiLiveSync.addSource',
  removeSource: 'apiLiveSync.removeSource',
  editSource: 'apiLiveSync.editSource',
  syncSource: 'apiLiveSync.syncSource',
  syncAllSources: 'apiLiveSync.syncAllSources',
  pauseSources: 'apiLiveSync.pauseSources',
  resumeSources: 'apiLiveSync.resumeSources',
  showSourceChanges: 'apiLiveSync.showSourceChanges',
  applySourceChanges: 'apiLiveSync.applySourceChanges',
  allowSources: 'apiLiveSync.allowSources',
  setSourceSecret: 'apiLiveSync.setSourceSecret',
} as const;

export type SourceCommandId = (typeof sourceCommandIds)[keyof typeof sourceCommandIds];

/** Every command of the extension. The package manifest declares the same; a unit test compares them. */
export const commandIds = {
  ...sourceCommandIds,
  keepInStep: 'apiLiveSync.keepInStep',
  join: 'apiLiveSync.join',
  leave: 'apiLiveSync.leave',
  forgetLibrary: 'apiLiveSync.forgetLibrary',
  start: 'apiLiveSync.start',
  stop: 'apiLiveSync.stop',
  pause: 'apiLiveSync.pause',
  resume: 'apiLiveSync.resume',
  syncNow: 'apiLiveSync.syncNow',
  pullSyncedChanges: 'apiLiveSync.pullSyncedChanges',
  showConflicts: 'apiLiveSync.showConflicts',
  showStatus: 'apiLiveSync.showStatus',
  setUpMergeDriver: 'apiLiveSync.setUpMergeDriver',
  showLog: 'apiLiveSync.showLog',
  copyDiagnostics: 'apiLiveSync.copyDiagnostics',
  mergeNow: 'apiLiveSync.mergeNow',
  undoResolution: 'apiLiveSync.undoResolution',
  setAiKey: 'apiLiveSync.setAiKey',
  showHistory: 'apiLiveSync.showHistory',
  showChange: 'apiLiveSync.showChange',
  restoreVersion: 'apiLiveSync.restoreVersion',
  restoreElement: 'apiLiveSync.restoreElement',
  takeBackBulk: 'apiLiveSync.takeBackBulk',
} as const;

export type CommandId = (typeof commandIds)[keyof typeof commandIds];

/** Facts that the palette's `when` clauses read, set by `contextKeys.ts`. */
export const contextKeys = {
  /** The folders have been opened, so that the other keys mean something. */
  isReady: 'apiLiveSync.isReady',
  /** At least one folder nobody said yes for. */
  canKeepInStep: 'apiLiveSync.canKeepInStep',
  /** At least one folder has joined a library. */
  hasConsent: 'apiLiveSync.hasConsent',
  /** The same, and no other window keeps it in step. */
  canForget: 'apiLiveSync.canForget',
  canStart: 'apiLiveSync.canStart',
  canStop: 'apiLiveSync.canStop',
  canPause: 'apiLiveSync.canPause',
  canResume: 'apiLiveSync.canResume',
  hasConflicts: 'apiLiveSync.hasConflicts',
  /** A peer's change waits for a save. */
  hasWaiting: 'apiLiveSync.hasWaiting',
  canUndoResolution: 'apiLiveSync.canUndoResolution',
  hasSources: 'apiLiveSync.hasSources',
  canPauseSources: 'apiLiveSync.canPauseSources',
  canResumeSources: 'apiLiveSync.canResumeSources',
  /** Sources of the settings wait for a yes. */
  hasSourcesToAllow: 'apiLiveSync.hasSourcesToAllow',
} as const;

export type ContextKey = (typeof contextKeys)[keyof typeof contextKeys];

/** Until the folders have been opened, the two first commands are offered in any case: they wait for it. */
const isUndecided = `${contextKeys.canKeepInStep} || !${contextKeys.isReady}`;

/** When the palette offers a command; a command that is always offered has no row. */
export const paletteConditions: { readonly [id in CommandId]?: string } = {
  [commandIds.keepInStep]: isUndecided,
  [commandIds.join]: isUndecided,
  [commandIds.leave]: contextKeys.hasConsent,
  [commandIds.forgetLibrary]: contextKeys.canForget,
  [commandIds.start]: contextKeys.canStart,
  [commandIds.stop]: contextKeys.canStop,
  [commandIds.pause]: contextKeys.canPause,
  [commandIds.resume]: contextKeys.canResume,
  [commandIds.syncNow]: contextKeys.canStop,
  // The window that keeps the folder in step knows what its files have taken in.
  [commandIds.pullSyncedChanges]: contextKeys.canForget,
  [commandIds.mergeNow]: contextKeys.hasWaiting,
  [commandIds.undoResolution]: contextKeys.canUndoResolution,
  [commandIds.removeSource]: contextKeys.hasSources,
  [commandIds.editSource]: contextKeys.hasSources,
  [commandIds.syncSource]: contextKeys.hasSources,
  [commandIds.syncAllSources]: contextKeys.hasSources,
  [commandIds.pauseSources]: contextKeys.canPauseSources,
  [commandIds.resumeSources]: contextKeys.canResumeSources,
  [commandIds.showSourceChanges]: contextKeys.hasSources,
  [commandIds.applySourceChanges]: contextKeys.hasSources,
  [commandIds.allowSources]: contextKeys.hasSourcesToAllow,
  [commandIds.setSourceSecret]: contextKeys.hasSources,
  [commandIds.showHistory]: contextKeys.canStop,
  // These are about one version or element, which the palette does not know.
  [commandIds.showChange]: 'false',
  [commandIds.restoreVersion]: 'false',
  [commandIds.restoreElement]: 'false',
  [commandIds.takeBackBulk]: 'false',
};

/** The views beside the panel. */
export const viewIds = { conflicts: 'apiLiveSync.conflictList', history: 'apiLiveSync.history' } as const;

/** Id of the conflict panel's webview; also how VS Code brings it back after a reload. */
export const conflictPanelViewType = 'apiLiveSync.conflicts';
