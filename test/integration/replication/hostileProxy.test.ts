import { test } from 'node:test';
import { saveThroughHostileNetwork } from './hostileNetwork.ts';

test('[REP-05] [REP-18] [I6] a network that cuts, stalls, splits and garbles: every save is committed once, and all end equal', () =>
  saveThroughHostileNetwork(75));
