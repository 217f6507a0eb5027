import type { ClientBase } from 'pg';
import type { SweepObservation } from '../../engine/observer.ts';
import { jobLog } from './job-log.ts';
import { ATTEMPT_KINDS, MEMBERS } from './outcomes.ts';

/**
 * Cancels what is left of one chunk that nobody holds (E17). What waits becomes `cancelled`;
 * a job whose fence is open becomes `unknown`: its call may have arrived. Answers undefined
 * if there is no such chunk now.
 */
export async function cancelChunk(
  client: ClientBase,
  s: string,
  batchId: string,
): Promise<SweepObservation | undefined> {
  const { rows } = await client.query<{ id: number }>(
    // A sweep that outlived its cancellation must not touch what was reopened since.
    `SELECT k.id FROM ${s}.chunks AS k JOIN ${s}.batches AS b ON b.id = k.batch_id AND b.state = 'cancelling'
     WHERE k.batch_id = $1 AND k.state = 'ready' ORDER BY k.id LIMIT 1 FOR UPDATE OF k SKIP LOCKED`,
    [batchId],
  );
  if (rows[0] === undefined) return undefined;
  // A statement of its own: it must see what the last lease flushed before the lock was ours (E6).
  const { rows: swept } = await client.query<SweepObservation>({
    name: 'bs_cancel_chunk',
    text: cancelText(s),
    values: [rows[0].id],
  });
  return swept[0];
}

function cancelText(s: string): string {
  return `
WITH c AS (SELECT * FROM ${s}.chunks WHERE id = $1),
last AS (
  SELECT DISTINCT ON (e.seq) e.seq, e.kind, coalesce(e.data->>'uncertain' = 'true', false) AS uncertain
  FROM c JOIN ${MEMBERS} ON true
  JOIN LATERAL ${jobLog(s, 'c.batch_id', 'm.seq')} AS e ON e.attempt = c.attempt AND e.kind IN ${ATTEMPT_KINDS}
  ORDER BY e.seq, e.id DESC
), verdict AS (
  SELECT m.seq, c.interrupted OR c.uncertain OR coalesce(l.uncertain, false) AS doubtful,
    CASE WHEN l.kind = 'attempted' THEN 'unknown' ELSE 'cancelled' END AS kind,
    c.attempt + CASE WHEN l.kind IN ('retried', 'postponed') THEN 1 ELSE 0 END AS attempt
  FROM c JOIN ${MEMBERS} ON true LEFT JOIN last AS l ON l.seq = m.seq
  WHERE l.kind IS NULL OR l.kind IN ('attempted', 'released', 'retried', 'postponed')
), written AS (
  INSERT INTO ${s}.job_event_rows (batch_id, seq, attempt, kind, data)
  SELECT c.batch_id, v.seq, v.attempt, v.kind,
    CASE WHEN v.kind = 'unknown' THEN '{"code":"cancelled_in_flight","message":"Cancelled while a call was undecided"}'::json
         WHEN v.doubtful THEN '{"code":"cancelled","uncertain":true}'::json END
  FROM c, verdict AS v
), counted AS (
  SELECT count(*) FILTER (WHERE kind = 'unknown')::int AS unknown, count(*) FILTER (WHERE kind = 'cancelled')::int AS cancelled
  FROM verdict
), closed AS (
  UPDATE ${s}.chunks AS k SET state = 'closed', epoch = k.epoch + 1,
    unknown = k.unknown + n.unknown, cancelled = k.cancelled + n.cancelled
  FROM counted AS n WHERE k.id = $1
  RETURNING k.*
)
UPDATE ${s}.batches AS b SET
  succeeded = b.succeeded + k.succeeded, failed = b.failed + k.failed,
  unknown = b.unknown + k.unknown, cancelled = b.cancelled + k.cancelled,
  open_chunks = b.open_chunks - 1, changed_at = now(),
  state = CASE WHEN b.open_chunks > 1 THEN b.state WHEN b.state = 'cancelling' THEN 'cancelled' ELSE 'completed' END,
  completed_at = CASE WHEN b.open_chunks > 1 THEN b.completed_at ELSE now() END
FROM closed AS k, counted AS n WHERE b.id = k.batch_id
RETURNING b.type, n.cancelled, n.unknown`;
}
