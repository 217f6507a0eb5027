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

/** Wait of a throttled call that does not say how long, in milliseconds: limits are by the second. */
export const THROTTLE_MS = 1_000;

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
      return throttled(retryAfterMs ?? afterMs ?? THROTTLE_MS, { code, scope: 'connection' });
    case 'retry':
      return retry(code, { message, data, ...(afterMs === undefined ? {} : { afterMs }) });
  }
}
