// `node test/simulation/replica/run.ts --seeds N [--from SEED] [--backups] [--states] [--bulks] [--trace LINES] [--dump] [--stop]`: simulated histories of replicas; exit 1 on any violation.
import { parseArgs } from 'node:util';
import { runSeeds, SEED_OPTIONS } from '../runSeeds.ts';
import { ReplicaSimulation } from './replicaSimulation.ts';

const MAX_TRACES = 5;

const { values } = parseArgs({
  options: {
    ...SEED_OPTIONS,
    seeds: { type: 'string', default: '500' },
    trace: { type: 'string', default: '25' },
    dump: { type: 'boolean', default: false },
    backups: { type: 'boolean', default: false },
    bulks: { type: 'boolean', default: false },
    states: { type: 'boolean', default: false },
  },
});
await runSeeds({
  values,
  simulate: (seed) =>
    new ReplicaSimulation(seed, {
      traceLines: Number(values.trace),
      hasBackups: values.backups,
      bulks: values.bulks,
      losesStates: values.states,
    }).run(),
  sums: { 'entries committed': ({ entries }) => entries, 'faults injected': ({ faults }) => faults },
  onViolation: ({ violations, trace, dump }, number) => {
    console.log(violations[0]);
    if (number <= MAX_TRACES) console.log(trace.map((line) => `    ${line}`).join('\n'));
    if (values.dump) console.log(dump.join('\n'));
  },
});
