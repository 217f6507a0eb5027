import { timed } from '../contestants/contestant.ts';
import { entry } from '../contestants/registry.ts';
import { batchDone, createBatch, sealBatch, uploadRows } from '../harness/api.ts';
import { settle } from '../harness/database.ts';
import { watchMemory } from '../harness/machine.ts';
import { rows } from '../harness/rows.ts';
import { startServer } from '../harness/server-process.ts';
import { median } from '../harness/statistics.ts';
import { decimal, markdownTable, whole } from '../harness/table.ts';
import { ratio, type Target } from '../harness/target.ts';
import type { Bench } from './bench.ts';
import { fresh, setting } from './measure.ts';
import type { PartReport } from './report.ts';

const BASE_JOBS = 100_000;

interface Run {
  readonly uploadUs: number;
  readonly runUs: number;
  /** Peak resident memory of the server process. */
  readonly peakMb: number | undefined;
}

/** One upload and its run in a fresh server, with the server's peak memory. */
export async function largePart(bench: Bench): Promise<PartReport> {
  const sizes = [BASE_JOBS, bench.options.largeJobs];
  const results = new Map<number, Run[]>(sizes.map((size) => [size, []]));
  for (let round = 1; round <= bench.options.runs; round++) {
    for (const size of sizes) {
      const run = await uploadAndRun(bench, size);
      results.get(size)?.push(run);
      bench.say(`  round ${round} ${size}: ${JSON.stringify(run)}`);
    }
  }
  return report(results, bench.options.largeJobs);
}

async function uploadAndRun(bench: Bench, jobs: number): Promise<Run> {
  const contestant = entry('batchsender-http');
  await fresh(bench, contestant, setting(bench, jobs));
  await settle(bench.database.client, contestant.schema);
  const server = await startServer(bench.database.url);
  const memory = watchMemory(server.pid);
  try {
    const batchId = await createBatch(server);
    const uploadMs = await timed(() =>
      uploadRows(server, batchId, { format: 'ndjson', pieces: rows('ndjson', jobs), jobs }),
    );
    const runMs = await timed(async () => {
      await sealBatch(server, batchId);
      await batchDone(server, batchId, jobs);
    });
    const peakMb = memory.end();
    return { uploadUs: (uploadMs * 1_000) / jobs, runUs: (runMs * 1_000) / jobs, peakMb };
  } finally {
    await server.stop();
  }
}

const total = (runs: readonly Run[]) => median(runs.map((run) => run.uploadUs + run.runUs));

function peak(runs: readonly Run[]): number | undefined {
  const peaks = runs.flatMap((run) => (run.peakMb === undefined ? [] : [run.peakMb]));
  return peaks.length === 0 ? undefined : Math.max(...peaks);
}

function report(results: ReadonlyMap<number, readonly Run[]>, largeJobs: number): PartReport {
  const base = total(results.get(BASE_JOBS) ?? []);
  const lines = [...results].map(([jobs, runs]) => [
    `${whole(jobs)} jobs`,
    decimal(median(runs.map((run) => run.uploadUs))),
    decimal(median(runs.map((run) => run.runUs))),
    decimal(total(runs)),
    decimal(total(runs) / base),
    decimal(peak(runs), 0),
  ]);
  const large = results.get(largeJobs) ?? [];
  const targets: Target[] = [
    {
      name: `memory of the server, ${whole(largeJobs)} lines`,
      figure: peak(large),
      limit: 300,
      kind: 'at most',
      unit: 'MB',
    },
    {
      name: 'time a job, of that at 100,000',
      figure: ratio(total(large), base),
      limit: 1.15,
      kind: 'at most',
    },
  ];
  return {
    title: `An NDJSON upload of ${whole(largeJobs)} lines and its run`,
    how:
      'A fresh server each, the lines made while they are sent; then sealed and watched until it is completed. ' +
      'Microseconds a job, medians; the peak of the server’s resident memory is the highest of the rounds.',
    table: markdownTable(
      ['', 'upload us', 'run us', 'together us', `x ${whole(BASE_JOBS)}`, 'peak MB'],
      lines,
    ),
    targets,
    figures: Object.fromEntries(results),
  };
}
