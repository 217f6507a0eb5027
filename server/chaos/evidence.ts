import type pg from 'pg';
import { readSnapshot, type Snapshot } from '../../core/test/helpers/model-snapshot.ts';
import type { Blow } from './faults.ts';
import type { LedgerLine } from './ledger.ts';
import type { Recovery } from './recovery.ts';
import type { Acknowledged } from './submit.ts';

/** When an attempt of a job was fenced and closed, in milliseconds since 1970; null where it was not. */
export interface AttemptTimes {
  readonly batch_id: string;
  readonly seq: number;
  readonly attempt: number;
  readonly fenced_ms: number | null;
  readonly closed_ms: number | null;
}

/** All that is known at the end of a run. */
export interface Evidence {
  readonly jobs: number;
  readonly snapshot: Snapshot;
  readonly times: readonly AttemptTimes[];
  /** Numbers of the jobs that are stored: each should be there once. */
  readonly stored: readonly number[];
  readonly ledger: readonly LedgerLine[];
  readonly blows: readonly Blow[];
  readonly recovery: Recovery;
  readonly acknowledged: readonly Acknowledged[];
  /** What went wrong on the way: requests that nobody answered, faults without a target. */
  readonly problems: readonly string[];
  /** Lines of the servers' logs that should not be there. */
  readonly alarms: readonly string[];
}

const TIMES = `SELECT batch_id, seq, attempt,
  (extract(epoch FROM min(at) FILTER (WHERE kind = 'attempted')) * 1000)::float8 AS fenced_ms,
  (extract(epoch FROM max(at) FILTER (WHERE kind IN
    ('succeeded', 'failed', 'unknown', 'cancelled', 'retried', 'postponed'))) * 1000)::float8 AS closed_ms
FROM batchsender.job_events GROUP BY batch_id, seq, attempt`;

/** Reads what the database knows. */
export async function readDatabase(pool: pg.Pool): Promise<Pick<Evidence, 'snapshot' | 'times' | 'stored'>> {
  const snapshot = await readSnapshot(pool);
  const times = await pool.query<AttemptTimes>(TIMES);
  const stored = await pool.query<{ n: number }>(
    `SELECT (j.payload->>'n')::int AS n FROM batchsender.jobs AS j
     JOIN batchsender.batches AS b ON b.id = j.batch_id AND j.seq < b.total`,
  );
  return { snapshot, times: times.rows, stored: stored.rows.map(({ n }) => n) };
}
