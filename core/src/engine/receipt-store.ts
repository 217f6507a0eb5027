import type { SuppressionChanges } from './suppression-store.ts';

/** A receipt that is to be recorded. */
export interface ReceiptRow {
  /** Of connection and event id: 32 hexadecimal digits. */
  readonly hash: string;
  readonly connectionId: string;
  readonly batchId: string;
  readonly seq: number;
  readonly kind: string;
  /** JSON text, or null. */
  readonly data: string | null;
  /** Only a job that was sent can have it: it settles an `unknown` (E12). */
  readonly proves: boolean;
}

/**
 * What became of a receipt. `foreign`: the connection has no such job. `full`: the job has so many receipts
 * that another one of the same kind says nothing new.
 */
export type ReceiptFate = 'recorded' | 'duplicate' | 'foreign' | 'full';

export interface RecordedReceipt {
  readonly fate: ReceiptFate;
  /** Owner of the job; undefined of a foreign one. */
  readonly tenantId: string | undefined;
}

export interface ReceiptStore {
  /**
   * Records receipts in one transaction, with what `changes` makes of it for the suppression list. The
   * rows' hashes must differ. Answers what became of each, in order.
   */
  record(
    rows: readonly ReceiptRow[],
    changes: (recorded: readonly RecordedReceipt[]) => SuppressionChanges,
  ): Promise<readonly RecordedReceipt[]>;
}
