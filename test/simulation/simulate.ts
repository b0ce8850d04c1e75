// `node test/simulation/simulate.ts --seeds N [--from SEED] [--stop]`: runs N simulated histories, with `--stop` up to
// the first violation; exit 1 on any.
import { parseArgs } from 'node:util';
import { printViolation, runSeeds, SEED_OPTIONS } from './runSeeds.ts';
import { Simulation } from './simulation.ts';

await runSeeds({
  values: parseArgs({ options: SEED_OPTIONS }).values,
  simulate: (seed) => new Simulation(seed).run(),
  sums: { 'entries committed': ({ entries }) => entries, 'faults injected': ({ faults }) => faults },
  onViolation: printViolation,
});
