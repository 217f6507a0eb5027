import type { JobPayload, Provider } from '../../plugin/index.ts';
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
import type { PlannedCall } from './call-queue.ts';
import { type Guaranteed, planCalls, planRepeats, planResolves } from './plan-calls.ts';
import { type BatchPlan, buildJob, doubtful, guaranteeOf, type PreparedJob, undecided } from './prepare.ts';

/** What a leased chunk has to do. */
export interface ChunkWork {
  readonly calls: readonly PlannedCall[];
  /** Jobs that are settled without a call. */
  readonly settled: readonly { readonly seq: number; readonly settlement: Settlement }[];
  /** Jobs that an earlier lease closed with `retried` or `postponed`: they belong into the follow-ups. */
  readonly again: readonly Again[];
}

interface Sorted {
  readonly fresh: Guaranteed[];
  readonly repeats: (Guaranteed & { fence: OpenFence })[];
  readonly resolves: (Guaranteed & { fence: OpenFence })[];
  readonly settled: { seq: number; settlement: Settlement }[];
}

/** Loads the jobs of a leased chunk and decides what to do with each (E3). */
export async function loadChunk(
  store: RunStore,
  plan: BatchPlan,
  lease: ChunkLease,
  policy: FullRetryPolicy,
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
  for (const seq of due.fresh) {
    sortFresh(sorted, plan, lease, { seq, tooOld }, payloads.get(seq) as JobPayload);
  }
  for (const fence of due.fenced) {
    const stored = payloads.get(fence.seq) as JobPayload;
    const made = attempt(sorted, fence.seq, () => prepare(plan, lease, fence.seq, stored, fence));
    if (made === undefined) continue;
    sortFenced(sorted, { ...made, fence }, late.get(fence.seq) ?? undefined, contextOf(lease, policy, made));
  }
  const { provider } = plan;
  const calls = [
    ...planCalls(provider, sorted.fresh),
    ...planRepeats(provider, sorted.repeats),
    ...planResolves(provider, sorted.resolves),
  ];
  return { calls, settled: sorted.settled, again: againFromEvents(events) };
}

function sortFresh(
  sorted: Sorted,
  plan: BatchPlan,
  lease: ChunkLease,
  { seq, tooOld }: { seq: number; tooOld: boolean },
  stored: JobPayload,
): void {
  const made = attempt(sorted, seq, () => prepare(plan, lease, seq, stored, undefined));
  if (made === undefined) return;
  const { guarantee, prepared } = made;
  const { possibleDuplicate } = prepared.job;
  const doubt = undecided(lease, guarantee);
  const { firstLeaseAgeMs } = lease;
  let settlement: Settlement | undefined;
  if (tooOld) settlement = expired(doubt);
  else if (doubt) settlement = settleDoubtful({ guarantee, possibleDuplicate, firstLeaseAgeMs });
  if (settlement === undefined) sorted.fresh.push(made);
  else sorted.settled.push({ seq, settlement });
}

function sortFenced(
  sorted: Sorted,
  entry: Guaranteed & { fence: OpenFence },
  success: Record<string, unknown> | undefined,
  context: SettleContext,
): void {
  const { guarantee, fence } = entry;
  // A call that may be repeated only for exactly the same jobs is repeated for all of them.
  if (success !== undefined && !coversCall(guarantee)) {
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
  else if (decision === 'call') sorted.fresh.push(entry);
  else sorted.settled.push({ seq: fence.seq, settlement: decision });
}

const canBeAsked = (fence: OpenFence): boolean => fence.pending || fence.note !== undefined;

/** A payload that cannot be prepared fails alone, with the reason. */
function attempt<T>(sorted: Sorted, seq: number, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const data = { code: 'invalid_payload', message: message.slice(0, 500) };
    sorted.settled.push({ seq, settlement: { kind: 'failed', data } });
    return undefined;
  }
}

function prepare(
  plan: BatchPlan,
  lease: ChunkLease,
  seq: number,
  stored: JobPayload,
  fence: OpenFence | undefined,
): Guaranteed {
  const plain = buildJob(plan, lease, seq, stored, false);
  const guarantee = guaranteeOf(plan, plain.payload);
  askProvider(plan.provider, plain.payload);
  // A job that `resolve` can tell about is not called again unless the provider never saw it.
  const again = fence !== undefined && guarantee.kind === 'at-least-once' && !canBeAsked(fence);
  const job = again || doubtful(lease, guarantee) ? { ...plain, possibleDuplicate: true } : plain;
  const sized = plan.provider.batchBytes !== undefined;
  const prepared: PreparedJob = {
    job,
    fences: fence?.fences ?? 0,
    bytes: sized ? Buffer.byteLength(JSON.stringify(job.payload)) : 0,
  };
  return { prepared, guarantee };
}

/** What calls are planned by: asked here once, so that a throw fails this job and not its chunk. */
function askProvider(provider: Provider, payload: JobPayload): void {
  provider.endpointKey?.(payload);
  provider.groupKey?.(payload);
  if (typeof provider.timeoutMs === 'function') provider.timeoutMs(payload);
  for (const rate of provider.rates ?? []) rate.key?.(payload);
}

/** What `settle` needs to know of a job. */
export function contextOf(lease: ChunkLease, policy: FullRetryPolicy, made: Guaranteed): SettleContext {
  return {
    guarantee: made.guarantee,
    policy,
    spent: lease.spent,
    ageMs: lease.ageMs,
    firstLeaseAgeMs: lease.firstLeaseAgeMs,
    possibleDuplicate: made.prepared.job.possibleDuplicate,
    undecided: made.prepared.job.possibleDuplicate || undecided(lease, made.guarantee),
    fences: made.prepared.fences,
  };
}
