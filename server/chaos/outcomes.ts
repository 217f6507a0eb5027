import { type FoldedJob, foldBatch, type Outcome } from '../../core/test/helpers/model-fold.ts';
import { groupBy } from '../../core/test/helpers/model-snapshot.ts';
import type { Cause, Causes } from './causes.ts';
import type { Evidence } from './evidence.ts';
import { type Figure, figure } from './figure.ts';
import type { LedgerLine } from './ledger.ts';

/** A job whose outcome is unknown. */
export interface Doubt {
  readonly jobId: string;
  readonly kind: string;
  readonly cause: Cause;
}

export interface Outcomes {
  readonly figures: readonly Figure[];
  readonly unknown: readonly Doubt[];
  readonly problems: readonly string[];
}

const ENDED = new Set(['completed', 'cancelled']);

/** What became of all jobs: those that were lost on the way in, and those without an outcome. */
export function outcomesOf(evidence: Evidence, causes: Causes): Outcomes {
  const { snapshot, acknowledged } = evidence;
  const { totals, unknown, unsettled, stuck } = settledJobs(evidence, causes);
  const stored = new Set(evidence.stored);
  const promised = acknowledged.reduce((sum, batch) => sum + batch.jobs, 0);
  const lost = unsettled + Math.max(0, promised - stored.size);
  const twice = evidence.stored.length - stored.size;
  const known = new Set(snapshot.batches.map(({ id }) => id));
  const missing = acknowledged.filter(({ batchId }) => !known.has(batchId));
  const told = new Set(acknowledged.map(({ batchId }) => batchId));
  const untold = snapshot.batches.filter(({ id }) => !told.has(id));
  return {
    unknown,
    figures: [
      figure('batches acknowledged', told.size),
      figure('  missing', missing.length, missing.length, 0),
      figure('  made twice', untold.length, untold.length, 0),
      figure('jobs stored twice', twice, twice, 0),
      figure(
        'succeeded / failed / cancelled',
        `${totals.succeeded} / ${totals.failed} / ${totals.cancelled}`,
      ),
      figure('lost', lost, lost, 0),
      figure('stuck', stuck, stuck, 0),
    ],
    problems: [
      ...missing.map(({ batchId }) => `batch ${batchId} was acknowledged, and is not there`),
      ...untold.map(({ id }) => `batch ${id} is there, and nobody was told of it`),
    ],
  };
}

interface Settled {
  readonly totals: Readonly<Record<Outcome, number>>;
  readonly unknown: readonly Doubt[];
  /** Jobs of ended batches without an outcome. */
  readonly unsettled: number;
  /** Jobs of the other batches without one. */
  readonly stuck: number;
}

function settledJobs({ snapshot, ledger }: Evidence, causes: Causes): Settled {
  const events = groupBy(snapshot.events, (event) => event.batch_id);
  const calls = ledger.flatMap((line) => line.jobs.map(({ id }) => ({ id, line })));
  const callsOf = groupBy(calls, ({ id }) => id);
  const totals = { succeeded: 0, failed: 0, unknown: 0, cancelled: 0 };
  const unknown: Doubt[] = [];
  const left = { ended: 0, open: 0 };
  for (const batch of snapshot.batches) {
    const settled = [...foldBatch(events.get(batch.id) ?? []).jobs.values()].filter(hasOutcome);
    left[ENDED.has(batch.state) ? 'ended' : 'open'] += batch.total - settled.length;
    for (const job of settled) {
      totals[job.outcome] += 1;
      if (job.outcome !== 'unknown') continue;
      const jobId = `${batch.id}.${job.seq}`;
      const last = callsOf.get(jobId)?.at(-1)?.line;
      unknown.push({ jobId, kind: 'unknown', cause: causeOf(job, jobId, last, causes) });
    }
  }
  return { totals, unknown, unsettled: left.ended, stuck: left.open };
}

const hasOutcome = (job: FoldedJob): job is FoldedJob & { outcome: Outcome } => job.outcome !== undefined;

function causeOf(job: FoldedJob, jobId: string, last: LedgerLine | undefined, causes: Causes): Cause {
  const attempt = Math.max(0, ...job.closedBy.keys());
  const { fenced_ms: fenced = null, closed_ms: closed = null } = causes.times(jobId, attempt) ?? {};
  const untilMs = closed ?? Date.now();
  // The provider may never have seen the call of the last fence.
  if (last === undefined || (fenced !== null && last.atMs < fenced - 1_000))
    return causes.ofFence(fenced ?? 0, untilMs);
  return causes.ofCall(last, untilMs);
}
