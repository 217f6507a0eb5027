import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { BatchState } from '../engine/api.ts';
import type { ResultColumn } from '../engine/results.ts';

export interface BatchesTable {
  id: string;
  tenant_id: string;
  type: string;
  origin: 'batch' | 'single';
  name: string | null;
  state: BatchState;
  provider: string;
  connection_id: string;
  priority: number;
  plugin_name: string;
  plugin_version: string;
  dedupe_by: string[] | null;
  duplicates: number;
  rejected: number;
  dry_run: boolean;
  total: number;
  open_chunks: number;
  succeeded: number;
  failed: number;
  unknown: number;
  cancelled: number;
  columns: ColumnType<readonly ResultColumn[] | null, string | null, string | null>;
  scheduled_at: Date | null;
  created_at: Generated<Date>;
  sealed_at: Date | null;
  completed_at: Date | null;
}

export interface JobsTable {
  batch_id: string;
  seq: number;
  payload: JSONColumnType<Record<string, unknown>>;
}

export interface ChunksTable {
  id: Generated<number>;
  batch_id: string;
  state: 'ready' | 'leased' | 'closed';
  attempt: number;
  first_seq: number | null;
  end_seq: number | null;
  seqs: number[] | null;
  size: number;
  succeeded: number;
  failed: number;
  unknown: number;
  cancelled: number;
  retried: number;
  postponed: number;
}

export interface ConnectionsTable {
  id: string;
  type: string;
  provider: string;
  name: string | null;
  blocked_code: string | null;
  blocked_message: string | null;
  blocked_at: Date | null;
}

export interface IdempotencyTable {
  tenant_id: string;
  key: string;
  body_hash: string | null;
  status: number | null;
  body: ColumnType<unknown, string | null, string | null>;
  ref: string | null;
  created_at: Generated<Date>;
}

export interface SettingsTable {
  name: string;
  value: ColumnType<unknown, string, string>;
}

/** The tables that are read and written through Kysely. */
export interface Database {
  batches: BatchesTable;
  jobs: JobsTable;
  chunks: ChunksTable;
  connections: ConnectionsTable;
  idempotency_keys: IdempotencyTable;
  settings: SettingsTable;
}
