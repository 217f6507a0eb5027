/** Anything that survives a round trip through JSON. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: JsonValue };

/**
 * What a throttled call slows down: the whole connection, the rate keys of this call,
 * or the endpoint that it went to. Default `connection`.
 */
export type ThrottleScope = 'connection' | 'rateKey' | 'endpoint';

/** The provider accepted the job. `ref` is the provider's id of it, at most 256 characters. */
export interface Succeeded {
  readonly status: 'succeeded';
  readonly ref?: string;
  /** Codes, ids, times. Never bodies or addresses: the event log is kept for ever. */
  readonly data?: JsonObject;
}

/** The provider works on it; `resolve` is asked again after `checkAfterMs`. */
export interface Pending {
  readonly status: 'pending';
  readonly ref: string;
  readonly checkAfterMs: number;
}

/** It did not work this time. Spends an attempt; `afterMs` overrides the backoff if it is longer. */
export interface Retry {
  readonly status: 'retry';
  readonly code: string;
  readonly message?: string;
  readonly afterMs?: number;
  /** True if the call may have reached the provider all the same (cut connection, timeout): the repeat is flagged. */
  readonly possibleDuplicate?: boolean;
  readonly data?: JsonObject;
}

/** The provider asked for patience. Spends no attempt. */
export interface Throttled {
  readonly status: 'throttled';
  readonly afterMs: number;
  readonly scope?: ThrottleScope;
  readonly code?: string;
}

/** This connection cannot work (credentials, quota). Nothing fails; all its batches wait. */
export interface Blocked {
  readonly status: 'blocked';
  readonly code: string;
  readonly message?: string;
}

/** The provider refused the job for good. */
export interface Failed {
  readonly status: 'failed';
  readonly code: string;
  readonly message?: string;
  readonly data?: JsonObject;
}

/** Nobody can say whether the provider took the job. */
export interface Unknown {
  readonly status: 'unknown';
  readonly code: string;
  readonly message?: string;
  readonly data?: JsonObject;
}

/** What became of one job in one call. */
export type JobResult = Succeeded | Pending | Retry | Throttled | Blocked | Failed | Unknown;

/** What `resolve` may answer besides a result: never seen by the provider, or it cannot tell. */
export type Resolution = JobResult | { readonly status: 'absent' } | { readonly status: 'undecided' };

/** A result with the id of its job, for `processBatch` answers that come in another order. */
export type IdentifiedResult<R = JobResult> = R & { readonly jobId: string };

type Extra<T> = Omit<T, 'status' | 'code'>;

/** `{ status: 'succeeded' }` with the provider's id. */
export const succeeded = (ref?: string, data?: JsonObject): Succeeded => ({
  status: 'succeeded',
  ...(ref === undefined ? {} : { ref }),
  ...(data === undefined ? {} : { data }),
});

/** `{ status: 'pending' }`: ask `resolve` again after `checkAfterMs`. */
export const pending = (ref: string, checkAfterMs: number): Pending => ({
  status: 'pending',
  ref,
  checkAfterMs,
});

/** `{ status: 'retry' }` with a stable snake_case code. */
export const retry = (code: string, extra: Extra<Retry> = {}): Retry => ({ status: 'retry', code, ...extra });

/** `{ status: 'throttled' }`: wait for `afterMs`, then call again. */
export const throttled = (afterMs: number, extra: Omit<Throttled, 'status' | 'afterMs'> = {}): Throttled => ({
  status: 'throttled',
  afterMs,
  ...extra,
});

/** `{ status: 'blocked' }`: the connection waits until a person mends it. */
export const blocked = (code: string, extra: Extra<Blocked> = {}): Blocked => ({
  status: 'blocked',
  code,
  ...extra,
});

/** `{ status: 'failed' }` with a stable snake_case code. */
export const failed = (code: string, extra: Extra<Failed> = {}): Failed => ({
  status: 'failed',
  code,
  ...extra,
});

/** `{ status: 'unknown' }` with a stable snake_case code. */
export const unknown = (code: string, extra: Extra<Unknown> = {}): Unknown => ({
  status: 'unknown',
  code,
  ...extra,
});
