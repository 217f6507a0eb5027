import { ratio } from '../harness/target.ts';
import { type Bench, contestants, interleaved } from './bench.ts';
import { fresh, sample, setting, speed } from './measure.ts';
import type { PartReport } from './report.ts';
import { speedTable } from './speed-table.ts';

const NAMES = ['batchsender', 'batchsender-http', 'graphile-worker', 'pg-boss', 'bare-loop'];

/** Jobs handed over and stored: by function call, and as NDJSON through the server. */
export async function enqueuePart(bench: Bench): Promise<PartReport> {
  const given = setting(bench, bench.options.jobs);
  const results = await interleaved(bench, contestants(bench, NAMES), async (contestant) => {
    await fresh(bench, contestant, given);
    return sample(bench, contestant, 'enqueue', given);
  });
  const of = (name: string) => speed(results.get(name));
  const limit = { kind: 'at least' } as const;
  return {
    title: `Enqueue of ${given.jobs.toLocaleString('en-US')} jobs`,
    how:
      'Payloads of about 300 bytes, the same for all. batchsender: one validated engine.submit. batchsender-http: one NDJSON ' +
      'upload into the server, validated line by line. graphile-worker: addJobs, 1,000 x 4 at once. pg-boss: insert, ' +
      '1,000 x 2 at once. bare-loop: one INSERT a 1,000 rows on 4 connections, nothing validated.',
    table: speedTable(results, 'graphile-worker', 'bare-loop', given.jobs),
    targets: [
      {
        ...limit,
        name: 'submit, of addJobs',
        figure: ratio(of('batchsender'), of('graphile-worker')),
        limit: 1.8,
      },
      {
        ...limit,
        name: 'NDJSON upload, of the bare insert',
        figure: ratio(of('batchsender-http'), of('bare-loop')),
        limit: 0.5,
      },
    ],
    figures: Object.fromEntries(results),
  };
}
