import type { JobPayload } from '../plugin/index.ts';
import type { Problem } from './errors.ts';
import type { ResultColumn } from './results.ts';

/** What an upload does with an invalid row: `fail`, the default, throws; `skip` leaves it out and goes on. */
export type OnInvalid = 'fail' | 'skip';

/** A running upload into an open batch. All of it counts or nothing. */
export interface Upload {
  readonly batchId: string;
  /** The batch's type and defaults: what its rows need not bring. */
  readonly type: string;
  readonly defaults: JobPayload | null;
  /**
   * Validates and stores rows. Resolves when the next rows may come.
   * @throws InvalidInputError at the first invalid row, unless they are skipped: then abort.
   */
  write(rows: readonly (UploadRow | RejectedRow)[]): Promise<void>;
  /**
   * Makes the rows real, also if all of them were left out. `columns` are those of a CSV: exports
   * show them in their order, the first upload's first, at most 1,000 a batch.
   * @throws BatchSenderError `empty_upload` if there were none, `upload_lost` if it was swept.
   */
  commit(options?: {
    bodyHash?: string;
    idempotencyKey?: string;
    columns?: readonly ResultColumn[];
  }): Promise<UploadAnswer>;
  /** Takes everything back. */
  abort(): Promise<void>;
}

/** What became of the rows of an upload: each is in one of the three counts. */
export interface UploadAnswer {
  readonly accepted: number;
  /** Invalid rows that were left out. */
  readonly rejected: number;
  /** Rows that were left out by the batch's `dedupeBy`. */
  readonly duplicates: number;
  /** What is wrong with the rejected rows, in order; the first 100 problems, long texts cut. */
  readonly errors: readonly Problem[];
  /**
   * Jobs that would not be sent as the suppression list stands now, duplicates included; absent if there are
   * none. They are among the accepted: what counts is the list at the time of the call.
   */
  readonly suppressed?: number;
}

export interface UploadRow {
  readonly payload: JobPayload;
  /** The row's JSON, if the caller has it: it saves a stringify. One line that parses to `payload`. */
  readonly text?: string;
  /** Where the row came from, from 1; problems name it instead of the row's index. */
  readonly line?: number;
}

/** A row that the caller could not read: invalid, in its place among the others. */
export interface RejectedRow {
  readonly problem: Omit<Problem, 'index' | 'line'>;
  readonly line?: number;
}
