import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SettingId } from '../../../src/extension/settings.ts';
import { checkSettings, defaultSettings, settingIds, toPeerSettings } from '../../../src/extension/settings.ts';

describe('settings', () => {
  it('takes what makes sense', () => {
    const { settings, warnings } = check({
      [settingIds.autoStart]: 'on',
      [settingIds.displayName]: 'Älice',
      [settingIds.ignore]: ['generated', '**/dist/**'],
      [settingIds.heartbeatSeconds]: 2,
      [settingIds.timeoutSeconds]: 8,
      [settingIds.infoVersion]: 'higher',
      [settingIds.bulkDocuments]: 50,
      [settingIds.historyDays]: 2,
      [settingIds.historyMegabytes]: 3,
    });
    assert.deepEqual(warnings, []);
    assert.deepEqual(toPeerSettings(settings), {
      displayName: 'Älice',
      ignore: ['generated', '**/dist/**'],
      heartbeatMs: 2000,
      timeoutMs: 8000,
      infoVersion: 'higher',
      bulkDocuments: 50,
      retention: { ageMs: 172_800_000, units: 3_145_728 },
      watchesNewFolders: false,
    });
  });

  it('takes the default for each wrong value and says so once, in words', () => {
    const wrong: readonly (readonly [SettingId, unknown])[] = [
      [settingIds.autoStart, 'yes'],
      [settingIds.displayName, 'a\nb'],
      [settingIds.displayName, 'x'.repeat(61)],
      [settingIds.ignore, 'generated'],
      [settingIds.ignore, [1]],
      [settingIds.heartbeatSeconds, 0],
      [settingIds.heartbeatSeconds, '5'],
      [settingIds.timeoutSeconds, 1e9],
      [settingIds.infoVersion, false],
      [settingIds.bulkDocuments, 1],
      [settingIds.bulkDocuments, 2.5],
      [settingIds.historyDays, 0],
      [settingIds.historyMegabytes, '50'],
    ];
    for (const [id, value] of wrong) {
      const { settings, warnings } = check({ [id]: value });
      assert.deepEqual(settings, defaultSettings);
      assert.equal(warnings.length, 1, id);
      assert.match(warnings[0] ?? '', new RegExp(`^The setting ${id} should be .+; until then the default counts\\.$`));
    }
  });

  it('keeps the timeout at two heartbeats or more', () => {
    const { settings, warnings } = check({ [settingIds.heartbeatSeconds]: 30, [settingIds.timeoutSeconds]: 15 });
    assert.equal(settings.timeoutSeconds, 90);
    assert.equal(warnings.length, 1);
  });

  it('counts an empty name as none', () => {
    assert.equal(toPeerSettings({ ...defaultSettings, displayName: '  ' }).displayName, undefined);
  });
});

function check(values: Readonly<Record<string, unknown>>): ReturnType<typeof checkSettings> {
  return checkSettings((id) => values[id]);
}
