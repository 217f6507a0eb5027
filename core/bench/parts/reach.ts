import { WARM_UP } from '../contestants/reach-pace.ts';
import { runNumbers } from '../harness/child.ts';
import { median, percentile } from '../harness/statistics.ts';
import { decimal, markdownTable } from '../harness/table.ts';
import { type Bench, contestants, interleaved } from './bench.ts';
import { fresh, setting } from './measure.ts';
import { served, settingOf, withServices } from './processes.ts';
import type { PartReport } from './report.ts';

/** What is added where, by the contestant's name. */
const WAYS: ReadonlyMap<string, string> = new Map([
  ['batchsender-http-nats', 'POST /v1/jobs'],
  ['batchsender-nats-1', 'engine.submitJob'],
  ['batchsender-http-notify', 'POST /v1/jobs'],
  ['batchsender-notify-1', 'engine.submitJob'],
  ['graphile-worker-1', 'addJob'],
  ['pg-boss-1', 'send'],
  ['bullmq-1', 'add'],
]);

interface Reach {
  readonly p50: number;
  readonly p99: number;
}

/** One job at a time on an idle system: from adding it in one process to the start of its call in another. */
export async function reachPart(bench: Bench): Promise<PartReport> {
  const given = setting(bench, bench.options.samples);
  const results = await withServices(bench, (services) =>
    interleaved(bench, served(contestants(bench, [...WAYS.keys()]), services), async (contestant) => {
      const own = settingOf(contestant, given, services);
      await fresh(bench, contestant, own);
      const times = await runNumbers(contestant.name, 'latency', own);
      return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
    }),
  );
  const middle = (name: string, key: keyof Reach) => {
    const samples = results.get(name);
    return samples === undefined ? undefined : median(samples.map((each) => each[key]));
  };
  const rows = [...results.keys()].map((name) => [
    name,
    WAYS.get(name) ?? '',
    decimal(middle(name, 'p50')),
    decimal(middle(name, 'p99')),
  ]);
  const limits = [
    ['p50', 'median', 3],
    ['p99', 'p99', 10],
  ] as const;
  const targets = ['batchsender-http-nats', 'batchsender-nats-1'].flatMap((name) =>
    limits.map(([key, title, limit]) => ({
      name: `${WAYS.get(name)} to the start of the call in another process, ${title}`,
      figure: middle(name, key),
      limit,
      kind: 'at most' as const,
      unit: 'ms',
    })),
  );
  return {
    title: `Latency of ${given.jobs} single jobs across processes, one after the other`,
    how:
      'From before the call that adds a job in one process to the start of its handler in another, in milliseconds, 5 ms ' +
      `apart, after ${WARM_UP} that do not count. Both times are of process.hrtime, CLOCK_MONOTONIC, which the processes of one ` +
      'Linux machine share. POST /v1/jobs goes to a server with the role api, and the call is made by the child process of ' +
      'a server with the role runner; engine.submitJob is called in the process that measures.',
    table: markdownTable(['', 'added by', 'p50 ms', 'p99 ms'], rows),
    targets,
    figures: Object.fromEntries(results),
  };
}
