import { settle } from '../harness/database.ts';
import { decimal, markdownTable, whole } from '../harness/table.ts';
import { ratio, type Target } from '../harness/target.ts';
import { type Bench, contestants, interleaved } from './bench.ts';
import { fresh, setting, verify } from './measure.ts';
import type { PartReport } from './report.ts';
import { highest, rate, rowsOf, serverRun, serverUs } from './server-runs.ts';

const CSV = 'batchsender-csv';
const NDJSON = 'batchsender-http';

/** The same jobs as CSV and as NDJSON, uploaded to the server. */
export async function csvPart(bench: Bench): Promise<PartReport> {
  const given = setting(bench, rowsOf(bench));
  const results = await interleaved(bench, contestants(bench, [CSV, NDJSON]), async (contestant) => {
    await fresh(bench, contestant, given);
    await settle(bench.database.client, contestant.schema);
    const run = await serverRun(contestant.name, 'upload', given);
    await verify(contestant, 'stored', given);
    return run;
  });
  const of = (name: string) => rate(results.get(name), given.jobs);
  const lines = [...results].map(([name, runs]) => [
    name,
    whole(of(name) ?? Number.NaN),
    runs.map(({ ms }) => decimal(given.jobs / ms, 0)).join(' '),
    decimal(ratio(of(name), of(NDJSON))),
    decimal(serverUs(runs, given.jobs), 1),
    decimal(
      highest(runs, ({ peakMb }) => peakMb),
      0,
    ),
  ]);
  const memory: Target = {
    name: `memory of the server, ${whole(given.jobs)} rows of CSV`,
    figure: highest(results.get(CSV), ({ peakMb }) => peakMb),
    limit: 300,
    kind: 'at most',
    unit: 'MB',
  };
  return {
    title: `Upload of ${whole(given.jobs)} jobs as CSV and as NDJSON`,
    how:
      'A fresh server each; the sender has the bytes ready. Ten columns, one of them a list, three of them variables; ' +
      'the jobs are the same. The peak of the server’s memory (proportional set size of its two processes) is the highest of the rounds.',
    table: markdownTable(['', 'rows/s', 'rounds, 1,000/s', `x ${NDJSON}`, 'server us/row', 'peak MB'], lines),
    targets: [
      { name: 'CSV upload, of NDJSON', figure: ratio(of(CSV), of(NDJSON)), limit: 0.6, kind: 'at least' },
      ...(bench.options.large ? [memory] : []),
    ],
    figures: Object.fromEntries(results),
  };
}
