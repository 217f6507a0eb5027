import { timed } from '../contestants/contestant.ts';
import { entry } from '../contestants/registry.ts';
import { batchDone, createBatch, sealBatch, uploadRows } from '../harness/api.ts';
import { sendReceipts } from '../harness/receipts.ts';
import { rows } from '../harness/rows.ts';
import { type ServerProcess, startServer } from '../harness/server-process.ts';
import { median } from '../harness/statistics.ts';
import { decimal, markdownTable, whole } from '../harness/table.ts';
import { ratio } from '../harness/target.ts';
import type { Bench } from './bench.ts';
import { fresh, setting } from './measure.ts';
import type { PartReport } from './report.ts';

const PER_MINUTE = 10_000;

/** Deliveries by the server alone, and beside receipts that come in. */
export async function receiptsPart(bench: Bench): Promise<PartReport> {
  const { jobs, runs } = bench.options;
  const rates = { alone: [] as number[], beside: [] as number[] };
  let taken = 0;
  await fresh(bench, entry('batchsender-http'), setting(bench, jobs));
  const server = await startServer(bench.database.url);
  try {
    await deliver(server, 'noop', 100);
    for (let round = 1; round <= runs; round++) {
      const told = await deliver(server, 'noop', jobs);
      rates.alone.push((await deliver(server, 'paced', jobs)).perSecond);
      const flow = sendReceipts(server, told.batchId, PER_MINUTE);
      rates.beside.push((await deliver(server, 'paced', jobs)).perSecond);
      taken += await flow.end();
      bench.say(`  round ${round}: ${JSON.stringify(rates)}, ${taken} receipts`);
    }
  } finally {
    await server.stop();
  }
  await checkRecorded(bench, taken);
  const alone = median(rates.alone);
  const beside = median(rates.beside);
  const line = (name: string, perSecond: number, rounds: readonly number[]) => [
    name,
    whole(perSecond),
    rounds.map((rate) => decimal(rate / 1_000, 1)).join(' '),
    decimal(perSecond / alone),
  ];
  return {
    title: `${whole(jobs)} jobs by the server, alone and beside ${whole(PER_MINUTE)} receipts a minute`,
    how:
      'The jobs are calls of 2 ms, 50 at once. The receipts come one a request and belong to the jobs of another batch; ' +
      `each was taken, and all ${whole(taken)} are in the log.`,
    table: markdownTable(
      ['', 'jobs/s', 'rounds, 1,000/s', 'x alone'],
      [line('alone', alone, rates.alone), line('beside receipts', beside, rates.beside)],
    ),
    targets: [
      {
        name: `deliveries beside ${whole(PER_MINUTE)} receipts a minute, of alone`,
        figure: ratio(beside, alone),
        limit: 0.9,
        kind: 'at least',
      },
    ],
    figures: rates,
  };
}

/** From the seal of a batch to its last outcome. */
async function deliver(
  server: ServerProcess,
  type: 'noop' | 'paced',
  jobs: number,
): Promise<{ batchId: string; perSecond: number }> {
  const batchId = await createBatch(server, type);
  await uploadRows(server, batchId, { format: 'ndjson', pieces: rows('ndjson', jobs), jobs });
  const ms = await timed(async () => {
    await sealBatch(server, batchId);
    await batchDone(server, batchId, jobs);
  });
  return { batchId, perSecond: (jobs / ms) * 1_000 };
}

async function checkRecorded({ database }: Bench, taken: number): Promise<void> {
  const count = "SELECT count(*)::int AS n FROM batchsender.job_events WHERE kind = 'delivered'";
  const recorded = (await database.client.query<{ n: number }>(count)).rows[0]?.n;
  if (recorded !== taken) throw new Error(`${recorded} of ${taken} receipts are in the log`);
}
