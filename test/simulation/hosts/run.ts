// `node test/simulation/hosts/run.ts --seeds N [--from SEED] [--stop]`: runs N simulated histories of several machines,
// with `--stop` up to the first violation; exit 1 on any.
import { parseArgs } from 'node:util';
import { printViolation, runSeeds, SEED_OPTIONS } from '../runSeeds.ts';
import { HostSimulation } from './hostSimulation.ts';

await runSeeds({
  values: parseArgs({ options: SEED_OPTIONS }).values,
  simulate: (seed) => new HostSimulation(seed).run(),
  sums: {
    'entries committed': ({ entries }) => entries,
    'faults injected': ({ faults }) => faults,
    leaderships: ({ elections }) => elections,
    'entries set aside': ({ setAside }) => setAside,
  },
  onViolation: printViolation,
});
