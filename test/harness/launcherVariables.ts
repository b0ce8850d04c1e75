/** Set to `ask` to make the launcher leave out `--disable-workspace-trust`, which `runTests` always gives. */
export const trustVariable = 'API_LIVE_SYNC_WORKSPACE_TRUST';

/** If set, the suite puts this in front of whatever is printed in its extension host, so that the launcher can tell it from VS Code's own. */
export const consoleMarkVariable = 'API_LIVE_SYNC_CONSOLE_MARK';

/** An invisible separator. */
export const consoleMark = '\u2063';
