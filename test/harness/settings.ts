/** User settings as they stand in settings.json. */
export type Settings = Readonly<Record<string, unknown>>;

/** The themes that every view is looked at in. */
export const themes = {
  light: 'Light Modern',
  dark: 'Dark Modern',
  highContrast: 'Default High Contrast',
  highContrastLight: 'Default High Contrast Light',
} as const;

export type Theme = keyof typeof themes;

/** The class that the page, and every webview's body, wears with a theme; a webview's is called `vscode-light` and so on. */
export const themeClasses: Readonly<Record<Theme, string>> = {
  light: 'vs',
  dark: 'vs-dark',
  highContrast: 'hc-black',
  highContrastLight: 'hc-light',
};

/** Quiet, and as on the desktop where the browser's defaults differ. */
export const baseSettings: Settings = {
  // The browser's default is to save after a delay; the desktop's is not to.
  'files.autoSave': 'off',
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'chat.disableAIFeatures': true,
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'telemetry.telemetryLevel': 'off',
  'update.showReleaseNotes': false,
  'git.openRepositoryInParentFolders': 'never',
};

/** What is typed is what stands there: nothing is completed, closed or indented by the editor. */
export const typingSettings: Settings = {
  'editor.autoIndent': 'none',
  'editor.autoClosingBrackets': 'never',
  'editor.autoClosingQuotes': 'never',
  'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
  'editor.suggestOnTriggerCharacters': false,
  'editor.acceptSuggestionOnEnter': 'off',
  'editor.formatOnType': false,
  'editor.accessibilitySupport': 'off',
  'workbench.reduceMotion': 'on',
};
