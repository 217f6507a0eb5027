import type { ClientBase } from 'pg';
import { OUTCOME_KINDS, stateOf } from './outcomes.ts';

/** Settled jobs that one step looks at. */
const STEP = 2_000;

export interface RetrySweep {
  readonly id: number;
  readonly batch_id: string;
  readonly states: string[];
  readonly next_seq: number;
  readonly upto_event: number;
}

/**
 * Reopens a piece of a batch's settled jobs (E5): writes `reopened` and makes chunks with a
 * higher attempt. The caller holds the batch row. Answers false when the sweep has ended.
 */
export async function retryStep(client: ClientBase, s: string, sweep: RetrySweep): Promise<boolean> {
  const { rows } = await client.query<{ next_seq: number | null }>({
    name: 'bs_retry_step',
    text: retryText(s),
    values: [sweep.batch_id, sweep.states, sweep.next_seq, sweep.upto_event],
  });
  const next = rows[0]?.next_seq ?? null;
  if (next === null) {
    await client.query(`DELETE FROM ${s}.sweeps WHERE id = $1`, [sweep.id]);
    await client.query(
      `UPDATE ${s}.batches SET open_chunks = open_chunks - 1, changed_at = now(),
         state = CASE WHEN open_chunks > 1 THEN state ELSE 'completed' END,
         completed_at = CASE WHEN open_chunks > 1 THEN completed_at ELSE now() END
       WHERE id = $1`,
      [sweep.batch_id],
    );
    return false;
  }
  await client.query(`UPDATE ${s}.sweeps SET next_seq = $2 WHERE id = $1`, [sweep.id, next + 1]);
  return true;
}

function retryText(s: string): string {
  return `
WITH b AS (SELECT * FROM ${s}.batches WHERE id = $1),
candidates AS (
  SELECT DISTINCT seq FROM ${s}.job_event_rows
  WHERE batch_id = $1 AND kind IN ('failed', 'unknown', 'cancelled', 'resolved')
    AND (kind = ANY($2::text[]) OR kind = 'resolved') AND seq >= $3
  ORDER BY seq LIMIT ${STEP}
), last AS (
  SELECT DISTINCT ON (e.seq) e.seq, e.id, ${stateOf('e')} AS state, max(e.attempt) OVER (PARTITION BY e.seq) AS attempt,
    e.kind = 'unknown' OR coalesce(e.data->>'possibleDuplicate' = 'true' OR e.data->>'uncertain' = 'true', false) AS doubtful
  FROM candidates AS k JOIN ${s}.job_event_rows AS e ON e.batch_id = $1 AND e.seq = k.seq
  WHERE e.kind IN ${OUTCOME_KINDS}
  ORDER BY e.seq, e.id DESC
), chosen AS (
  SELECT last.seq, last.state, last.doubtful, max(last.attempt) OVER () + 1 AS attempt,
    (row_number() OVER (ORDER BY last.seq) - 1) / b.chunk_size AS part
  FROM last, b WHERE last.state = ANY($2::text[]) AND last.id <= $4
), reopened AS (
  INSERT INTO ${s}.job_event_rows (batch_id, seq, attempt, kind, data)
  SELECT $1, seq, attempt, 'reopened', json_build_object('from', state) FROM chosen
), made AS (
  INSERT INTO ${s}.chunks (batch_id, connection_id, state, due_at, first_due_at, attempt, uncertain, seqs, size)
  SELECT $1, b.connection_id, 'ready', now(), now(), min(chosen.attempt), chosen.doubtful,
    array_agg(seq ORDER BY seq)::int[], count(*)::int
  FROM chosen, b GROUP BY part, b.connection_id, chosen.doubtful
  RETURNING 1
), counted AS (
  SELECT count(*) FILTER (WHERE state = 'failed')::int AS failed, count(*) FILTER (WHERE state = 'unknown')::int AS unknown,
    count(*) FILTER (WHERE state = 'cancelled')::int AS cancelled FROM chosen
), moved AS (
  UPDATE ${s}.batches AS t SET failed = t.failed - n.failed, unknown = t.unknown - n.unknown, cancelled = t.cancelled - n.cancelled,
    open_chunks = t.open_chunks + (SELECT count(*)::int FROM made), changed_at = now()
  FROM counted AS n WHERE t.id = $1
)
SELECT max(seq) AS next_seq FROM candidates`;
}
