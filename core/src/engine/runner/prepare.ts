import type { Guarantee, Job, JobPayload, Module, Provider, Rate } from '../../plugin/index.ts';
import type { OpenedConnection } from '../connections/opened.ts';
import type { OpenFence } from '../decisions/due.ts';
import { coversCall } from '../decisions/whole-call.ts';
import type { Merge } from '../intake/defaults.ts';
import type { ChunkLease, RunnableBatch } from '../store.ts';
import type { SuppressionReason } from '../suppressions.ts';
import type { CallKeys } from './call-keys.ts';
import { payloadBytes } from './payload-bytes.ts';

/** All that a chunk needs of its batch; made once a batch, process and version of its credentials. */
export interface BatchPlan {
  readonly batch: RunnableBatch;
  readonly module: Module;
  readonly provider: Provider;
  readonly pluginName: string;
  readonly merge: Merge;
  readonly keys: (payload: JobPayload) => CallKeys;
  readonly connection: OpenedConnection;
  readonly rates: readonly Rate[] | undefined;
}

/** A job that is ready to be called, with the doubts that it carries. */
export interface PreparedJob {
  readonly job: Job;
  /** What holds for its payload. */
  readonly guarantee: Guarantee;
  readonly keys: CallKeys;
  readonly fences: number;
  /** Bytes of its payload as JSON, or a few more, where the provider limits a call's size. */
  readonly bytes: number;
  /** A recipient is suppressed: what `resolve` asks about may be told, but no call is made. */
  readonly suppressed?: SuppressionReason;
}

/** Prepares a job of a chunk as the provider will see it. @throws whatever the module or provider throws. */
export function prepare(
  plan: BatchPlan,
  lease: ChunkLease,
  seq: number,
  stored: JobPayload,
  fence: OpenFence | undefined,
): PreparedJob {
  const payload = payloadOf(plan, stored);
  const guarantee = guaranteeOf(plan, payload);
  // A job that `resolve` can tell about is not called again unless the provider never saw it.
  const again = fence !== undefined && guarantee.kind === 'at-least-once' && !canBeAsked(fence);
  const possibleDuplicate = again || doubtful(lease, guarantee);
  const { batchId } = plan.batch;
  return {
    job: { id: `${batchId}.${seq}`, batchId, seq, payload, attempt: lease.attempt, possibleDuplicate },
    guarantee,
    keys: plan.keys(payload),
    fences: fence?.fences ?? 0,
    bytes: bytesOf(plan.provider, payload),
  };
}

/** Exact only where a full call of such jobs may be too large. */
const bytesOf = ({ batchBytes, batchSize = 1 }: Provider, payload: JobPayload): number =>
  batchBytes === undefined ? 0 : payloadBytes(payload, batchBytes / batchSize);

export const canBeAsked = (fence: OpenFence): boolean => fence.pending || fence.note !== undefined;

function payloadOf({ batch, module, merge }: BatchPlan, stored: JobPayload): JobPayload {
  const merged = merge(stored);
  const old = batch.moduleVersion < module.version;
  return old && module.migrate !== undefined ? module.migrate(merged, batch.moduleVersion) : merged;
}

function guaranteeOf(plan: BatchPlan, payload: JobPayload): Guarantee {
  const { guarantee } = plan.provider;
  return typeof guarantee === 'function' ? guarantee(plan.connection.credentials, payload) : guarantee;
}

/** Calls that would be in doubt after a crash as long as their outcome is not in the log: they keep their slots until then. */
export const holdsSlot = ({ kind }: Guarantee): boolean => kind === 'at-most-once' || kind === 'reconcilable';

/** Providers that cannot take a repeat, or need to know which jobs shared a call, are fenced (E7). */
export const needsFence = (guarantee: Guarantee): boolean => holdsSlot(guarantee) || coversCall(guarantee);

/** Earlier calls of the chunk's jobs may have arrived: a lost lease tells nothing of those that were made without a fence. */
export function undecided(lease: ChunkLease, guarantee: Guarantee): boolean {
  return lease.uncertain || (lease.interrupted && !needsFence(guarantee));
}

/** A lost lease leaves doubts only where calls are made without a fence and duplicates show. */
function doubtful(lease: ChunkLease, guarantee: Guarantee): boolean {
  if (guarantee.kind === 'keyed') return false;
  return lease.uncertain || (lease.interrupted && guarantee.kind === 'at-least-once');
}
