// `node test/simulation/simulate.ts --seeds N [--from SEED] [--stop]`: runs N simulated histories, with `--stop` up to
// the first violation; exit 1 on any.
import { parseArgs } from 'node:util';
import { Simulation } from './simulation.ts';

const MAX_SHOWN = 20;
const PROGRESS_EVERY = 5_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    stop: { type: 'boolean', default: false },
  },
});
const count = Number(values.seeds);
const from = Number(values.from);
const begun = performance.now();
let entries = 0;
let faults = 0;
let failed = 0;
for (let seed = from; seed < from + count; seed += 1) {
  const report = await new Simulation(seed).run();
  entries += report.entries;
  faults += report.faults;
  if (report.violations.length > 0) {
    failed += 1;
    if (failed <= MAX_SHOWN) console.log(report.violations[0]);
  }
  if (failed > 0 && values.stop) break;
  const done = seed - from + 1;
  if (done % PROGRESS_EVERY === 0)
    console.log(`${String(done)} seeds, ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
}
const seconds = (performance.now() - begun) / 1_000;
console.log(
  `${String(count)} seeds from ${String(from)} in ${seconds.toFixed(1)} s: ${String(entries)} entries committed, ${String(faults)} faults injected, ${String(failed)} seeds with violations`,
);
if (failed > 0) process.exitCode = 1;
