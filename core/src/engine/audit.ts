import type { JsonObject } from '../plugin/index.ts';
import type { Page, PageOptions, Tenant } from './api.ts';

/** What is written to the audit log. It must hold no personal data and no secrets. */
export interface AuditInput {
  /** `noun.verb`, for example `batch.cancelled`. */
  readonly action: string;
  /** Who did it: `api-key`, or `provider` for what came in by a callback. */
  readonly actor: string;
  /** Id of what it was done to. */
  readonly target?: string;
  readonly data?: JsonObject;
}

/** An entry of the audit log. Entries are never changed, but for the count of one that repeats. */
export interface AuditEntry {
  readonly id: number;
  readonly at: Date;
  readonly action: string;
  readonly actor: string;
  readonly target: string | null;
  /** How often it happened; above 1 only for refused callbacks, which share an entry a minute. */
  readonly count: number;
  readonly data: JsonObject | null;
}

/** Who did what, by tenant. */
export interface AuditLog {
  record(entry: AuditInput, options?: Tenant): Promise<void>;
  /** The newest first. */
  list(filter?: Tenant & PageOptions & { action?: string }): Promise<Page<AuditEntry>>;
}

/** How the engine keeps the log. */
export interface AuditStore {
  /** Answers the entry's id. */
  record(tenantId: string, entry: AuditInput, count: number): Promise<number>;
  /** It happened so many times more. */
  addCount(id: number, more: number): Promise<void>;
  list(
    tenantId: string,
    filter: { action?: string; limit: number; before?: number },
  ): Promise<readonly AuditEntry[]>;
}
