const PROGRESS_EVERY = 1_000;
const MAX_PRINTED = 20;

/** What every simulator's program can be told: `--seeds N --from SEED`, and `--stop` to end at the first violation. */
export const SEED_OPTIONS = {
  seeds: { type: 'string', default: '1000' },
  from: { type: 'string', default: '1' },
  stop: { type: 'boolean', default: false },
} as const;

export interface SeedRun<Report> {
  readonly values: { readonly seeds: string; readonly from: string; readonly stop: boolean };
  readonly simulate: (seed: number) => Promise<Report>;
  /** What is added up and printed, by what it is called. */
  readonly sums: Readonly<Record<string, (report: NoInfer<Report>) => number>>;
  /** A history with violations; `number` counts from 1. */
  readonly onViolation: (report: NoInfer<Report>, number: number) => void;
}

/** Simulates one seed after the other, prints how far it is and what came of all of them; exit code 1 on any violation. */
export async function runSeeds<Report extends { readonly violations: readonly string[] }>({
  values,
  simulate,
  sums,
  onViolation,
}: SeedRun<Report>): Promise<void> {
  const count = Number(values.seeds);
  const from = Number(values.from);
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1_000;
  const totals = new Map<string, number>();
  let failed = 0;
  let ran = 0;
  while (ran < count && !(failed > 0 && values.stop)) {
    const report = await simulate(from + ran);
    ran += 1;
    for (const [name, valueOf] of Object.entries(sums)) totals.set(name, (totals.get(name) ?? 0) + valueOf(report));
    if (report.violations.length > 0) {
      failed += 1;
      onViolation(report, failed);
    }
    if (ran % PROGRESS_EVERY === 0)
      console.log(`${String(ran)} seeds, ${seconds().toFixed(0)} s, ${String(failed)} failed`);
  }
  const figures = [...totals].map(([name, total]) => `${String(total)} ${name}`).join(', ');
  console.log(
    `${String(ran)} seeds from ${String(from)} in ${seconds().toFixed(1)} s: ${figures}, ${String(failed)} seeds with violations`,
  );
  if (failed > 0) process.exitCode = 1;
}

/** Prints the first violation of a history; of later ones only as many as can be read. */
export function printViolation({ violations }: { readonly violations: readonly string[] }, number: number): void {
  if (number <= MAX_PRINTED) console.log(violations[0]);
}
