import type { Suppression } from '../plugin/index.ts';
import type { Page, PageOptions, Tenant } from './api.ts';

/** Why nothing is sent to a recipient; `manual`: it was added by a person or the API without another reason. */
export type SuppressionReason = Suppression['reason'] | 'manual';

/** An entry of the list. The address itself is not kept, so it cannot be shown. */
export interface SuppressionEntry {
  /** The keyed hash of the recipient: the same one has the same id within its tenant and type. */
  readonly recipientId: string;
  readonly type: string;
  readonly reason: SuppressionReason;
  /** `api`, or the id of the connection whose provider reported it. */
  readonly source: string;
  readonly at: Date;
}

/** What is known of a recipient that was asked for. */
export interface SuppressionCheckResult {
  /** As it was given. */
  readonly recipient: string;
  readonly recipientId: string;
  readonly suppressed: boolean;
  readonly reasons: readonly SuppressionReason[];
}

/**
 * Recipients to whom a tenant sends no jobs of a type. They are given as the module's `recipients` gives
 * them; where the module has `normalizeRecipient`, any usual spelling will do. Only a keyed hash is kept.
 *
 * All throw BatchSenderError `unknown_type`, and InvalidInputError `invalid_recipient` for a text that is
 * no recipient of this type, or a type whose module names no recipients.
 */
export interface Suppressions {
  /** At most 1,000 at once. Answers how many were not suppressed for this reason yet. */
  add(
    input: { type: string; recipients: readonly string[]; reason?: SuppressionReason },
    options?: Tenant,
  ): Promise<{ added: number }>;
  /** Takes them off the list: for one reason, or for all of them. Answers how many were on it. */
  remove(
    input: { type: string; recipients: readonly string[]; reason?: SuppressionReason },
    options?: Tenant,
  ): Promise<{ removed: number }>;
  /** In the order of the input. */
  check(
    input: { type: string; recipients: readonly string[] },
    options?: Tenant,
  ): Promise<readonly SuppressionCheckResult[]>;
  /** The newest first. */
  list(
    filter?: Tenant & PageOptions & { type?: string; reason?: SuppressionReason },
  ): Promise<Page<SuppressionEntry>>;
  /** Entries by type and reason. */
  counts(options?: Tenant): Promise<readonly { type: string; reason: SuppressionReason; count: number }[]>;
}

/**
 * What intake knows of suppressed recipients: the number of jobs that have one, or that the job has; absent if
 * there is none. The job is taken all the same: what counts is the list at the time of the call.
 */
export interface Suppressed<T> {
  readonly suppressed?: T;
}
