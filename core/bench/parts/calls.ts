import type { Setting } from '../contestants/contestant.ts';
import type { Entry } from '../contestants/registry.ts';
import { runTask, runTimed } from '../harness/child.ts';
import { settle } from '../harness/database.ts';
import { type Receiver, startReceiver } from '../harness/receiver-process.ts';
import { median } from '../harness/statistics.ts';
import { decimal, markdownTable, whole } from '../harness/table.ts';
import { ratio, type Target } from '../harness/target.ts';
import { type Bench, contestants, interleaved } from './bench.ts';
import { fresh } from './measure.ts';
import type { PartReport } from './report.ts';

/** A comparison of engine and plugin with a bare loop over the same client. */
export interface CallsPart {
  readonly receiver: 'webhook' | 'mail' | 'vendor';
  readonly own: string;
  readonly bare: string;
  readonly jobs: number;
  /** Calls or connections at once, the same for both. */
  readonly concurrency: number;
  /** What is counted: `calls`. */
  readonly noun: string;
  readonly title: string;
  readonly how: string;
  readonly target: Omit<Target, 'figure'>;
  /** How long the receiver takes to answer, in milliseconds: 0. */
  readonly delayMs?: number;
}

interface CallsSample {
  readonly perSecond: number;
  /** CPU time of the sender, in microseconds a call. */
  readonly nodeUs: number;
}

/** Real calls to a receiver on the same machine. */
export async function callsPart(bench: Bench, part: CallsPart): Promise<PartReport> {
  const receiver = await startReceiver(part.receiver, part.delayMs);
  try {
    const given: Setting = {
      databaseUrl: bench.database.url,
      jobs: part.jobs,
      receiverUrl: receiver.url,
      concurrency: part.concurrency,
    };
    const entries = contestants(bench, [part.own, part.bare]);
    const results = await interleaved(bench, entries, (contestant) =>
      sample(bench, contestant, given, receiver),
    );
    return report(part, results);
  } finally {
    receiver.close();
  }
}

async function sample(
  bench: Bench,
  contestant: Entry,
  given: Setting,
  receiver: Receiver,
): Promise<CallsSample> {
  if (!contestant.name.startsWith('bare-')) {
    await fresh(bench, contestant, given);
    await runTask(contestant.name, 'enqueue', given);
    await settle(bench.database.client, contestant.schema);
  }
  const { ms, cpuMs = Number.NaN } = await runTimed(contestant.name, 'drain', given);
  const received = await receiver.take();
  if (received !== given.jobs)
    throw new Error(`${contestant.name}: ${received} of ${given.jobs} calls arrived`);
  return { perSecond: (given.jobs / ms) * 1_000, nodeUs: (cpuMs * 1_000) / given.jobs };
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
    how,
    table: markdownTable(['', `${noun}/s`, 'rounds, 1,000/s', `x ${bare}`, 'node us each'], lines),
    targets: [{ ...target, figure: share(own) }],
    figures: Object.fromEntries(results),
  };
}
