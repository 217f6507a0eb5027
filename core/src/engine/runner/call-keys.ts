import type { JobPayload, Provider, Rate } from '../../plugin/index.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

/** What a provider says about the call of a job before it is made. */
export interface CallKeys {
  readonly endpoint: string | undefined;
  readonly group: string;
  readonly timeoutMs: number;
  /** One for each rate of the provider; '' where a rate has no keys. */
  readonly rates: readonly string[];
}

/**
 * Asks a provider once a job, so that a throw fails this job and not its chunk. Where it says the
 * same of all jobs, they share one object.
 */
export function callKeys(provider: Provider, rates: readonly Rate[] = []): (payload: JobPayload) => CallKeys {
  const { endpointKey, groupKey, timeoutMs = DEFAULT_TIMEOUT_MS } = provider;
  const ask = (payload: JobPayload): CallKeys => ({
    endpoint: typeof endpointKey === 'function' ? endpointKey(payload) : endpointKey,
    group: groupKey?.(payload) ?? '',
    timeoutMs: typeof timeoutMs === 'function' ? timeoutMs(payload) : timeoutMs,
    rates: rates.map((rate) => rate.key?.(payload) ?? ''),
  });
  const asked = [endpointKey, timeoutMs, groupKey, ...rates.map((rate) => rate.key)];
  if (asked.some((key) => typeof key === 'function')) return ask;
  const same = ask({});
  return () => same;
}
