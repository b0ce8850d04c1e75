import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThreePeers } from './threePeers.ts';

const BASE = `openapi: 3.0.3
info:
  title: Pets
  version: 1.0.0
paths:
  /pets:
    get:
      summary: All pets
      responses: {}
`;
const version = (raised: string): string => BASE.replace('1.0.0', raised);

test('[version] both raise info.version: asked, or settled for all three by the setting', async () => {
  for (const [infoVersion, expected] of [
    ['higher', '1.10.0'],
    ['ours', undefined],
    ['theirs', undefined],
  ] as const) {
    const peers = await ThreePeers.start(BASE, 1, infoVersion);
    const settled = await peers.editTogether({ text: version('1.10.0'), by: 0 }, { text: version('1.9.0'), by: 1 });
    assert.deepEqual([settled.isInStep, settled.conflicts], [true, []], settled.why);
    const possible = expected === undefined ? [version('1.10.0'), version('1.9.0')] : [version(expected)];
    assert.ok(possible.includes(settled.text), settled.text);
  }
  const asked = await ThreePeers.start(BASE, 1, 'ask');
  const { conflicts } = await asked.editTogether({ text: version('1.10.0'), by: 0 }, { text: version('1.9.0'), by: 1 });
  assert.deepEqual(conflicts, ['edit-edit /info/version']);
});

test('[I2] two save at the same moment, apart from each other: all three have both, byte for byte', async () => {
  const peers = await ThreePeers.start(BASE, 2);
  const settled = await peers.editTogether(
    { text: BASE.replace('All pets', 'Every pet'), by: 0 },
    { text: BASE.replace('title: Pets', 'title: Shop # ours'), by: 1 },
  );
  assert.ok(settled.isInStep, settled.why);
  assert.equal(settled.text, BASE.replace('All pets', 'Every pet').replace('title: Pets', 'title: Shop # ours'));
  assert.ok(await peers.edit({ text: BASE.replace('All pets', 'No pets'), by: 2 }));
});
