import type { Guarantee, Job, JobPayload, Module, Provider } from '../../plugin/index.ts';
import type { Merge } from '../intake/defaults.ts';
import type { ChunkLease, RunnableBatch } from '../store.ts';

/** All that a chunk needs of its batch; made once a batch and process. */
export interface BatchPlan {
  readonly batch: RunnableBatch;
  readonly module: Module;
  readonly provider: Provider;
  readonly pluginName: string;
  readonly merge: Merge;
  readonly credentials: never;
}

/** A job that is ready to be called, with the doubts that it carries. */
export interface PreparedJob {
  readonly job: Job;
  readonly fences: number;
  /** Bytes of its payload as JSON, where the provider limits a call's size. */
  readonly bytes: number;
}

/** Builds the job as the provider sees it. */
export function buildJob(
  plan: BatchPlan,
  lease: ChunkLease,
  seq: number,
  stored: JobPayload,
  possibleDuplicate: boolean,
): Job {
  const { batch, module } = plan;
  const merged = plan.merge(stored);
  const payload =
    batch.moduleVersion < module.version && module.migrate !== undefined
      ? module.migrate(merged, batch.moduleVersion)
      : merged;
  const batchId = batch.batchId;
  return { id: `${batchId}.${seq}`, batchId, seq, payload, attempt: lease.attempt, possibleDuplicate };
}

export function guaranteeOf(plan: BatchPlan, payload: JobPayload): Guarantee {
  const { guarantee } = plan.provider;
  return typeof guarantee === 'function' ? guarantee(plan.credentials, payload) : guarantee;
}

/** Providers that cannot take a repeat, or need to know which jobs shared a call, are fenced (E7). */
export function needsFence(guarantee: Guarantee): boolean {
  switch (guarantee.kind) {
    case 'at-most-once':
    case 'reconcilable':
      return true;
    case 'keyed':
      return guarantee.scope === 'call';
    case 'at-least-once':
      return false;
  }
}

/** Earlier calls of the chunk's jobs may have arrived: a lost lease tells nothing of those that were made without a fence. */
export function undecided(lease: ChunkLease, guarantee: Guarantee): boolean {
  return lease.uncertain || (lease.interrupted && !needsFence(guarantee));
}

/** A lost lease leaves doubts only where calls are made without a fence and duplicates show. */
export function doubtful(lease: ChunkLease, guarantee: Guarantee): boolean {
  if (guarantee.kind === 'keyed') return false;
  return lease.uncertain || (lease.interrupted && guarantee.kind === 'at-least-once');
}
