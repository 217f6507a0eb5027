import { ratio } from '../harness/target.ts';
import { type Bench, contestants, interleaved } from './bench.ts';
import { medianOf, type Sample, sample, setting, speed, stock, WARM_UP_JOBS } from './measure.ts';
import type { PartReport } from './report.ts';
import { speedTable } from './speed-table.ts';

const NAMES = ['batchsender', 'batchsender-fenced', 'graphile-worker', 'pg-boss', 'bare-loop'];

/** No-op jobs that are stored already, worked off by one process. */
export async function drainPart(bench: Bench): Promise<PartReport> {
  const given = setting(bench, bench.options.jobs);
  const rounds = await interleaved(bench, contestants(bench, NAMES), async (contestant) => {
    await stock(bench, contestant, given);
    const cold = await sample(bench, contestant, 'drain', given);
    return { cold, warm: await sample(bench, contestant, 'drain', given, WARM_UP_JOBS) };
  });
  const results = only(rounds, 'warm');
  const cold = only(rounds, 'cold');
  const of = (name: string) => speed(results.get(name));
  const wal = medianOf(results.get('batchsender'), 'walMb');
  const peer = of('graphile-worker');
  const limit = { kind: 'at least' } as const;
  const tableOf = (samples: Samples) => speedTable(samples, 'graphile-worker', 'bare-loop', given.jobs);
  return {
    title: `Drain of ${given.jobs.toLocaleString('en-US')} no-op jobs by one process`,
    how:
      'Each drains in a process of its own; the time runs from its start to the last job done, and the database is asked ' +
      'for the number of completed jobs. Before each, its tables are vacuumed and analyzed and a CHECKPOINT is made, so ' +
      'that the full page images in the write-ahead log are counted for everybody alike.\n\n' +
      `Warm, which the targets are about: the process has drained ${WARM_UP_JOBS.toLocaleString('en-US')} other jobs ` +
      'first, as one has that runs for days. Cold: it has just begun.',
    table: `Warm\n\n${tableOf(results)}\n\nCold\n\n${tableOf(cold)}`,
    targets: [
      { ...limit, name: 'drain, of graphile-worker', figure: ratio(of('batchsender'), peer), limit: 3.5 },
      {
        ...limit,
        name: 'drain, of the bare loop',
        figure: ratio(of('batchsender'), of('bare-loop')),
        limit: 0.7,
      },
      {
        ...limit,
        name: 'fenced drain, of graphile-worker',
        figure: ratio(of('batchsender-fenced'), peer),
        limit: 2.5,
      },
      {
        name: 'write-ahead log for 100,000 drained jobs',
        figure: wal === undefined ? undefined : (wal / given.jobs) * 100_000,
        limit: 50,
        kind: 'at most',
        unit: 'MB',
      },
    ],
    figures: Object.fromEntries(rounds),
  };
}

type Samples = ReadonlyMap<string, readonly Sample[]>;

const only = (
  rounds: ReadonlyMap<string, readonly Readonly<Record<'cold' | 'warm', Sample>>[]>,
  which: 'cold' | 'warm',
): Samples => new Map([...rounds].map(([name, each]) => [name, each.map((round) => round[which])]));
