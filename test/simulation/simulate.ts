// `node test/simulation/simulate.ts --seeds N [--from SEED] [--bulks] [--stop]`: runs N simulated histories, with
// `--stop` up to the first violation; exit 1 on any.
import { parseArgs } from 'node:util';
import { printViolation, runSeeds, SEED_OPTIONS } from './runSeeds.ts';
import { Simulation } from './simulation.ts';

const { values } = parseArgs({ options: { ...SEED_OPTIONS, bulks: { type: 'boolean', default: false } } });
await runSeeds({
  values,
  simulate: (seed) => new Simulation(seed, { hasBulks: values.bulks }).run(),
  sums: { 'entries committed': ({ entries }) => entries, 'faults injected': ({ faults }) => faults },
  onViolation: printViolation,
});
