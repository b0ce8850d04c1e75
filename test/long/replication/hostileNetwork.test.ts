import { test } from 'node:test';
import { saveThroughHostileNetwork } from '../../integration/replication/hostileNetwork.ts';

test('[REP-05] [REP-18] [I6] 2,000 saves through a network that cuts, stalls, splits and garbles: each is committed once, and all end equal', () =>
  saveThroughHostileNetwork(1_000));
