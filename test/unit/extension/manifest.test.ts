import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as z from 'zod/mini';
import {
  commandIds,
  conflictPanelViewType,
  contextKeys,
  paletteConditions,
} from '../../../src/extension/commandTable.ts';
import { checkSettings, defaultSettings, settingIds } from '../../../src/extension/settings.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, root), 'utf8'));
const manifest = z
  .object({
    icon: z.string(),
    activationEvents: z.array(z.string()),
    capabilities: z.object({
      untrustedWorkspaces: z.object({ supported: z.literal('limited'), restrictedConfigurations: z.array(z.string()) }),
      virtualWorkspaces: z.object({ supported: z.literal(false) }),
    }),
    extensionKind: z.array(z.string()),
    contributes: z.object({
      commands: z.array(z.object({ command: z.string(), title: z.string(), category: z.string() })),
      menus: z.object({ commandPalette: z.array(z.object({ command: z.string(), when: z.string() })) }),
      configuration: z.object({
        properties: z.record(
          z.string(),
          z.object({ default: z.unknown(), scope: z.string(), markdownDescription: z.string() }),
        ),
      }),
    }),
  })
  .parse(read('package.json'));
const texts = z.record(z.string(), z.string()).parse(read('package.nls.json'));

describe('package.json', () => {
  it('declares exactly the commands of the table', () => {
    assert.deepEqual(manifest.contributes.commands.map((one) => one.command).sort(), Object.values(commandIds).sort());
  });

  it('gives every command the category and a title', () => {
    for (const { title, category } of manifest.contributes.commands) {
      assert.equal(resolve(category), 'API Live Sync');
      assert.notEqual(resolve(title), '');
    }
  });

  it('shows commands in the palette under the conditions of the table', () => {
    const declared = Object.fromEntries(
      manifest.contributes.menus.commandPalette.map((one) => [one.command, one.when]),
    );
    assert.deepEqual(declared, paletteConditions);
    const known = Object.values<string>(contextKeys);
    for (const when of Object.values(declared)) {
      for (const key of when.split(/ \|\| !?/)) assert.ok(key === 'false' || known.includes(key), key);
    }
  });

  it('declares exactly the settings of the table, with the defaults that count', () => {
    const { properties } = manifest.contributes.configuration;
    assert.deepEqual(Object.keys(properties).sort(), Object.values(settingIds).sort());
    const defaults = Object.fromEntries(Object.entries(properties).map(([id, { default: value }]) => [id, value]));
    const checked = checkSettings((id) => defaults[id]);
    assert.deepEqual(checked, { settings: defaultSettings, warnings: [] });
  });

  it('has a text for every placeholder, and no text that nothing uses', () => {
    const used = [...JSON.stringify(read('package.json')).matchAll(/"%([\w.]+)%"/g)].map((match) => match[1] ?? '');
    assert.deepEqual([...new Set(used)].sort(), Object.keys(texts).sort());
  });

  it('brings the panel back after a reload', () => {
    assert.ok(manifest.activationEvents.includes(`onWebviewPanel:${conflictPanelViewType}`));
    assert.ok(manifest.activationEvents.includes('onStartupFinished'));
  });

  it('lets an untrusted folder set nothing, and runs where the files are', () => {
    const { properties } = manifest.contributes.configuration;
    const settable = Object.keys(properties).filter((id) => properties[id]?.scope !== 'machine');
    assert.deepEqual(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations.sort(), settable.sort());
    assert.deepEqual(manifest.extensionKind, ['workspace']);
  });

  it('[I11] lets no repository say which AI is asked, where it is, or for how long it is waited for', () => {
    const { properties } = manifest.contributes.configuration;
    const scopes = Object.entries(properties).filter(([id]) => id.startsWith('apiLiveSync.ai.'));
    assert.equal(scopes.length, 4);
    for (const [id, { scope }] of scopes) assert.equal(scope, 'machine', id);
  });
});

function resolve(placeholder: string): string {
  return texts[placeholder.replaceAll('%', '')] ?? '';
}
