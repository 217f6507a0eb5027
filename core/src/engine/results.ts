import type { Batch, JobState, JobSummary } from './api.ts';

/** A column of an export: a header, and where its values are. */
export interface ResultColumn {
  /** As uploaded. */
  readonly name: string;
  /** JSON pointer into the payload; empty for the whole payload. */
  readonly path: string;
}

/** A job with what became of it, as exports have it. */
export interface ResultRow extends JobSummary {
  /** Time of the outcome that holds; null while the job waits or runs. */
  readonly settledAt: Date | null;
  /** The receipt that counts, by precedence; null if the provider reported none. */
  readonly delivery: string | null;
  /** The payload as JSON text, as submitted, without the batch's defaults. */
  readonly payloadText: string;
}

/**
 * The results of a batch in the order of submission, in blocks, the next one being read while one
 * is used. No transaction is held: each job's state was true at some moment of the export. Jobs
 * that come into the batch after the start are not in it.
 */
export interface BatchResults extends AsyncIterable<readonly ResultRow[]> {
  readonly batch: Batch;
  /** The columns that were uploaded as CSV, or else the top-level fields of the type's schema. */
  readonly columns: readonly ResultColumn[];
}

/** Which jobs are exported. */
export interface ResultFilter {
  /** Only jobs in one of these states. Default: all. */
  readonly states?: readonly JobState[];
}
