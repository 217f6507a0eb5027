import type { ServerRun, Setting } from '../contestants/contestant.ts';
import { runTask } from '../harness/child.ts';
import { median } from '../harness/statistics.ts';
import type { Bench } from './bench.ts';

/** The jobs of a part that `--large` enlarges. */
export function rowsOf({ options }: Bench): number {
  return options.large ? options.largeJobs : options.jobs;
}

/** Lets a contestant do a piece of work through the server. */
export async function serverRun(name: string, task: 'upload' | 'export', given: Setting): Promise<ServerRun> {
  // It came as JSON, where what is undefined is missing.
  const { ms, cpuMs, beforeMb, peakMb } = (await runTask(name, task, given)) as ServerRun;
  return { ms, cpuMs, beforeMb, peakMb };
}

/** Rows a second, the median of the rounds. */
export function rate(runs: readonly ServerRun[] | undefined, rows: number): number | undefined {
  return runs === undefined ? undefined : (rows / median(runs.map(({ ms }) => ms))) * 1_000;
}

/** CPU time of the server, in microseconds a row: the median of the rounds. */
export function serverUs(runs: readonly ServerRun[], rows: number): number {
  return median(runs.map(({ cpuMs = Number.NaN }) => (cpuMs * 1_000) / rows));
}

/** The highest of the rounds; undefined where memory cannot be read. */
export function highest(
  runs: readonly ServerRun[] | undefined,
  figure: (run: ServerRun) => number | undefined,
): number | undefined {
  const found = (runs ?? []).flatMap((run) => figure(run) ?? []);
  return found.length === 0 ? undefined : Math.max(...found);
}

/** By how much the peak of the memory rose during the work. */
export function growth({ beforeMb, peakMb }: ServerRun): number | undefined {
  return beforeMb === undefined || peakMb === undefined ? undefined : peakMb - beforeMb;
}
