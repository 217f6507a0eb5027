import type { ChunkLease } from '../../engine/store.ts';

export interface ChunkRow {
  id: number;
  batch_id: string;
  epoch: number;
  flush_no: number;
  attempt: number;
  spent: number;
  deaths: number;
  interrupted: boolean;
  uncertain: boolean;
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
  age_ms: number;
  first_lease_age_ms: number;
}

/** What a lease answers about its chunk, of a table aliased `c`. */
export const LEASE_COLUMNS = `c.id, c.batch_id, c.epoch, c.flush_no, c.attempt, c.spent, c.deaths, c.interrupted,
  c.uncertain, c.first_seq, c.end_seq, c.seqs, c.size,
  c.succeeded, c.failed, c.unknown, c.cancelled, c.retried, c.postponed,
  (extract(epoch FROM now() - c.first_due_at) * 1000)::float8 AS age_ms,
  (extract(epoch FROM now() - c.first_leased_at) * 1000)::float8 AS first_lease_age_ms`;

export function toLease(row: ChunkRow): ChunkLease {
  const { succeeded, failed, unknown, cancelled, retried, postponed } = row;
  return {
    chunkId: row.id,
    batchId: row.batch_id,
    epoch: row.epoch,
    flushNo: row.flush_no,
    attempt: row.attempt,
    spent: row.spent,
    deaths: row.deaths,
    interrupted: row.interrupted,
    uncertain: row.uncertain,
    jobs: row.seqs === null ? { first: row.first_seq ?? 0, end: row.end_seq ?? 0 } : { seqs: row.seqs },
    size: row.size,
    tallies: { succeeded, failed, unknown, cancelled, retried, postponed },
    ageMs: row.age_ms,
    firstLeaseAgeMs: row.first_lease_age_ms,
  };
}
