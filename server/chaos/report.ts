import type { Evidence } from './evidence.ts';
import { type Figure, figure } from './figure.ts';
import type { ChaosOptions } from './options.ts';
import { percentile, type Recovery } from './recovery.ts';
import type { Verdict } from './verdict.ts';

const RECOVERY_MS = 20_000;
const SHOWN = 30;

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** The recovery of killed runners' chunks, as figures. */
export function recoveryFigures({ all, able, unmeasured, waiting }: Recovery): Figure[] {
  const line = (values: readonly number[]) =>
    [0.5, 0.99, 1].map((p) => seconds(percentile(values, p))).join(' / ');
  const slow = percentile(able, 0.99);
  return [
    figure('chunks of killed runners leased again', `${all.length} (${unmeasured} ended otherwise)`),
    figure('  still waiting', waiting, waiting, 0),
    figure('  from kill to lease, p50 / p99 / max', line(all)),
    figure('  while a runner and the database were there', line(able), slow, RECOVERY_MS),
  ];
}

/** The faults by their kinds. */
export function faultFigures({ blows }: Pick<Evidence, 'blows'>): Figure[] {
  const counts = new Map<string, number>();
  for (const { fault } of blows) counts.set(fault.kind, (counts.get(fault.kind) ?? 0) + 1);
  return [...counts].sort().map(([kind, count]) => figure(kind, count));
}

/** The verdict as a text. Answers whether every promise was kept. */
export function printVerdict(
  { jobs, kills, wipes, rollbacks, seed }: ChaosOptions,
  faults: readonly Figure[],
  { figures, problems }: Verdict,
  tookMs: number,
): boolean {
  const kept = problems.length === 0 && figures.every(({ broken }) => !broken);
  const width = Math.max(...[...figures, ...faults].map(({ name }) => name.length)) + 2;
  const row = ({ name, value, broken }: Figure) =>
    console.log(`  ${name.padEnd(width)} ${value}${broken ? '   <- BROKEN' : ''}`);
  console.log(
    `chaos: --jobs ${jobs} --kills ${kills} --wipes ${wipes} --rollbacks ${rollbacks} --seed ${seed}, ${seconds(tookMs)}`,
  );
  console.log('faults');
  for (const each of faults) row(each);
  console.log('verdict');
  for (const each of figures) row(each);
  for (const problem of problems.slice(0, SHOWN)) console.log(`BROKEN: ${problem}`);
  if (problems.length > SHOWN) console.log(`and ${problems.length - SHOWN} more`);
  console.log(kept ? 'every promise was kept' : 'PROMISES WERE BROKEN');
  return kept;
}
