import type { JobPayload, JsonObject, Logger, Plugin } from '../plugin/index.ts';
import type { ReceivingEngine } from './callbacks.ts';
import type { Connections } from './connections/api.ts';
import type { FailingEndpoint } from './endpoint.ts';
import type { IsolatedEngine, IsolationOptions } from './isolation.ts';
import type { Activity, Backlog, EngineObserver } from './observer.ts';
import type { JobPreview } from './preview.ts';
import type { Registry } from './registry.ts';
import type { BatchResults, ResultFilter } from './results.ts';
import type { Suppressed } from './suppressions.ts';
import type { Transport } from './transport.ts';
import type { Tuning } from './tuning.ts';
import type { OnInvalid, Upload } from './upload.ts';
import type { SecretKeys } from './vault/secret-key.ts';

/** The tenant of calls that name none. */
export const DEFAULT_TENANT = 'default';

export type BatchState =
  | 'open'
  | 'scheduled'
  | 'running'
  | 'paused'
  | 'cancelling'
  | 'cancelled'
  | 'completed';

export type JobState = 'waiting' | 'running' | 'succeeded' | 'failed' | 'unknown' | 'cancelled';

/** When a job is tried again, and when it is given up. */
export interface RetryPolicy {
  /** Attempts that may be spent, the first one included. Default 5. */
  readonly maxAttempts?: number;
  /** Base of the exponential backoff with full jitter, in milliseconds. Default 1,000. */
  readonly baseMs?: number;
  /** Cap of the backoff, in milliseconds. Default 3,600,000 (one hour). */
  readonly capMs?: number;
  /** Age after due at which a job is given up, in milliseconds. Default 259,200,000 (72 h). */
  readonly maxAgeMs?: number;
}

/** A submission of jobs of one type. */
export interface BatchInput {
  readonly type: string;
  readonly name?: string;
  /** Shared by all jobs; a job's own fields win, `variables` are merged by name. Strings may hold `{{ name }}`. */
  readonly defaults?: JobPayload;
  readonly jobs?: readonly JobPayload[];
  /** Name of a provider of the module. Default: the module's first. */
  readonly provider?: string;
  /** Name of a connection of the tenant; the provider follows from it. Default: the provider's default connection. */
  readonly connection?: string;
  /**
   * Everything as usual, but the module's `sandbox` provider takes the jobs, whatever `provider` and
   * `connection` say: they are checked, and nobody is reached. Default false.
   */
  readonly dryRun?: boolean;
  /** Higher is dispatched first among the batches of a tenant: -100 to 100, default 0. */
  readonly priority?: number;
  /** Not before this time. */
  readonly scheduledAt?: Date;
  readonly retry?: RetryPolicy;
  /** Default true if `jobs` is given, else false. */
  readonly sealed?: boolean;
  /**
   * Paths into the payload as it will be sent (defaults merged, templates rendered), 1 to 8, such
   * as `to` or `variables.customerId`. A job whose values there equal those of an earlier job of
   * the batch is left out and counted as a duplicate. Equal means equal JSON: `A` and `a` differ,
   * so do `1` and `"1"`; names in objects may be in any order; numbers are as JavaScript reads
   * them, so ids beyond 2^53 must be strings. A missing value, null and an empty string are all
   * "no value"; a job without a value at any of the paths is never a duplicate.
   */
  readonly dedupeBy?: string | readonly string[];
}

export interface BatchCounts {
  readonly total: number;
  readonly waiting: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly unknown: number;
  readonly cancelled: number;
}

export interface Batch {
  readonly id: string;
  readonly tenantId: string;
  readonly type: string;
  /** `single`: made by the engine for single jobs that arrived together. */
  readonly origin: 'batch' | 'single';
  readonly name: string | null;
  readonly state: BatchState;
  readonly provider: string;
  /** Name of its connection; null for a default one. */
  readonly connection: string | null;
  readonly connectionId: string;
  /** The sandbox takes its jobs. */
  readonly dryRun: boolean;
  readonly priority: number;
  readonly counts: BatchCounts;
  /** The paths by which duplicates are left out; null if they are taken. */
  readonly dedupeBy: readonly string[] | null;
  /** Jobs that were left out as duplicates of earlier ones; in no other count. */
  readonly duplicates: number;
  /** Rows that uploads with `onInvalid: 'skip'` left out; in no other count. */
  readonly rejected: number;
  /** Why nothing moves although the batch is running: its connection is blocked. */
  readonly blocked: { readonly code: string; readonly message: string | null; readonly since: Date } | null;
  readonly plugin: { readonly name: string; readonly version: string };
  readonly scheduledAt: Date | null;
  readonly createdAt: Date;
  readonly sealedAt: Date | null;
  readonly completedAt: Date | null;
}

/** A job with its state, as lists show it. */
export interface JobSummary {
  readonly id: string;
  readonly batchId: string;
  readonly seq: number;
  readonly state: JobState;
  /** Attempts made or under way. */
  readonly attempts: number;
  /** The provider's id, where it gave one. */
  readonly ref: string | null;
  /** Code and message of the latest outcome or retry. */
  readonly code: string | null;
  readonly message: string | null;
  readonly possibleDuplicate: boolean;
  /** The receipt that counts, by precedence; null if the provider reported none. */
  readonly delivery: string | null;
  /** Time of the latest event; null if there is none yet. */
  readonly at: Date | null;
}

export interface JobEventView {
  readonly kind: string;
  readonly attempt: number;
  readonly at: Date;
  readonly data: JsonObject | null;
}

/** One job with its payload and its whole timeline. */
export interface JobDetail extends JobSummary {
  readonly type: string;
  /** As submitted, without the batch's defaults. */
  readonly payload: JobPayload;
  readonly events: readonly JobEventView[];
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface PageOptions {
  /** 1 to 1,000, default 100. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** A client that is inside a transaction of the caller: `pg`'s `Client` or `PoolClient`. */
export interface TransactionClient {
  // biome-ignore lint/suspicious/noExplicitAny: pg's own signature
  query(config: any, values?: any): Promise<any>;
}

export interface Tenant {
  /** Default `default`. */
  readonly tenantId?: string;
}

/** The engine: takes batches, delivers them, and knows every job's fate. */
export interface Engine extends IsolatedEngine, ReceivingEngine {
  readonly registry: Registry;
  /** Brings the database schema up to date; safe when many call it at once. `start` and the others call it too. */
  migrate(): Promise<void>;
  /** Starts dispatcher, runner and reconciler. */
  start(): Promise<void>;
  /** Stops taking chunks, lets calls in flight end for at most `graceMs` (default 25,000), flushes, and closes the pools. */
  stop(options?: { graceMs?: number }): Promise<void>;
  /**
   * Throws if the database does not answer. `runner` is true while the heartbeat is fresh;
   * `transport` is false while a transport between processes carries nothing.
   */
  ready(): Promise<{ readonly database: true; readonly runner: boolean; readonly transport: boolean }>;
  /** What waits, of all tenants, as it was at most five seconds ago. */
  backlog(): Promise<Backlog>;
  /** What this process does now. */
  activity(): Activity;

  /** Stores a batch: all of its jobs or none. With `client` it joins the caller's transaction. */
  submit(
    batch: BatchInput,
    options?: Tenant & { client?: TransactionClient; idempotency?: IdempotencyClaim },
  ): Promise<Batch & Suppressed<number>>;
  /** Stores one job; those that arrive together share a transaction and a batch. */
  submitJob(
    job: Omit<BatchInput, 'jobs' | 'defaults' | 'name' | 'sealed' | 'dedupeBy'> & { payload: JobPayload },
    options?: Tenant & { idempotency?: IdempotencyClaim },
  ): Promise<{ jobId: string; batchId: string } & Suppressed<true>>;
  /** Looks at a job without storing it. @throws BatchSenderError `unknown_type`; for bad defaults as `submit` does. */
  preview(job: { type: string; payload: JobPayload; defaults?: JobPayload }): JobPreview;
  /** Begins an upload. @throws BatchSenderError `batch_not_open`, `upload_in_progress`. */
  upload(batchId: string, options?: Tenant & { onInvalid?: OnInvalid }): Promise<Upload>;
  /**
   * Begins an upload that makes its batch: the commit stores the batch with all of the rows, and
   * sealed unless `sealed` is false. Until then, and after an abort, nobody sees it. `jobs` is not
   * taken; an idempotency key at the commit refers to the batch.
   */
  uploadBatch(batch: Omit<BatchInput, 'jobs'>, options?: Tenant & { onInvalid?: OnInvalid }): Promise<Upload>;
  seal(batchId: string, options?: Tenant): Promise<Batch>;
  pause(batchId: string, options?: Tenant): Promise<Batch>;
  resume(batchId: string, options?: Tenant): Promise<Batch>;
  cancel(batchId: string, options?: Tenant): Promise<Batch>;
  /** Reopens the settled jobs in these states. */
  retry(
    batchId: string,
    states: readonly ('failed' | 'unknown' | 'cancelled')[],
    options?: Tenant,
  ): Promise<Batch>;
  getBatch(batchId: string, options?: Tenant): Promise<Batch>;
  listBatches(
    filter?: Tenant & PageOptions & { type?: string; state?: BatchState; includeSingle?: boolean },
  ): Promise<Page<Batch>>;
  listJobs(batchId: string, filter?: Tenant & PageOptions & { state?: JobState }): Promise<Page<JobSummary>>;
  /** What became of the batch's jobs, to be exported. @throws BatchSenderError `batch_not_found`. */
  results(batchId: string, options?: Tenant & ResultFilter): Promise<BatchResults>;
  getJob(jobId: string, options?: Tenant): Promise<JobDetail>;
  /** Settles a job whose outcome is `unknown`. */
  resolveJob(
    jobId: string,
    outcome: 'succeeded' | 'failed',
    options?: Tenant & { note?: string },
  ): Promise<JobDetail>;
  /** Endpoints that fail now, at most 1,000, those that have done so for longest first. */
  listEndpoints(options?: Tenant): Promise<readonly FailingEndpoint[]>;
  /** Named, encrypted credentials. */
  readonly connections: Connections;
  /** A small store for a host's `Idempotency-Key` header. */
  readonly idempotency: IdempotencyStore;
  /** A host's own settings, such as a hash of its API key: small JSON values by name. */
  readonly settings: Settings;
}

/** Small JSON values by name. */
export interface Settings {
  /** Undefined if it was never set. */
  get(name: string): Promise<unknown>;
  /** Sets it if it was never set; answers the value that holds. */
  setOnce(name: string, value: unknown): Promise<unknown>;
}

/**
 * An idempotency key that was reserved: it is marked as used in the transaction that stores the work (E13),
 * which fails with `idempotency_key_lost` if the reservation is gone.
 */
export interface IdempotencyClaim {
  readonly key: string;
  /** A hash of the request: a repeat must have the same. */
  readonly bodyHash: string;
}

/** Keeps the answers of requests by their idempotency key, for 24 hours. */
export interface IdempotencyStore {
  /**
   * Reserves the key. `reserved`: go on, `keep` it each few seconds, then `complete` or `release`. `busy`: another
   * request holds it, ask again. `done`: the work is stored; compare the hash of the body. Its answer is
   * missing (`status` null) if the process died before it was kept: then `ref` says what was
   * stored (a batch's id, a job's id, the {@link UploadAnswer} of an upload as JSON).
   */
  reserve(
    tenantId: string,
    key: string,
  ): Promise<
    | { readonly state: 'reserved' }
    | { readonly state: 'busy' }
    | {
        readonly state: 'done';
        readonly bodyHash: string;
        readonly status: number | null;
        readonly body: unknown;
        readonly ref: string | null;
      }
  >;
  /** A reservation without a sign of life is free again after 30 seconds: its process is gone. */
  keep(tenantId: string, key: string): Promise<void>;
  complete(
    tenantId: string,
    key: string,
    answer: { bodyHash: string; status: number; body: unknown },
  ): Promise<void>;
  release(tenantId: string, key: string): Promise<void>;
}

export interface EngineOptions extends IsolationOptions {
  /** A connection string for Postgres 15 to 18, with a session of its own (no transaction pooler). */
  readonly database: string;
  readonly plugins: readonly Plugin[];
  /** Postgres schema of the engine's tables. Default `batchsender`. */
  readonly schema?: string;
  readonly logger?: Logger;
  /** Credentials of a provider's default connection. Default: `{}` for every provider. */
  readonly credentials?: (type: string, provider: string) => JsonObject | undefined;
  /**
   * Encrypt the credentials of stored connections; the same in all processes on a database. Without them
   * none can be stored, and those that are stored cannot be used here.
   */
  readonly secretKeys?: SecretKeys;
  /** CIDR ranges that outgoing calls may reach although they are not public. */
  readonly allowNetworks?: readonly string[];
  /** Base URL that providers call back. */
  readonly publicUrl?: string;
  readonly retry?: RetryPolicy;
  /**
   * Carries references to due chunks from the dispatcher to the runners, in this process or in others. The engine
   * closes it when it stops. Default: within this process, and every process dispatches for itself.
   */
  readonly transport?: Transport;
  /** Connections of the engine's own work (default 4) and of `submit`, reads and steering (default 8). */
  readonly pools?: { readonly engine?: number; readonly api?: number };
  /** Is told what happens, for metrics. Traces need none: they go to the OpenTelemetry SDK, if there is one. */
  readonly observer?: EngineObserver;
  /** Engine internals that tests and benchmarks turn. */
  readonly tuning?: Partial<Tuning>;
}
