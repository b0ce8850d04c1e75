// `node test/simulation/replica/run.ts --seeds N [--from SEED] [--backups] [--trace LINES] [--dump] [--stop]`: simulated histories of replicas; exit 1 on any violation.
import { parseArgs } from 'node:util';
import { ReplicaSimulation } from './replicaSimulation.ts';

const MAX_SHOWN = 5;
const PROGRESS_EVERY = 1_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    trace: { type: 'string', default: '25' },
    dump: { type: 'boolean', default: false },
    stop: { type: 'boolean', default: false },
    backups: { type: 'boolean', default: false },
  },
});
const count = Number(values.seeds);
const from = Number(values.from);
const begun = performance.now();
let entries = 0;
let faults = 0;
let failed = 0;
let ran = 0;
for (let seed = from; seed < from + count; seed += 1) {
  const report = await new ReplicaSimulation(seed, {
    traceLines: Number(values.trace),
    hasBackups: values.backups,
  }).run();
  entries += report.entries;
  faults += report.faults;
  ran += 1;
  if (report.violations.length > 0) {
    failed += 1;
    console.log(report.violations[0]);
    if (failed <= MAX_SHOWN) console.log(report.trace.map((line) => `    ${line}`).join('\n'));
    if (values.dump) console.log(report.dump.join('\n'));
    if (values.stop) break;
  }
  if (ran % PROGRESS_EVERY === 0)
    console.log(
      `${String(ran)} seeds, ${((performance.now() - begun) / 1_000).toFixed(0)} s, ${String(failed)} failed`,
    );
}
const seconds = (performance.now() - begun) / 1_000;
console.log(
  `${String(ran)} seeds from ${String(from)} in ${seconds.toFixed(1)} s: ${String(entries)} entries committed, ${String(faults)} faults injected, ${String(failed)} seeds with violations`,
);
if (failed > 0) process.exitCode = 1;
