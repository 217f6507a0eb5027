import type { Pool } from 'pg';
import type { AttemptEvent, ChunkLease, EventKind } from '../../engine/store.ts';
import { intArray } from './array-literal.ts';
import { listLog, rangeLog } from './job-log.ts';
import { ATTEMPT_KINDS, PROVING_KINDS } from './outcomes.ts';

interface Row {
  seq: number;
  kind: EventKind;
  data: Record<string, unknown> | null;
  age_ms: number;
  fences: number;
  late: Record<string, unknown> | null;
}

/**
 * The last event of each job in the chunk's attempt, how many fences it has, and a success that
 * was reported under an earlier lease, or that a receipt proves (E12).
 */
export function loadAttemptStatement(pool: Pool, s: string) {
  const text = (log: string) => `
SELECT seq, (array_agg(kind ORDER BY id DESC) FILTER (WHERE kind IN ${ATTEMPT_KINDS}))[1] AS kind,
  (array_agg(data ORDER BY id DESC) FILTER (WHERE kind IN ${ATTEMPT_KINDS}))[1] AS data,
  (extract(epoch FROM now() - max(at) FILTER (WHERE kind IN ${ATTEMPT_KINDS})) * 1000)::float8 AS age_ms,
  (count(*) FILTER (WHERE kind = 'attempted'))::int AS fences,
  coalesce((array_agg(data ORDER BY id DESC) FILTER (WHERE kind = 'late' AND data->>'status' = 'succeeded'))[1],
    CASE WHEN bool_or(kind IN ${PROVING_KINDS}) THEN '{"status":"succeeded","by":"receipt"}'::json END) AS late
FROM ${log} AS e
WHERE attempt = $2
GROUP BY seq ORDER BY seq`;
  const byRange = text(rangeLog(s, '$1', '$3::int', '$4::int'));
  const byList = text(listLog(s, '$1', '$3::int[]'));
  return async (lease: ChunkLease): Promise<AttemptEvent[]> => {
    const { jobs, batchId, attempt } = lease;
    const query =
      jobs.seqs === undefined
        ? { name: 'bs_attempt_range', text: byRange, values: [batchId, attempt, jobs.first, jobs.end] }
        : { name: 'bs_attempt_list', text: byList, values: [batchId, attempt, intArray(jobs.seqs)] };
    const { rows } = await pool.query<Row>(query);
    return rows
      .filter((row) => row.kind !== null)
      .map((row) => ({
        seq: row.seq,
        kind: row.kind,
        data: row.data,
        ageMs: row.age_ms,
        fences: row.fences,
        late: row.late,
      }));
  };
}
