import { type ActionEnv, tolerant } from './model-actions.ts';
import { type FoldedJob, foldBatch, timeline } from './model-fold.ts';
import { groupBy, type Snapshot } from './model-snapshot.ts';
import type { LedgerEntry } from './model-vendor.ts';

const KINDS = ['delivered', 'opened', 'clicked', 'replied', 'bounced', 'complained'] as const;

/**
 * The vendor reports some of the jobs that it delivered, of old and new calls, to two processes at once. There
 * are few ids of events, so that most reports repeat an earlier one.
 */
export async function report(env: ActionEnv): Promise<void> {
  const { world, random, engine } = env;
  const delivered = world.vendor.ledger.filter((entry) => entry.took);
  if (delivered.length === 0) return;
  const some = Array.from({ length: random.int(1, 6) }, () => random.pick(delivered));
  const sides = [engine, random.pick(world.up.length > 0 ? world.up : [engine])];
  await Promise.all(
    [...groupBy(some, (entry) => entry.provider)].flatMap(([provider, entries]) => {
      const events = entries.map((entry) => receiptOf(entry, random.pick(KINDS)));
      return sides.map((side) =>
        tolerant(env, 'receive', () => side.engine.receive(`model.${provider}`, { events })),
      );
    }),
  );
}

function receiptOf({ jobId }: LedgerEntry, kind: string) {
  const eventId = `${jobId} ${kind}`;
  return { jobId, kind, eventId, data: { event: eventId } };
}

/** Each event is in the log once, and what a receipt proves is not unknown, whichever came first. */
export function receiptProblems(snapshot: Snapshot): string[] {
  return [...groupBy(snapshot.events, (event) => event.batch_id)].flatMap(([batchId, events]) =>
    [...foldBatch(events).jobs.values()].flatMap((job) =>
      jobProblems(job).map((problem) => `${batchId}.${job.seq}: ${problem}: ${timeline(job.events)}`),
    ),
  );
}

function jobProblems(job: FoldedJob): string[] {
  const receipts = job.events.filter(({ kind }) => (KINDS as readonly string[]).includes(kind));
  const ids = receipts.map(({ data }) => String(data?.['event']));
  const problems = new Set(ids).size === ids.length ? [] : ['a receipt was recorded twice'];
  if (job.outcome !== 'unknown') return problems;
  const closed = Math.max(...job.closedBy.keys());
  const proven = receipts.some(({ attempt }) => attempt === closed);
  return proven ? [...problems, 'E12: unknown, although a receipt proves that it was sent'] : problems;
}
