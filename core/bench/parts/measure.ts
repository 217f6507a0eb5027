import type { Setting, Task } from '../contestants/contestant.ts';
import type { Entry } from '../contestants/registry.ts';
import { runNumber, runTask, runTimed, type WarmUp } from '../harness/child.ts';
import { dropSchemas, settle, walPosition } from '../harness/database.ts';
import { median } from '../harness/statistics.ts';
import type { Bench } from './bench.ts';

/** One timed task over many jobs. */
export interface Sample {
  readonly jobsPerSecond: number;
  readonly walMb: number;
  /** CPU time of the Node process, in microseconds a job: tells more than the clock on a busy machine. */
  readonly nodeUs: number;
}

const MB = 1_000_000;

/** Jobs that a process has done before it is measured warm (docs/decisions/0028). */
export const WARM_UP_JOBS = 50_000;

export function setting(bench: Bench, jobs: number): Setting {
  return { databaseUrl: bench.database.url, jobs };
}

/** Empty tables, as the contestant makes them. */
export async function fresh(bench: Bench, contestant: Entry, given: Setting): Promise<void> {
  await dropSchemas(bench.database.client, [contestant.schema]);
  await runTask(contestant.name, 'prepare', given);
}

/** Times a task, counts its write-ahead log, and checks in the database that it did all jobs. */
export async function sample(
  bench: Bench,
  contestant: Entry,
  task: 'enqueue' | 'drain',
  given: Setting,
  warmUpJobs = 0,
): Promise<Sample> {
  const { client } = bench.database;
  let before = Number.NaN;
  const ready = async () => {
    await settle(client, contestant.schema);
    before = await walPosition(client);
  };
  const warmUp = warmUpJobs === 0 ? undefined : await warmUpOf(bench, contestant, given, warmUpJobs, ready);
  if (warmUp === undefined) await ready();
  const { ms, cpuMs } = await runTimed(contestant.name, task, given, warmUp);
  const after = await walPosition(client);
  await verify(contestant, task === 'drain' ? 'completed' : 'stored', given);
  const nodeUs = cpuMs === undefined ? Number.NaN : (cpuMs * 1_000) / given.jobs;
  return { jobsPerSecond: (given.jobs / ms) * 1_000, walMb: (after - before) / MB, nodeUs };
}

/** Other jobs first; then those of the setting, in new tables. */
async function warmUpOf(
  bench: Bench,
  contestant: Entry,
  given: Setting,
  jobs: number,
  ready: () => Promise<void>,
): Promise<WarmUp> {
  const first = { ...given, jobs };
  await stock(bench, contestant, first);
  return {
    setting: first,
    ready: async () => {
      await verify(contestant, 'completed', first);
      await stock(bench, contestant, given);
      await ready();
    },
  };
}

/** New tables with the jobs in them. */
export async function stock(bench: Bench, contestant: Entry, given: Setting): Promise<void> {
  await fresh(bench, contestant, given);
  await runTask(contestant.name, 'enqueue', given);
}

/** Asks the database whether all jobs are there. @throws Error if they are not. */
export async function verify(
  contestant: Entry,
  task: Task & ('stored' | 'completed'),
  given: Setting,
): Promise<void> {
  const found = await runNumber(contestant.name, task, given);
  if (found !== given.jobs) {
    throw new Error(`${contestant.name}: ${found} of ${given.jobs} jobs are ${task} in the database`);
  }
}

/** The median of a figure over the rounds. */
export function medianOf<Name extends string>(
  samples: readonly Readonly<Record<Name, number>>[] | undefined,
  figure: Name,
): number | undefined {
  return samples === undefined || samples.length === 0
    ? undefined
    : median(samples.map((each) => each[figure]));
}

export const speed = (samples: readonly Pick<Sample, 'jobsPerSecond'>[] | undefined) =>
  medianOf(samples, 'jobsPerSecond');
