import type { SuppressionReason } from './suppressions.ts';

/** Who is suppressed in which tenant and type; the recipient is known by its keyed hash only. */
export interface SuppressionRow {
  readonly tenantId: string;
  readonly type: string;
  /** 32 hexadecimal digits. */
  readonly hash: string;
  readonly reason: SuppressionReason;
  /** `api`, or the id of the connection that reported it. */
  readonly source: string;
}

/** What callbacks change in the suppression lists. */
export interface SuppressionChanges {
  readonly add: readonly SuppressionRow[];
  /** Taken away where the reason is the same. */
  readonly lift: readonly Omit<SuppressionRow, 'source'>[];
}

/** A suppression as it is kept. */
export interface StoredSuppression {
  readonly id: number;
  readonly type: string;
  readonly hash: string;
  readonly reason: SuppressionReason;
  readonly source: string;
  readonly at: Date;
}

/** What is asked before calls and at intake. */
export interface SuppressionLookup {
  /** True if the tenant has any suppression of this type. */
  any(tenantId: string, type: string): Promise<boolean>;
  /** Those of the hashes that are suppressed, with each of their reasons. */
  find(
    tenantId: string,
    type: string,
    hashes: readonly string[],
  ): Promise<readonly { readonly hash: string; readonly reason: SuppressionReason }[]>;
}

export interface SuppressionStore extends SuppressionLookup {
  /** Answers how many were new. */
  add(rows: readonly SuppressionRow[]): Promise<number>;
  /** Takes away all reasons, or one. Answers how many recipients were freed of something. */
  remove(
    tenantId: string,
    type: string,
    hashes: readonly string[],
    reason: SuppressionReason | null,
  ): Promise<number>;
  list(
    tenantId: string,
    filter: { type?: string; reason?: SuppressionReason; limit: number; before?: number },
  ): Promise<readonly StoredSuppression[]>;
  counts(tenantId: string): Promise<readonly { type: string; reason: SuppressionReason; count: number }[]>;
}
