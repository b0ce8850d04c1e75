// Holds a lock until it is killed: see exclusiveLock.test.ts.
import { ExclusiveLock } from '../../../src/node/lock/exclusiveLock.ts';

const lock = new ExclusiveLock(process.argv[2] ?? '');
if (!lock.tryAcquire()) throw new Error('Somebody else holds it.');
process.send?.('held');
process.on('message', () => {
  lock.dispose();
});
