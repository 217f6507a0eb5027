import type {
  Batch,
  BatchState,
  IdempotencyClaim,
  JobDetail,
  JobState,
  JobSummary,
  RetryPolicy,
  TransactionClient,
} from './api.ts';
import type { Receipts } from './decisions/delivery.ts';
import type { FailingEndpoint } from './endpoint.ts';
import type { Backlog } from './observer.ts';
import type { ResultColumn, ResultRow } from './results.ts';
import type { Tuning } from './tuning.ts';

/** A batch about to be stored. */
export interface NewBatch {
  readonly id: string;
  readonly tenantId: string;
  readonly type: string;
  readonly origin: 'batch' | 'single';
  readonly name: string | null;
  readonly provider: string;
  readonly connectionId: string;
  readonly priority: number;
  readonly defaults: Record<string, unknown> | null;
  readonly retry: RetryPolicy;
  readonly pluginName: string;
  readonly pluginVersion: string;
  readonly moduleVersion: number;
  readonly chunkSize: number;
  readonly scheduledAt: Date | null;
  readonly dedupeBy: readonly string[] | null;
  readonly dryRun: boolean;
  /** W3C's `traceparent` of what was active when it was submitted, or null. */
  readonly traceParent: string | null;
}

/** A chunk that was made under a lease, and the range of its jobs. */
export type LeasedRange = readonly [chunkId: number, first: number, end: number];

/** Payloads as JSON texts without a raw line break, one a job. */
export interface Slice {
  readonly firstSeq: number;
  readonly texts: readonly string[];
}

/** A slice of a batch that leaves duplicates out: with the key of each job, or null. */
export interface KeyedSlice extends Slice {
  readonly keys: readonly (string | null)[];
}

/** What an upload adds to its batch. */
export interface UploadTotals {
  readonly rows: number;
  readonly bytes: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly bodyHash?: string;
  /** Of a CSV: the batch keeps them for its exports. */
  readonly columns?: readonly ResultColumn[];
  /** Of the same tenant as the batch. */
  readonly claim?: Claim;
}

/** An idempotency key that is marked as used together with the work, and what `ref` says was stored. */
export interface Claim extends IdempotencyClaim {
  readonly ref: string;
}

/** What an upload needs to know of its batch. */
export interface OpenUpload {
  readonly uploadId: string;
  readonly firstSeq: number;
  readonly batch: {
    readonly type: string;
    readonly provider: string;
    readonly defaults: Record<string, unknown> | null;
    readonly dedupeBy: readonly string[] | null;
  };
}

export interface IntakeStore {
  /** Stores a whole batch, in the caller's transaction if a client is given. Answers the chunks that were leased to the runner. */
  insertBatch(
    batch: NewBatch,
    jobs: {
      readonly texts: readonly string[];
      /** The keys of the jobs, if later ones must be compared with them. */
      readonly keys?: readonly (string | null)[];
      /** Jobs that were left out. */
      readonly duplicates: number;
      readonly sealed: boolean;
      /** The runner that takes its chunks at once, or null. */
      readonly runnerId: string | null;
      readonly claims: readonly Claim[];
    },
    client?: TransactionClient,
  ): Promise<readonly LeasedRange[]>;
  /** An upload under which a batch is stored that does not exist yet. */
  beginSubmit(batchId: string): Promise<string>;
  /** @throws BatchSenderError */
  beginUpload(tenantId: string, batchId: string, ttlMs: number): Promise<OpenUpload>;
  /** @throws BatchSenderError `upload_lost` */
  writeSlice(uploadId: string, batchId: string, slice: Slice): Promise<void>;
  /** Stores the jobs whose key the batch does not have yet, without gaps. @throws BatchSenderError `upload_lost` */
  writeKeyedSlice(
    uploadId: string,
    batchId: string,
    slice: KeyedSlice,
  ): Promise<{ readonly stored: number; readonly bytes: number }>;
  touchUpload(uploadId: string): Promise<void>;
  commitUpload(uploadId: string, totals: UploadTotals): Promise<void>;
  commitSubmit(uploadId: string, batch: NewBatch, totals: UploadTotals & { sealed: boolean }): Promise<void>;
  abortUpload(uploadId: string): Promise<void>;
}

export interface SteerStore {
  seal(tenantId: string, batchId: string): Promise<void>;
  pause(tenantId: string, batchId: string): Promise<void>;
  resume(tenantId: string, batchId: string): Promise<void>;
  cancel(tenantId: string, batchId: string): Promise<void>;
  retry(tenantId: string, batchId: string, states: readonly string[]): Promise<void>;
  resolve(
    tenantId: string,
    batchId: string,
    seq: number,
    outcome: 'succeeded' | 'failed',
    note?: string,
  ): Promise<void>;
  unblock(tenantId: string, connectionId: string): Promise<void>;
}

/** Which results are read next. */
export interface ResultQuery {
  readonly batchId: string;
  /** Jobs of the batch when the export began. */
  readonly total: number;
  readonly states: readonly JobState[] | undefined;
  readonly receipts: Receipts;
  readonly after: number;
  /** Jobs to look at. */
  readonly limit: number;
}

/** Results in order; fewer than asked for, or none, where others are filtered out. */
export interface ResultBlock {
  readonly rows: readonly ResultRow[];
  /** What the next block begins behind; null at the end. */
  readonly next: number | null;
  /** The number of jobs that fitted, if not all did. */
  readonly cutAt: number | undefined;
}

/** The receipts of a job type. */
export type ReceiptsOf = (type: string) => Receipts;

export interface ReadStore {
  /** A batch that only the caller's transaction can see yet. */
  batchInside(client: TransactionClient, tenantId: string, batchId: string): Promise<Batch>;
  batch(tenantId: string, batchId: string): Promise<Batch | undefined>;
  batches(
    tenantId: string,
    filter: { type?: string; state?: BatchState; includeSingle: boolean; limit: number; before?: string },
  ): Promise<Batch[]>;
  jobs(
    tenantId: string,
    batchId: string,
    filter: { state?: JobState; limit: number; after: number },
    receiptsOf: ReceiptsOf,
  ): Promise<{ items: JobSummary[]; next: number | null }>;
  job(tenantId: string, batchId: string, seq: number, receiptsOf: ReceiptsOf): Promise<JobDetail | undefined>;
  results(query: ResultQuery): Promise<ResultBlock>;
  /** The columns that were uploaded as CSV; null if there are none. */
  columns(batchId: string): Promise<readonly ResultColumn[] | null>;
  endpoints(
    tenantId: string,
    times: Pick<Tuning, 'endpointDisableMs' | 'endpointProbeMs'>,
  ): Promise<readonly FailingEndpoint[]>;
  /** What waits, of all tenants. Runners count whose heartbeat is not older than `leaseMs`. */
  backlog(leaseMs: number): Promise<Backlog>;
}
