import type { Setting } from '../contestants/contestant.ts';
import type { Entry } from '../contestants/registry.ts';
import { runTask, runTimed } from '../harness/child.ts';
import { type Services, startServices } from '../harness/services.ts';
import { decimal, markdownTable, whole } from '../harness/table.ts';
import { ratio } from '../harness/target.ts';
import { type Bench, contestants, interleaved } from './bench.ts';
import { fresh, medianOf, type Sample, setting, speed, verify, WARM_UP_JOBS } from './measure.ts';
import type { PartReport } from './report.ts';

const OWN = ['batchsender-nats', 'batchsender-notify'];
const NAMES = [...OWN, 'graphile-worker', 'pg-boss', 'bullmq'].flatMap((name) => [`${name}-1`, `${name}-2`]);

/** Without the write-ahead log: storing the jobs is part of the task here. */
type Speed = Omit<Sample, 'walMb'>;

/** No-op jobs that are stored already, worked off by one process and by two. */
export async function processesPart(bench: Bench): Promise<PartReport> {
  return withServices(bench, async (services) => {
    const given = { ...setting(bench, bench.options.jobs), warmUpJobs: WARM_UP_JOBS };
    const entries = served(contestants(bench, NAMES), services);
    const results = await interleaved(bench, entries, async (contestant) => {
      const own = settingOf(contestant, given, services);
      await fresh(bench, contestant, own);
      const { ms, cpuMs = Number.NaN } = await runTimed(contestant.name, 'drain', own);
      await verify(contestant, 'completed', { ...own, jobs: given.jobs + WARM_UP_JOBS });
      return { jobsPerSecond: (given.jobs / ms) * 1_000, nodeUs: (cpuMs * 1_000) / given.jobs };
    });
    return report(results, given);
  });
}

/** Has the servers beside Postgres for a while. */
export async function withServices<T>(bench: Bench, work: (services: Services) => Promise<T>): Promise<T> {
  const services = await startServices(bench.say);
  try {
    return await work(services);
  } finally {
    if (services.redisUrl !== undefined && contestants(bench, ['bullmq-1', 'bullmq-2']).length > 0) {
      await runTask('bullmq', 'clean', { ...setting(bench, 0), redisUrl: services.redisUrl });
    }
    await services.stop();
  }
}

/** Those whose servers are there. */
export function served(entries: readonly Entry[], services: Services): Entry[] {
  return entries.filter(({ service }) => service === undefined || services[`${service}Url`] !== undefined);
}

/** Each is told of the servers that it uses. */
export function settingOf({ service }: Entry, given: Setting, { natsUrl, redisUrl }: Services): Setting {
  if (service === 'nats' && natsUrl !== undefined) return { ...given, natsUrl };
  if (service === 'redis' && redisUrl !== undefined) return { ...given, redisUrl };
  return given;
}

function report(results: ReadonlyMap<string, readonly Speed[]>, { jobs }: Setting): PartReport {
  const of = (name: string) => speed(results.get(name));
  const target = (peer: string, limit: number) => ({
    name: `two runners with NATS, of ${peer} with two processes`,
    figure: ratio(of('batchsender-nats-2'), of(`${peer}-2`)),
    limit,
    kind: 'at least' as const,
  });
  const rows = [...results].map(([name, samples]) => [
    name,
    whole(speed(samples) ?? Number.NaN),
    samples.map((each) => whole(each.jobsPerSecond / 1_000)).join(' '),
    decimal(ratio(speed(samples), of('graphile-worker-2'))),
    decimal(ratio(speed(samples), of('bullmq-2'))),
    decimal(medianOf(samples, 'nodeUs'), 1),
  ]);
  return {
    title: `Drain of ${jobs.toLocaleString('en-US')} no-op jobs by one process and by two`,
    how:
      'The number in a name says how many processes work. They are connected and idle, and have done ' +
      `${WARM_UP_JOBS.toLocaleString('en-US')} other jobs; the time runs from a common start ` +
      'signal to the last outcome on record, and the store is asked for the number of completed jobs. batchsender: the ' +
      'server with BATCHSENDER_ROLE=runner, and the start signal is the seal of the batch; nats: one leads and hints over ' +
      'JetStream; notify: without NATS, each dispatches for itself. Node us/job: all of their processes.',
    table: markdownTable(
      ['', 'jobs/s', 'rounds, 1,000/s', 'x graphile-worker-2', 'x bullmq-2', 'node us/job'],
      rows,
    ),
    targets: [target('graphile-worker', 2.5), target('bullmq', 6)],
    figures: Object.fromEntries(results),
  };
}
