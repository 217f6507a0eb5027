import { entry } from '../contestants/registry.ts';
import { runTask, runTimed } from '../harness/child.ts';
import { settle } from '../harness/database.ts';
import { fillOldEvents } from '../harness/old-events.ts';
import { median } from '../harness/statistics.ts';
import { decimal, markdownTable, whole } from '../harness/table.ts';
import { ratio } from '../harness/target.ts';
import type { Bench } from './bench.ts';
import { fresh, setting } from './measure.ts';
import type { PartReport } from './report.ts';

const EVENTS = 1_000_000;
const LARGE_EVENTS = 5_000_000;
const CONTESTANT = entry('batchsender');
/** The filled tables wait here while the empty ones are drained. */
const ASIDE = 'batchsender_filled';

interface Round {
  readonly emptyMs: number;
  readonly filledMs: number;
}

/** The same drain in an empty database and in one that has seen much. */
export async function filledPart(bench: Bench): Promise<PartReport> {
  const { client } = bench.database;
  const events = bench.options.large ? LARGE_EVENTS : EVENTS;
  const given = setting(bench, bench.options.jobs);
  await fresh(bench, CONTESTANT, given);
  await fillOldEvents(client, events);
  const rounds: Round[] = [];
  for (let round = 1; round <= bench.options.runs; round++) {
    const filledMs = await drain(bench);
    await client.query(`ALTER SCHEMA ${CONTESTANT.schema} RENAME TO ${ASIDE}`);
    await fresh(bench, CONTESTANT, given);
    const emptyMs = await drain(bench);
    await client.query(`DROP SCHEMA ${CONTESTANT.schema} CASCADE`);
    await client.query(`ALTER SCHEMA ${ASIDE} RENAME TO ${CONTESTANT.schema}`);
    rounds.push({ emptyMs, filledMs });
    bench.say(`  round ${round}: ${JSON.stringify(rounds.at(-1))}`);
  }
  return report(rounds, given.jobs, events);
}

/** Stores the jobs and drains them. @throws Error if not all are on record. */
async function drain(bench: Bench): Promise<number> {
  const given = setting(bench, bench.options.jobs);
  const before = await succeeded(bench);
  await runTask(CONTESTANT.name, 'enqueue', given);
  await settle(bench.database.client, CONTESTANT.schema);
  const { ms } = await runTimed(CONTESTANT.name, 'drain', given);
  const done = (await succeeded(bench)) - before;
  if (done !== given.jobs) throw new Error(`${done} of ${given.jobs} jobs are completed in the database`);
  return ms;
}

async function succeeded(bench: Bench): Promise<number> {
  const { rows } = await bench.database.client.query<{ n: number }>(
    'SELECT coalesce(sum(succeeded), 0)::int AS n FROM batchsender.batches',
  );
  return rows[0]?.n ?? Number.NaN;
}

function report(rounds: readonly Round[], jobs: number, events: number): PartReport {
  const middle = (key: keyof Round) => median(rounds.map((round) => round[key]));
  const row = (name: string, key: keyof Round) => [
    name,
    decimal((middle(key) * 1_000) / jobs),
    whole((jobs / middle(key)) * 1_000),
    rounds.map((round) => whole(round[key])).join(' '),
  ];
  const stored = events.toLocaleString('en-US');
  return {
    title: `Drain of ${jobs.toLocaleString('en-US')} no-op jobs beside ${stored} events`,
    how:
      'The same drain in turn in empty tables and in tables with old batches of the last 60 days, their chunks and ' +
      'events. Before each, the tables are vacuumed and analyzed and a CHECKPOINT is made.',
    table: markdownTable(
      ['', 'us/job', 'jobs/s', 'rounds, ms'],
      [row('empty', 'emptyMs'), row(`${stored} events`, 'filledMs')],
    ),
    targets: [
      {
        name: `cost of a job beside ${stored} events, of one in an empty database`,
        figure: ratio(middle('filledMs'), middle('emptyMs')),
        limit: 1.1,
        kind: 'at most',
      },
    ],
    figures: rounds,
  };
}
