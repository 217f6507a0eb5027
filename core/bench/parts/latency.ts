import { runNumbers } from '../harness/child.ts';
import { median, percentile } from '../harness/statistics.ts';
import { decimal, markdownTable } from '../harness/table.ts';
import { type Bench, contestants, interleaved } from './bench.ts';
import { fresh, setting } from './measure.ts';
import type { PartReport } from './report.ts';

const NAMES = ['batchsender', 'batchsender-single', 'graphile-worker', 'pg-boss'];

interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** One job at a time on an idle system: from adding it to the start of its call. */
export async function latencyPart(bench: Bench): Promise<PartReport> {
  const given = setting(bench, bench.options.samples);
  const results = await interleaved(bench, contestants(bench, NAMES), async (contestant) => {
    await fresh(bench, contestant, given);
    const times = await runNumbers(contestant.name, 'latency', given);
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  });
  const middle = (samples: readonly Latency[], key: keyof Latency) =>
    median(samples.map((each) => each[key]));
  const rows = [...results].map(([name, samples]) => [
    name,
    decimal(middle(samples, 'p50')),
    decimal(middle(samples, 'p99')),
  ]);
  const own = results.get('batchsender');
  return {
    title: `Latency of ${given.jobs} single jobs, one after the other`,
    how:
      'From before the call that adds a job to the start of its handler in the same process, in milliseconds, 5 ms apart. ' +
      'batchsender: engine.submit with one job; batchsender-single: engine.submitJob; graphile-worker: addJob without a ' +
      'local queue; pg-boss: send and work with LISTEN/NOTIFY.',
    table: markdownTable(['', 'p50 ms', 'p99 ms'], rows),
    targets: [
      {
        name: 'submit to the start of the call, median',
        figure: own === undefined ? undefined : middle(own, 'p50'),
        limit: 5,
        kind: 'at most',
        unit: 'ms',
      },
    ],
    figures: Object.fromEntries(results),
  };
}
