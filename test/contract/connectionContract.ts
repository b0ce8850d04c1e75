import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CloseReason, Connection } from '../../src/core/replication/connection.ts';
import { until } from '../unit/replication/fakes.ts';

/** What every `Connection` must do. `open` makes a new pair, whose ends are closed by whoever calls. */
export function testConnection(name: string, open: () => Promise<readonly [Connection, Connection]>): void {
  test(`[REP-23] ${name}: texts arrive whole, in order and once, in both directions`, async () => {
    const [left, right] = await open();
    const atLeft = collect(left);
    const atRight = collect(right);
    const sent = ['one', '', 'two\n', 'é€😀\u2028\u0000', 'x'.repeat(700_000), '€'.repeat(300_000), 'last'];
    for (const text of sent) {
      left.send(text);
      right.send(`re: ${text}`);
    }
    await until(() => atRight.length === sent.length && atLeft.length === sent.length, 'all texts have arrived');
    assert.deepEqual(atRight, sent);
    assert.deepEqual(
      atLeft,
      sent.map((text) => `re: ${text}`),
    );
  });

  test(`[REP-23] ${name}: nothing arrives within the call that sends it`, async () => {
    const [left, right] = await open();
    const received = collect(right);
    left.send('one');
    assert.deepEqual(received, []);
    await until(() => received.length === 1, 'it has arrived');
  });

  test(`[REP-23] ${name}: what comes before the first listener waits for it`, async () => {
    const [left, right] = await open();
    const echo = collect(left);
    right.onClose(() => undefined);
    left.send('early');
    right.send('marker');
    await until(() => echo.length === 1, 'the other direction works');
    const received = collect(right);
    await until(() => received.length === 1, 'the early text has arrived');
    assert.deepEqual(received, ['early']);
  });

  test(`[REP-23] ${name}: a close is heard once on both sides, and nothing is sent after it`, async () => {
    const [left, right] = await open();
    const received = collect(right);
    const closes: [string, CloseReason][] = [];
    left.onClose((reason) => closes.push(['left', reason]));
    right.onClose((reason) => closes.push(['right', reason]));
    left.send('bye');
    left.close();
    left.close();
    left.send('too late');
    assert.equal(left.isClosed, true);
    await until(() => right.isClosed, 'the other side has heard of it');
    right.close();
    right.send('too late');
    assert.deepEqual(received, ['bye']);
    assert.deepEqual(closes, [
      ['left', 'closed'],
      ['right', 'lost'],
    ]);
  });

  test(`[REP-23] ${name}: a listener that was disposed hears nothing more`, async () => {
    const [left, right] = await open();
    const first: string[] = [];
    const subscription = right.onMessage((text) => first.push(text));
    const second = collect(right);
    left.send('one');
    await until(() => second.length === 1, 'one has arrived');
    subscription.dispose();
    left.send('two');
    await until(() => second.length === 2, 'two has arrived');
    assert.deepEqual(first, ['one']);
  });
}

function collect(connection: Connection): string[] {
  const received: string[] = [];
  connection.onMessage((text) => received.push(text));
  return received;
}
