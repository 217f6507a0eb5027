import { runTask } from '../harness/child.ts';
import { ratio } from '../harness/target.ts';
import { type Bench, contestants, interleaved } from './bench.ts';
import { fresh, medianOf, sample, setting, speed } from './measure.ts';
import type { PartReport } from './report.ts';
import { speedTable } from './speed-table.ts';

const NAMES = ['batchsender', 'batchsender-fenced', 'graphile-worker', 'pg-boss', 'bare-loop'];

/** No-op jobs that are stored already, worked off by one process. */
export async function drainPart(bench: Bench): Promise<PartReport> {
  const given = setting(bench, bench.options.jobs);
  const results = await interleaved(bench, contestants(bench, NAMES), async (contestant) => {
    await fresh(bench, contestant, given);
    await runTask(contestant.name, 'enqueue', given);
    return sample(bench, contestant, 'drain', given);
  });
  const of = (name: string) => speed(results.get(name));
  const wal = medianOf(results.get('batchsender'), 'walMb');
  const peer = of('graphile-worker');
  const limit = { kind: 'at least' } as const;
  return {
    title: `Drain of ${given.jobs.toLocaleString('en-US')} no-op jobs by one process`,
    how:
      'Each drains in a fresh process; the time runs from its start to the last job done, and the database is asked for ' +
      'the number of completed jobs. Before each, its tables are vacuumed and analyzed and a CHECKPOINT is made, so that ' +
      'the full page images in the write-ahead log are counted for everybody alike.',
    table: speedTable(results, 'graphile-worker', 'bare-loop', given.jobs),
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
    figures: Object.fromEntries(results),
  };
}
