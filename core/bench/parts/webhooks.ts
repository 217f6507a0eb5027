import type { Setting } from '../contestants/contestant.ts';
import type { Entry } from '../contestants/registry.ts';
import { WEBHOOK_CONCURRENCY } from '../contestants/webhooks.ts';
import { runNumber, runTask } from '../harness/child.ts';
import { type Receiver, startReceiver } from '../harness/receiver-process.ts';
import { median } from '../harness/statistics.ts';
import { decimal, markdownTable, whole } from '../harness/table.ts';
import { ratio } from '../harness/target.ts';
import { type Bench, contestants, interleaved } from './bench.ts';
import { fresh } from './measure.ts';
import type { PartReport } from './report.ts';

const NAMES = ['batchsender-webhook', 'bare-undici'];

/** Real HTTP calls to a receiver on the same machine. */
export async function webhooksPart(bench: Bench): Promise<PartReport> {
  const receiver = await startReceiver();
  try {
    const given: Setting = {
      databaseUrl: bench.database.url,
      jobs: bench.options.calls,
      receiverUrl: receiver.url,
      concurrency: WEBHOOK_CONCURRENCY,
    };
    const results = await interleaved(bench, contestants(bench, NAMES), (contestant) =>
      callsPerSecond(bench, contestant, given, receiver),
    );
    return report(results, given);
  } finally {
    receiver.close();
  }
}

async function callsPerSecond(
  bench: Bench,
  contestant: Entry,
  given: Setting,
  receiver: Receiver,
): Promise<number> {
  if (contestant.name === 'batchsender-webhook') {
    await fresh(bench, contestant, given);
    await runTask(contestant.name, 'enqueue', given);
  }
  const ms = await runNumber(contestant.name, 'drain', given);
  const received = await receiver.take();
  if (received !== given.jobs)
    throw new Error(`${contestant.name}: ${received} of ${given.jobs} calls arrived`);
  return (given.jobs / ms) * 1_000;
}

function report(results: ReadonlyMap<string, readonly number[]>, given: Setting): PartReport {
  const of = (name: string) => {
    const runs = results.get(name);
    return runs === undefined ? undefined : median(runs);
  };
  const share = ratio(of('batchsender-webhook'), of('bare-undici'));
  const rows = [...results].map(([name, runs]) => [
    name,
    whole(of(name) ?? Number.NaN),
    runs.map((run) => decimal(run / 1_000, 1)).join(' '),
    decimal(ratio(of(name), of('bare-undici'))),
  ]);
  return {
    title: `${given.jobs.toLocaleString('en-US')} webhooks to a local receiver, ${given.concurrency} at once`,
    how:
      'The receiver is a process of its own. batchsender-webhook: engine and plugin as they come, from the start to the ' +
      'last outcome on record. bare-undici: the same bodies by undici.request in a loop, without a database.',
    table: markdownTable(['', 'calls/s', 'rounds, 1,000/s', 'x bare-undici'], rows),
    targets: [{ name: 'webhooks, of the bare undici loop', figure: share, limit: 0.8, kind: 'at least' }],
    figures: Object.fromEntries(results),
  };
}
