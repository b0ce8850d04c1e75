import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { projectRoot } from '../../harness/paths.ts';
import { themes, type Theme } from '../../harness/settings.ts';
import { untilShown } from '../../harness/shown.ts';
import type { WorkbenchWindow } from '../../harness/window.ts';

/** Sizes of a window that leave little room. At 200 % a screen of 1920 × 1080 holds half as many of VS Code's pixels. */
const SIZES = { narrow: { width: 760, height: 800 }, zoomed: { width: 960, height: 540 } } as const;

/** No serious finding of axe-core in a webview: in any theme, in a narrow column, and at 200 %. Leaves a picture of each. */
export async function checkAccessibility(window: WorkbenchWindow, panel: Frame, name: string): Promise<void> {
  const axe = await readFile(path.join(projectRoot, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');
  // By the debugger, as the page's policy lets no script in.
  await panel.evaluate(axe);
  for (const theme of Object.keys(themes) as Theme[]) {
    await window.setTheme(theme);
    await untilShown(panel.locator(`body.${webviewClasses[theme]}`));
    await window.screenshot(`${name}-${theme}`);
    assert.deepEqual(await seriousFindings(panel), [], theme);
  }
  await window.setTheme('light');
  const size = window.page.viewportSize() ?? { width: 1280, height: 800 };
  for (const [sizeName, small] of Object.entries(SIZES)) {
    await window.page.setViewportSize(small);
    await window.screenshot(`${name}-${sizeName}`);
    assert.deepEqual(await seriousFindings(panel), [], sizeName);
  }
  await window.page.setViewportSize(size);
}

/** What a webview's body wears. */
const webviewClasses: Readonly<Record<Theme, string>> = {
  light: 'vscode-light',
  dark: 'vscode-dark',
  highContrast: 'vscode-high-contrast:not(.vscode-high-contrast-light)',
  highContrastLight: 'vscode-high-contrast-light',
};

async function seriousFindings(panel: Frame): Promise<string[]> {
  return panel.evaluate(async () => {
    interface Finding {
      id: string;
      impact: string | null;
      nodes: { html: string; failureSummary?: string }[];
    }
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Finding[] }> } };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }) =>
          `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`).join(' | ')}`,
      );
  });
}
