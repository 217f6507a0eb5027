import type { RetryPolicy } from '../api.ts';

/** The retry policy with every value filled in. */
export type FullRetryPolicy = Required<RetryPolicy>;

export const DEFAULT_RETRY: FullRetryPolicy = {
  maxAttempts: 5,
  baseMs: 1_000,
  capMs: 3_600_000,
  maxAgeMs: 259_200_000,
};

/** Later policies win over earlier ones; what none of them says is the default. */
export function mergeRetry(...policies: (RetryPolicy | undefined)[]): FullRetryPolicy {
  return Object.assign({ ...DEFAULT_RETRY }, ...policies) as FullRetryPolicy;
}

/**
 * Exponential backoff with full jitter: anything from 0 to `baseMs * 2^(spent - 1)`, capped.
 * `spent` counts the attempts made so far; `random` is in [0, 1).
 */
export function backoffMs(policy: FullRetryPolicy, spent: number, random: number): number {
  const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(Math.max(spent - 1, 0), 40));
  return Math.floor(random * ceiling);
}
