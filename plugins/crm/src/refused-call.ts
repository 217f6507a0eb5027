import {
  classifyHttp,
  type JobResult,
  parseRetryAfter,
  type ResponseHeaders,
  retry,
  throttled,
} from '@batchsender/core/plugin';

/** An answer whose status holds for the whole call. */
export interface CallAnswer {
  readonly status: number;
  readonly headers: ResponseHeaders;
}

/** Statuses of servers in front of the vendor that never reached it (Cloudflare's 521, 523, 525 and 526). */
const NOT_REACHED = new Set([521, 523, 525, 526]);

/** How long a vendor that is overloaded and does not say how long is left alone, in milliseconds. */
const PAUSE_MS = 5_000;

/**
 * What a status means where the vendor says nothing better. After a 5xx nobody knows whether records
 * were written, so the guarantee decides; a 503 refused the call before it was worked on.
 */
export function resultOfStatus({ status, headers }: CallAnswer): JobResult {
  const result = classifyHttp({ status, headers }, { blocked: [401, 403, 407], throttles: 'connection' });
  if (result.status !== 'retry') return result;
  if (status === 429 || status === 503) return throttled(PAUSE_MS, { code: `http_${status}` });
  const doubtful = status >= 500 && !NOT_REACHED.has(status);
  return retry(result.code, {
    message: result.message ?? '',
    afterMs: Math.max(PAUSE_MS, result.afterMs ?? 0),
    ...(doubtful ? { possibleDuplicate: true } : {}),
  });
}

/** Patience for as long as `Retry-After` says, else for `defaultMs`; at least a second. */
export function patience(header: string | null | undefined, defaultMs: number, code: string): JobResult {
  const afterMs = parseRetryAfter(header, Date.now()) ?? defaultMs;
  return throttled(Math.max(1_000, afterMs), { scope: 'connection', code });
}
