import { type Entry, entry } from '../contestants/registry.ts';
import { runNumbers } from '../harness/child.ts';
import { settle } from '../harness/database.ts';
import { median, percentile } from '../harness/statistics.ts';
import { decimal, markdownTable } from '../harness/table.ts';
import { ratio } from '../harness/target.ts';
import type { Bench } from './bench.ts';
import { fresh, setting } from './measure.ts';
import type { PartReport } from './report.ts';

const PACED = 'tenants-paced';
const NAMES = [PACED, 'tenants-noop'];
/** The large tenant without `--large`: at work for as long as the small ones arrive. */
const JOBS = 400_000;

interface Completion {
  readonly p50: number;
  readonly p95: number;
}

interface Round {
  readonly alone: Completion;
  readonly beside: Completion;
}

/** 99 small tenants beside a large one on the same connection and runner. */
export async function fairnessPart(bench: Bench): Promise<PartReport> {
  const wanted = bench.options.contestants;
  const large = bench.options.large ? bench.options.largeJobs : JOBS;
  const results = new Map<string, Round[]>();
  for (let round = 1; round <= bench.options.runs; round++) {
    for (const name of NAMES.filter((each) => wanted?.has(each) ?? true)) {
      const alone = await completion(bench, entry(name), 0);
      const beside = await completion(bench, entry(name), large);
      results.set(name, [...(results.get(name) ?? []), { alone, beside }]);
      bench.say(`  round ${round} ${name}: ${JSON.stringify({ alone, beside })}`);
    }
  }
  return report(results, large);
}

async function completion(bench: Bench, contestant: Entry, large: number): Promise<Completion> {
  const given = setting(bench, large);
  await fresh(bench, contestant, given);
  await settle(bench.database.client, contestant.schema);
  const times = await runNumbers(contestant.name, 'tenants', given);
  return { p50: percentile(times, 0.5), p95: percentile(times, 0.95) };
}

function report(results: ReadonlyMap<string, readonly Round[]>, large: number): PartReport {
  const middle = (rounds: readonly Round[] | undefined, run: keyof Round, key: keyof Completion) =>
    rounds === undefined ? undefined : median(rounds.map((round) => round[run][key]));
  const times = (rounds: readonly Round[] | undefined, key: keyof Completion) =>
    ratio(middle(rounds, 'beside', key), middle(rounds, 'alone', key));
  const rows = [...results].map(([name, rounds]) => [
    name,
    decimal(middle(rounds, 'alone', 'p50')),
    decimal(middle(rounds, 'beside', 'p50')),
    decimal(times(rounds, 'p50')),
    decimal(middle(rounds, 'alone', 'p95')),
    decimal(middle(rounds, 'beside', 'p95')),
    decimal(times(rounds, 'p95')),
    rounds.map(({ alone, beside }) => decimal(beside.p95 / alone.p95)).join(' '),
  ]);
  const head = ['', 'p50 alone', 'p50 beside', 'ratio', 'p95 alone', 'p95 beside', 'ratio', 'rounds'];
  return {
    title: `99 small tenants beside one with ${large.toLocaleString('en-US')} jobs`,
    how:
      'A small tenant submits 20 jobs each 15 ms; milliseconds from before the submit to the completion of its batch, ' +
      'submitter and runner in one process. tenants-paced: calls of 2 ms, 50 at once, shared by all tenants; ' +
      'tenants-noop: calls that end at once, so that the large tenant takes whatever the machine has.',
    table: markdownTable(head, rows),
    // Where calls end at once nobody waits for a slot, and there is nothing to share fairly (docs/decisions/0029).
    targets: [
      {
        name: `p95 of small tenants beside a large one, of theirs alone (${PACED})`,
        figure: times(results.get(PACED), 'p95'),
        limit: 2,
        kind: 'at most',
      },
    ],
    figures: Object.fromEntries(results),
  };
}
