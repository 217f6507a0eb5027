import type { JobPayload } from '../../plugin/index.ts';
import type { FullRetryPolicy } from '../decisions/backoff.ts';
import { dueJobs, type OpenFence } from '../decisions/due.ts';
import { type Again, againFromEvents } from '../decisions/follow-up.ts';
import {
  expired,
  type SettleContext,
  type Settlement,
  settleDoubtful,
  settleOpenFence,
} from '../decisions/settle.ts';
import { coversCall } from '../decisions/whole-call.ts';
import type { AttemptEvent, ChunkLease, RunStore } from '../store.ts';
import type { SuppressionCheck } from '../suppression/check.ts';
import { suppressedEnd } from '../suppression/suppressed.ts';
import type { PlannedCall } from './call-queue.ts';
import { suppressedJobs } from './hold-back.ts';
import { LaterJobs } from './later-jobs.ts';
import { type FencedJob, planCalls, planRepeats, planResolves } from './plan-calls.ts';
import { type BatchPlan, canBeAsked, type PreparedJob, prepare, undecided } from './prepare.ts';

/** What a leased chunk has to do. */
export interface ChunkWork {
  readonly calls: readonly PlannedCall[];
  /** Jobs beside those of `calls` that are prepared when their turn comes. */
  readonly later?: LaterJobs;
  /** Jobs that are settled without a call. */
  readonly settled: readonly SettledJob[];
  /** Jobs that an earlier lease closed with `retried` or `postponed`: they belong into the follow-ups. */
  readonly again: readonly Again[];
}

/** A job that is settled without a call. */
export interface SettledJob {
  readonly seq: number;
  readonly settlement: Settlement;
}

interface Sorted {
  readonly fresh: PreparedJob[];
  readonly repeats: FencedJob[];
  readonly resolves: FencedJob[];
  readonly settled: SettledJob[];
}

/** Loads the jobs of a leased chunk and decides what to do with each (E3). */
export async function loadChunk(
  store: RunStore,
  plan: BatchPlan,
  lease: ChunkLease,
  policy: FullRetryPolicy,
  suppression: SuppressionCheck,
): Promise<ChunkWork> {
  // The first lease of a chunk finds no events of its attempt: nobody worked on it before.
  const [payloads, events] = await Promise.all([
    store.loadJobs(lease),
    lease.epoch === 1 ? ([] as AttemptEvent[]) : store.loadAttempt(lease),
  ]);
  const due = dueJobs(lease.jobs, events);
  const late = new Map(events.filter((event) => event.late !== null).map((event) => [event.seq, event.late]));
  const sorted: Sorted = { fresh: [], repeats: [], resolves: [], settled: [] };
  const tooOld = lease.ageMs >= policy.maxAgeMs;
  const chunk = { plan, lease };
  const sortSome = (into: Sorted, seqs: readonly number[]): void => {
    for (const seq of seqs) {
      const prepared = prepareOrFail(into, chunk, seq, payloads.get(seq), undefined);
      if (prepared !== undefined) sortFresh(into, lease, prepared, tooOld);
    }
  };
  if (due.fenced.length === 0 && standsAlone(plan, suppression)) {
    const take = (seqs: readonly number[]) => {
      const some: Sorted = { fresh: [], repeats: [], resolves: [], settled: [] };
      sortSome(some, seqs);
      return { calls: planCalls(plan.provider, some.fresh), settled: some.settled };
    };
    return { calls: [], later: new LaterJobs(due.fresh, take), settled: [], again: againFromEvents(events) };
  }
  sortSome(sorted, due.fresh);
  for (const fence of due.fenced) {
    const prepared = prepareOrFail(sorted, chunk, fence.seq, payloads.get(fence.seq), fence);
    if (prepared === undefined) continue;
    const success = late.get(fence.seq) ?? undefined;
    sortFenced(sorted, { prepared, fence }, success, contextOf(lease, policy, prepared));
  }
  const { provider } = plan;
  const { fresh, resolves } = await heldBack(sorted, chunk, policy, suppression);
  const calls = planCalls(provider, fresh);
  calls.push(...planRepeats(sorted.repeats), ...planResolves(provider, resolves));
  return { calls, settled: sorted.settled, again: againFromEvents(events) };
}

/** True if no job of the batch need be seen beside another before it is called. */
function standsAlone({ batch, module, provider }: BatchPlan, check: SuppressionCheck): boolean {
  return (provider.batchSize ?? 1) === 1 && check.applies(batch.tenantId, module) === false;
}

/**
 * Settles the jobs that have a suppressed recipient. A call whose result was lost is still repeated or asked
 * about by its guarantee: it has begun.
 */
async function heldBack(
  { fresh, resolves, settled }: Sorted,
  { plan, lease }: { plan: BatchPlan; lease: ChunkLease },
  policy: FullRetryPolicy,
  check: SuppressionCheck,
): Promise<Pick<Sorted, 'fresh' | 'resolves'>> {
  const asked = resolves.length === 0 ? fresh : [...fresh, ...resolves.map(({ prepared }) => prepared)];
  const found = await suppressedJobs(check, plan, asked);
  if (found.size === 0) return { fresh, resolves };
  return {
    fresh: fresh.filter((prepared) => {
      const reason = found.get(prepared.job);
      if (reason === undefined) return true;
      const doubt = contextOf(lease, policy, prepared).undecided === true;
      settled.push({ seq: prepared.job.seq, settlement: suppressedEnd(reason, doubt) });
      return false;
    }),
    resolves: resolves.map(({ prepared, fence }) => {
      const suppressed = found.get(prepared.job);
      return { prepared: suppressed === undefined ? prepared : { ...prepared, suppressed }, fence };
    }),
  };
}

function sortFresh(sorted: Sorted, lease: ChunkLease, prepared: PreparedJob, tooOld: boolean): void {
  const { guarantee, job } = prepared;
  const doubt = undecided(lease, guarantee);
  if (!tooOld && !doubt) {
    sorted.fresh.push(prepared);
    return;
  }
  const { possibleDuplicate } = job;
  const { firstLeaseAgeMs } = lease;
  const settlement = tooOld
    ? expired(doubt)
    : settleDoubtful({ guarantee, possibleDuplicate, firstLeaseAgeMs });
  if (settlement === undefined) sorted.fresh.push(prepared);
  else sorted.settled.push({ seq: job.seq, settlement });
}

function sortFenced(
  sorted: Sorted,
  entry: FencedJob,
  success: Record<string, unknown> | undefined,
  context: SettleContext,
): void {
  const { prepared, fence } = entry;
  // A call that may be repeated only for exactly the same jobs is repeated for all of them.
  if (success !== undefined && !coversCall(prepared.guarantee)) {
    const { status: _status, ...data } = success;
    sorted.settled.push({ seq: fence.seq, settlement: { kind: 'succeeded', data } });
    return;
  }
  if (canBeAsked(fence)) {
    sorted.resolves.push(entry);
    return;
  }
  const decision = settleOpenFence(context);
  if (decision === 'resolve') sorted.resolves.push(entry);
  else if (decision === 'repeat') sorted.repeats.push(entry);
  else if (decision === 'call') sorted.fresh.push(prepared);
  else sorted.settled.push({ seq: fence.seq, settlement: decision });
}

/** A payload that cannot be prepared fails alone, with the reason. */
function prepareOrFail(
  sorted: Sorted,
  { plan, lease }: { plan: BatchPlan; lease: ChunkLease },
  seq: number,
  stored: JobPayload | undefined,
  fence: OpenFence | undefined,
): PreparedJob | undefined {
  try {
    return prepare(plan, lease, seq, stored as JobPayload, fence);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const data = { code: 'invalid_payload', message: message.slice(0, 500) };
    sorted.settled.push({ seq, settlement: { kind: 'failed', data } });
    return undefined;
  }
}

/** What `settle` needs to know of a job; `made` is 1 where a call of it was just made: it counts as one fence more. */
export function contextOf(
  lease: ChunkLease,
  policy: FullRetryPolicy,
  { job, guarantee, fences }: PreparedJob,
  made: 0 | 1 = 0,
): SettleContext {
  return {
    guarantee,
    policy,
    spent: lease.spent,
    ageMs: lease.ageMs,
    firstLeaseAgeMs: lease.firstLeaseAgeMs,
    possibleDuplicate: job.possibleDuplicate,
    undecided: job.possibleDuplicate || undecided(lease, guarantee),
    fences: fences + made,
  };
}
