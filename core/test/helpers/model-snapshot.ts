import type pg from 'pg';

export interface SnapshotBatch {
  readonly id: string;
  readonly state: string;
  readonly provider: string;
  readonly total: number;
  readonly open_chunks: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly unknown: number;
  readonly cancelled: number;
  readonly completed_at: Date | null;
}

export interface SnapshotChunk {
  readonly id: number;
  readonly batch_id: string;
  readonly state: string;
  readonly attempt: number;
  /** The positions of its jobs. */
  readonly seqs: readonly number[];
  readonly size: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly unknown: number;
  readonly cancelled: number;
  readonly retried: number;
  readonly postponed: number;
}

export interface SnapshotEvent {
  readonly id: number;
  readonly batch_id: string;
  readonly seq: number;
  readonly attempt: number;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>> | null;
}

/** The tables at one moment. */
export interface Snapshot {
  readonly batches: readonly SnapshotBatch[];
  /** Those that are not closed. */
  readonly chunks: readonly SnapshotChunk[];
  /** In the order of their ids. */
  readonly events: readonly SnapshotEvent[];
  /** Batches with retry sweeps, once for each. */
  readonly retrySweeps: readonly string[];
}

const CHUNKS = `SELECT id::int, batch_id, state, attempt, size, succeeded, failed, unknown, cancelled, retried, postponed,
  coalesce(seqs, ARRAY(SELECT generate_series(first_seq, end_seq - 1))) AS seqs
FROM batchsender.chunks WHERE state <> 'closed' ORDER BY id`;

/** Reads everything in one transaction that sees one moment. */
export async function readSnapshot(pool: pg.Pool): Promise<Snapshot> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const batches = await client.query<SnapshotBatch>('SELECT * FROM batchsender.batches ORDER BY id');
    const chunks = await client.query<SnapshotChunk>(CHUNKS);
    const events = await client.query<SnapshotEvent>(
      'SELECT id::float8, batch_id, seq, attempt, kind, data FROM batchsender.job_events ORDER BY id',
    );
    const sweeps = await client.query<{ batch_id: string }>(
      `SELECT batch_id FROM batchsender.sweeps WHERE kind = 'retry'`,
    );
    await client.query('COMMIT');
    return {
      batches: batches.rows,
      chunks: chunks.rows,
      events: events.rows,
      retrySweeps: sweeps.rows.map((row) => row.batch_id),
    };
  } finally {
    client.release();
  }
}

/** Groups rows by a key, in their order. */
export function groupBy<T, K>(rows: readonly T[], keyOf: (row: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}
