import type { Setting } from '../contestants/contestant.ts';
import type { Entry } from '../contestants/registry.ts';
import { runTimed } from '../harness/child.ts';
import { type Receiver, startReceiver } from '../harness/receiver-process.ts';
import { median } from '../harness/statistics.ts';
import { decimal, markdownTable, whole } from '../harness/table.ts';
import { ratio, type Target } from '../harness/target.ts';
import { type Bench, contestants, interleaved } from './bench.ts';
import { fresh, verify } from './measure.ts';
import type { PartReport } from './report.ts';

/** A comparison of engine and plugin with a bare loop over the same client. */
export interface CallsPart {
  readonly receiver: 'webhook' | 'mail' | 'vendor';
  readonly own: string;
  readonly bare: string;
  /** The bare loop with a row for each outcome: what keeping a record costs anybody. */
  readonly logged?: string;
  readonly jobs: number;
  /** Calls or connections at once, the same for both. */
  readonly concurrency: number;
  /** What is counted: `calls`. */
  readonly noun: string;
  readonly title: string;
  readonly how: string;
  readonly target?: Omit<Target, 'figure'>;
  /** How long the receiver takes to answer, in milliseconds: 0. */
  readonly delayMs?: number;
}

interface CallsSample {
  readonly perSecond: number;
  /** CPU time of the sender, in microseconds a call. */
  readonly nodeUs: number;
}

/** Calls before those that are timed, as a share of them (docs/decisions/0028). */
const WARM_UP_SHARE = 0.5;

/** Real calls to a receiver on the same machine. */
export async function callsPart(bench: Bench, part: CallsPart): Promise<PartReport> {
  const receiver = await startReceiver(part.receiver, part.delayMs);
  try {
    const given: Setting = {
      databaseUrl: bench.database.url,
      jobs: part.jobs,
      receiverUrl: receiver.url,
      concurrency: part.concurrency,
      warmUpJobs: Math.ceil(part.jobs * WARM_UP_SHARE),
    };
    const entries = contestants(bench, [
      part.own,
      part.bare,
      ...(part.logged === undefined ? [] : [part.logged]),
    ]);
    const results = await interleaved(bench, entries, (contestant) =>
      sample(bench, part, contestant, given, receiver),
    );
    return report(part, results);
  } finally {
    receiver.close();
  }
}

async function sample(
  bench: Bench,
  part: CallsPart,
  contestant: Entry,
  given: Setting,
  receiver: Receiver,
): Promise<CallsSample> {
  const { jobs, warmUpJobs = 0 } = given;
  const all = jobs + warmUpJobs;
  const isOwn = contestant.name === part.own;
  if (isOwn) await fresh(bench, contestant, given);
  const { ms, cpuMs = Number.NaN } = await runTimed(contestant.name, 'drain', given);
  const received = await receiver.take();
  if (received !== all) throw new Error(`${contestant.name}: ${received} of ${all} calls arrived`);
  if (isOwn) await verify(contestant, 'completed', { ...given, jobs: all });
  return { perSecond: (jobs / ms) * 1_000, nodeUs: (cpuMs * 1_000) / jobs };
}

function report(part: CallsPart, results: ReadonlyMap<string, readonly CallsSample[]>): PartReport {
  const { own, bare, noun, title, how, target } = part;
  const of = (name: string, figure: keyof CallsSample) => {
    const runs = results.get(name);
    return runs === undefined ? undefined : median(runs.map((run) => run[figure]));
  };
  const share = (name: string) => ratio(of(name, 'perSecond'), of(bare, 'perSecond'));
  const lines = [...results].map(([name, runs]) => [
    name,
    whole(of(name, 'perSecond') ?? Number.NaN),
    runs.map((run) => decimal(run.perSecond / 1_000, 1)).join(' '),
    decimal(share(name)),
    whole(of(name, 'nodeUs') ?? Number.NaN),
  ]);
  return {
    title,
    how:
      `${how} Both have made half as many calls before, in the same process and over the same connections: the engine is at ` +
      'work, as it is for days, and the time runs from when the batch is sealed to the last outcome on record.',
    table: markdownTable(['', `${noun}/s`, 'rounds, 1,000/s', `x ${bare}`, 'node us each'], lines),
    targets: target === undefined ? [] : [{ ...target, figure: share(own) }],
    figures: Object.fromEntries(results),
  };
}
