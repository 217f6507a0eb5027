import { blocked, failed, type JobResult, type JsonObject, retry, throttled } from '@batchsender/core/plugin';

/**
 * What an error code of a provider is for a job. `sender`: the payload's sender fails the job, the
 * connection's own blocks the connection.
 */
export type Fate = 'failed' | 'sender' | 'blocked' | 'throttled' | 'retry';

/** What we make of an error code. */
export interface Verdict {
  readonly fate: Fate;
  /** Stable, snake_case; the same for the same thing with every provider. */
  readonly code: string;
  readonly message: string;
  /** Milliseconds to wait, if the provider does not say. */
  readonly afterMs?: number;
}

/** What the answer says besides its code. */
export interface Circumstances {
  /** True if the payload named the sender. */
  readonly ownSender: boolean;
  readonly retryAfterMs: number | undefined;
  readonly data: JsonObject;
}

/** Limits are by the second, and a `Retry-After: 0` must not turn into calls without a pause. */
const MIN_THROTTLE_MS = 1_000;

/** How long to wait, in milliseconds: what the provider says, else `afterMs`, but a second at least. */
export function waitMs(retryAfterMs: number | undefined, afterMs = MIN_THROTTLE_MS): number {
  return Math.max(retryAfterMs ?? afterMs, MIN_THROTTLE_MS);
}

/** The result of a job whose call was answered with an error code that is known. */
export function judgeByCode(
  { fate, code, message, afterMs }: Verdict,
  { ownSender, retryAfterMs, data }: Circumstances,
): JobResult {
  switch (fate) {
    case 'failed':
      return failed(code, { message, data });
    case 'sender':
      return ownSender ? failed(code, { message, data }) : blocked(code, { message });
    case 'blocked':
      return blocked(code, { message });
    case 'throttled':
      return throttled(waitMs(retryAfterMs, afterMs), { code, scope: 'connection' });
    case 'retry':
      return retry(code, { message, data, ...(afterMs === undefined ? {} : { afterMs }) });
  }
}
