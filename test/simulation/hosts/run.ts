// `node test/simulation/hosts/run.ts --seeds N [--from SEED] [--lasting] [--stop]`: runs N simulated histories of several machines,
// with `--stop` up to the first violation; exit 1 on any.
import { parseArgs } from 'node:util';
import { printViolation, runSeeds, SEED_OPTIONS } from '../runSeeds.ts';
import { HostSimulation } from './hostSimulation.ts';

const { values } = parseArgs({ options: { ...SEED_OPTIONS, lasting: { type: 'boolean', default: false } } });
await runSeeds({
  values,
  simulate: (seed) => new HostSimulation(seed, { hasLastingFaults: values.lasting }).run(),
  sums: {
    'entries committed': ({ entries }) => entries,
    'faults injected': ({ faults }) => faults,
    leaderships: ({ elections }) => elections,
    'entries set aside': ({ setAside }) => setAside,
  },
  onViolation: printViolation,
});
