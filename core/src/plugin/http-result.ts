import {
  blocked,
  failed,
  type JobResult,
  retry,
  succeeded,
  type ThrottleScope,
  throttled,
} from './result.ts';
import { parseRetryAfter } from './retry-after.ts';

/** Headers of a response: `fetch`'s `Headers`, or a record with lower-case names (undici, node:http). */
export type ResponseHeaders =
  | { get(name: string): string | null }
  | { readonly [name: string]: string | readonly string[] | undefined };

/** The part of an HTTP response that decides. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /**
   * A short text of the provider that may be kept for ever, such as its error code. It ends up
   * in the result's message, cut to 200 characters. Never a body that may hold personal data.
   */
  readonly bodySnippet?: string;
}

export interface ClassifyHttpOptions {
  /** Statuses that mean success, in place of 200 to 299. */
  readonly success?: readonly number[];
  /**
   * Statuses that mean that the connection cannot work, for a provider that uses credentials of
   * its own: `[401, 403]`. Default: none, they fail the job.
   */
  readonly blocked?: readonly number[];
  /** What a throttled call slows down. Default `endpoint`; a provider with an account says `connection`. */
  readonly throttles?: ThrottleScope;
  /** Epoch milliseconds, for a `Retry-After` that is a date. Default: now. */
  readonly nowMs?: number;
}

/** A `Retry-After: 0` must not turn into calls without a pause. */
const MIN_THROTTLE_MS = 1_000;

type Fate = 'succeeded' | 'retry' | 'throttled' | 'failed';

/**
 * Statuses that do not follow the rule of their class. What a status means is taken from
 * RFC 9110, section 15, unless another source is named.
 */
const EXCEPTIONS: Readonly<Record<number, Fate>> = {
  408: 'retry', // Request Timeout: may be repeated on another connection.
  421: 'retry', // Misdirected Request: may be repeated on another connection.
  423: 'retry', // Locked (RFC 4918): the lock goes away.
  425: 'retry', // Too Early (RFC 8470): repeat it later.
  429: 'throttled', // Too Many Requests (RFC 6585).
  501: 'failed', // Not Implemented: the server does not know the method at all.
  503: 'throttled', // Service Unavailable: overload or maintenance, `Retry-After` says how long.
  505: 'failed', // HTTP Version Not Supported: it will not change by asking again.
  508: 'failed', // Loop Detected (RFC 5842): the whole operation failed.
};

const MESSAGES: Readonly<Record<number, string>> = {
  401: 'The receiver refused the credentials of the request',
  403: 'The receiver refused the request',
  407: 'A proxy asks for credentials',
  410: 'The receiver says that this address is gone for good',
};

/**
 * Says what became of a job from the answer to its HTTP call. The code is `http_<status>`.
 *
 * | status | result |
 * |---|---|
 * | 200 to 299 | succeeded |
 * | 300 to 399 | failed: the redirect was not followed |
 * | 408, 421, 423, 425 | retry, not before `Retry-After` |
 * | 413 with `Retry-After` | retry: the RFC uses it where the condition is temporary |
 * | 429, 503 | throttled for `Retry-After`; retry without one |
 * | 501, 505, 508 | failed |
 * | other 400 to 499 | failed |
 * | other 500 to 599 | retry, not before `Retry-After` |
 * | below 200, above 599 | retry: not a final answer, treated like 5xx (RFC 9110, section 15) |
 */
export function classifyHttp(response: HttpResponse, options: ClassifyHttpOptions = {}): JobResult {
  const { status } = response;
  const code = `http_${status}`;
  const fate = fateOf(status, options.success);
  if (fate === 'succeeded') return succeeded();
  const message = messageOf(response, options.success);
  if (options.blocked?.includes(status)) return blocked(code, { message });

  const header = headerOf(response.headers, 'retry-after');
  const afterMs = parseRetryAfter(header, options.nowMs ?? Date.now());
  if (fate === 'throttled' && afterMs !== undefined) {
    return throttled(Math.max(afterMs, MIN_THROTTLE_MS), { scope: options.throttles ?? 'endpoint', code });
  }
  if (fate === 'failed' && !(status === 413 && afterMs !== undefined)) return failed(code, { message });
  return retry(code, { message, ...(afterMs === undefined ? {} : { afterMs }) });
}

function fateOf(status: number, success: readonly number[] | undefined): Fate {
  if (success?.includes(status)) return 'succeeded';
  const exception = EXCEPTIONS[status];
  if (exception !== undefined) return exception;
  if (status >= 200 && status < 300) return success === undefined ? 'succeeded' : 'failed';
  return status >= 300 && status < 500 ? 'failed' : 'retry';
}

function messageOf(response: HttpResponse, success: readonly number[] | undefined): string {
  const { status, bodySnippet } = response;
  const snippet = bodySnippet?.replace(/\s+/g, ' ').trim().slice(0, 200);
  const text = MESSAGES[status] ?? plainMessage(status, success);
  return snippet === undefined || snippet === '' ? text : `${text}: ${snippet}`;
}

function plainMessage(status: number, success: readonly number[] | undefined): string {
  if (status >= 300 && status < 400) return `The receiver answered ${status}; the redirect was not followed`;
  if (status >= 200 && status < 300) {
    return `The receiver answered ${status}, which is not among ${success?.join(', ')}`;
  }
  return `The receiver answered ${status}`;
}

/** One header's value; the first one if it was sent more than once. */
export function headerOf(headers: ResponseHeaders, name: string): string | undefined {
  if (typeof headers['get'] === 'function') return headers['get'](name) ?? undefined;
  const value = (headers as Readonly<Record<string, string | readonly string[] | undefined>>)[name];
  return typeof value === 'object' ? value[0] : value;
}
