import type { Logger } from '../../plugin/index.ts';
import type { RetryPolicy } from '../api.ts';
import { mergeRetry } from '../decisions/backoff.ts';
import type { ChunkLease } from '../store.ts';
import type { SuppressionCheck } from '../suppression/check.ts';
import type { Tuning } from '../tuning.ts';
import type { WatchedChunk } from '../watch/watch.ts';
import { loadChunk } from './chunk-load.ts';
import { ChunkRun } from './chunk-run.ts';
import type { ConnectionGates } from './connection-gates.ts';
import type { ConnectionGate } from './gate.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { BatchPlan } from './prepare.ts';

/** What a runner has for its chunks. */
export interface ChunkHost {
  readonly tuning: Tuning;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  readonly suppression: SuppressionCheck;
  readonly heartbeat: Heartbeat;
  readonly gates: ConnectionGates;
}

/**
 * Loads what a leased chunk has to do. Apart from what waits for its end: that would keep all jobs in memory until
 * then, also those whose calls have ended.
 */
export async function openChunk(
  { tuning, retry, logger, suppression, heartbeat, gates }: ChunkHost,
  lease: ChunkLease,
  plan: BatchPlan,
  gate: ConnectionGate,
  { store, session }: WatchedChunk,
): Promise<ChunkRun> {
  const policy = mergeRetry(retry, plan.batch.retry);
  const work = await loadChunk(store, plan, lease, policy, suppression);
  const { pluginName } = plan;
  return new ChunkRun(lease, work, {
    store,
    tuning,
    plan,
    policy,
    gate,
    session,
    random: Math.random,
    now: () => performance.now(),
    leaseFresh: (now) => heartbeat.fresh(now),
    persist: (action) => heartbeat.persist(action),
    violation: (message) => logger.error({ plugin: pluginName }, `Plugin ${pluginName}: ${message}`),
    threw: (error) => gates.threw(plan, error),
    blocked: (result) => gates.block(plan, result.code, result.message ?? null),
    throttled: (forMs) => gates.throttle(plan, forMs),
  });
}
