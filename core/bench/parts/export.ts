import { entry } from '../contestants/registry.ts';
import { batchDone, createBatch, sealBatch, uploadRows } from '../harness/api.ts';
import { settle } from '../harness/database.ts';
import { rows } from '../harness/rows.ts';
import { startServer } from '../harness/server-process.ts';
import { decimal, markdownTable, whole } from '../harness/table.ts';
import type { Target } from '../harness/target.ts';
import { type Bench, contestants, interleaved } from './bench.ts';
import { fresh, setting } from './measure.ts';
import type { PartReport } from './report.ts';
import { growth, highest, rate, rowsOf, serverRun, serverUs } from './server-runs.ts';

const CSV = 'batchsender-csv';
const NDJSON = 'batchsender-http';

/** The results of a batch whose jobs are done, read to the end in each format. */
export async function exportPart(bench: Bench): Promise<PartReport> {
  const jobs = rowsOf(bench);
  const batchId = await finishedBatch(bench, jobs);
  const given = { ...setting(bench, jobs), batchId };
  const results = await interleaved(bench, contestants(bench, [CSV, NDJSON]), (contestant) =>
    serverRun(contestant.name, 'export', given),
  );
  const of = (name: string) => rate(results.get(name), jobs);
  const lines = [...results].map(([name, runs]) => [
    name,
    whole(of(name) ?? Number.NaN),
    runs.map(({ ms }) => decimal(jobs / ms, 0)).join(' '),
    decimal(serverUs(runs, jobs), 1),
    decimal(
      highest(runs, ({ beforeMb }) => beforeMb),
      0,
    ),
    decimal(
      highest(runs, ({ peakMb }) => peakMb),
      0,
    ),
    decimal(highest(runs, growth), 0),
  ]);
  const targets = [...results].flatMap(([name, runs]): Target[] => {
    const format = name === CSV ? 'CSV' : 'NDJSON';
    const speed = { name: `${format} export`, figure: (of(name) ?? Number.NaN) / 1_000, limit: 100 };
    const memory = {
      name: `growth of the server, ${format} export`,
      figure: highest(runs, growth),
      limit: 100,
    };
    return [
      { ...speed, kind: 'at least', unit: 'thousand rows/s' },
      ...(bench.options.large ? [{ ...memory, kind: 'at most', unit: 'MB' } as const] : []),
    ];
  });
  return {
    title: `Export of the results of ${whole(jobs)} jobs`,
    how:
      'Each export comes from a fresh server and is read to its end, and its rows are counted. The server’s ' +
      'memory (proportional set size of its two processes) before the export, and its peak, are the highest of the rounds.',
    table: markdownTable(
      ['', 'rows/s', 'rounds, 1,000/s', 'server us/row', 'before MB', 'peak MB', 'growth MB'],
      lines,
    ),
    targets,
    figures: Object.fromEntries(results),
  };
}

/** Jobs that the server has done. Answers their batch. */
async function finishedBatch(bench: Bench, jobs: number): Promise<string> {
  const { schema } = entry(NDJSON);
  await fresh(bench, entry(NDJSON), setting(bench, jobs));
  const server = await startServer(bench.database.url);
  try {
    const batchId = await createBatch(server);
    await uploadRows(server, batchId, { format: 'ndjson', pieces: rows('ndjson', jobs), jobs });
    await sealBatch(server, batchId);
    await batchDone(server, batchId, jobs);
    return batchId;
  } finally {
    await server.stop();
    await settle(bench.database.client, schema);
  }
}
