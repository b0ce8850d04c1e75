// `node test/simulation/hosts/run.ts --seeds N [--from SEED] [--stop]`: runs N simulated histories of several machines,
// with `--stop` up to the first violation; exit 1 on any.
import { parseArgs } from 'node:util';
import { HostSimulation } from './hostSimulation.ts';

const MAX_SHOWN = 20;
const PROGRESS_EVERY = 2_000;

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
const sums = { entries: 0, faults: 0, elections: 0, setAside: 0 };
let failed = 0;
for (let seed = from; seed < from + count; seed += 1) {
  const report = await new HostSimulation(seed).run();
  sums.entries += report.entries;
  sums.faults += report.faults;
  sums.elections += report.elections;
  sums.setAside += report.setAside;
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
  `${String(count)} seeds from ${String(from)} in ${seconds.toFixed(1)} s: ${String(sums.entries)} entries committed, ${String(sums.faults)} faults injected, ${String(sums.elections)} leaderships, ${String(sums.setAside)} entries set aside, ${String(failed)} seeds with violations`,
);
if (failed > 0) process.exitCode = 1;
