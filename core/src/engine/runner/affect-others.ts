import type { JobResult } from '../../plugin/index.ts';
import type { PlannedCall } from './call-queue.ts';
import type { ChunkRunEnv } from './chunk-run-env.ts';
import { pauseRateKeys } from './limiter.ts';

type ThrottledResult = Extract<JobResult, { status: 'throttled' }>;

/** A provider asked for patience: for the endpoint, for the call's rate keys, or for the whole connection. */
function slowDown(env: ChunkRunEnv, call: PlannedCall, { scope, afterMs }: ThrottledResult): void {
  const now = env.now();
  if (scope === 'endpoint' && call.endpoint !== undefined) env.gate.openCircuit(call.endpoint, afterMs, now);
  else if (scope === 'rateKey') pauseRateKeys(env, call, now + afterMs);
  else env.throttled(afterMs);
}

/** What a result means for others than its job. True if no call of the connection may start any more. */
export function affectsOthers(env: ChunkRunEnv, call: PlannedCall, result: JobResult | undefined): boolean {
  if (result?.status === 'throttled') slowDown(env, call, result);
  if (result?.status !== 'blocked') return false;
  env.blocked(result);
  return true;
}
