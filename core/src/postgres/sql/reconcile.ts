import type { Pool } from 'pg';
import { transaction } from '../transaction.ts';
import { jobLog } from './job-log.ts';
import { ATTEMPT_KINDS, MEMBERS, OUTCOME_KINDS, stateOf } from './outcomes.ts';

const SETTLED = ['succeeded', 'failed', 'unknown', 'cancelled'] as const;

/**
 * Proves E2 from the log for sealed batches that changed since they were last checked, and
 * repairs what is wrong: counters that differ from the log, and jobs that have no outcome and
 * are in no open chunk. A proof is one statement, so it sees one moment; a batch that seems
 * wrong is looked at again under its lock before anything is repaired.
 */
export function reconcileStatement(pool: Pool, s: string) {
  const due = `
SELECT id FROM ${s}.batches WHERE (checked_at IS NULL OR checked_at < changed_at) AND state <> 'open'
  AND (state IN ('completed', 'cancelled') OR coalesce(checked_at, created_at) < now() - interval '5 minutes')
ORDER BY changed_at LIMIT $1`;
  const proof = proofText(s);
  return async (limit: number): Promise<number> => {
    const { rows } = await pool.query<{ id: string }>(due, [limit]);
    let repairs = 0;
    for (const { id } of rows) {
      const { rows: found } = await pool.query<Proof>(proof, [id]);
      if (found[0]?.sound === true)
        await pool.query(`UPDATE ${s}.batches SET checked_at = $2 WHERE id = $1`, [id, found[0].at]);
      else repairs += await repair(id);
    }
    return repairs;
  };

  function repair(batchId: string): Promise<number> {
    return transaction(pool, async (client) => {
      // Chunks before the batch: the lock order of the engine.
      await client.query(
        `SELECT 1 FROM ${s}.chunks WHERE batch_id = $1 AND state <> 'closed' ORDER BY id FOR UPDATE`,
        [batchId],
      );
      await client.query(`SELECT 1 FROM ${s}.batches WHERE id = $1 FOR UPDATE`, [batchId]);
      const { rows } = await client.query<Proof>(proof, [batchId]);
      const wrong = rows[0];
      if (wrong === undefined || wrong.sound) return 0;
      await client.query(separateText(s), [batchId]);
      const made = await client.query(requeueText(s), [batchId]);
      const sets = SETTLED.map((state) => `${state} = b.${state} + $${SETTLED.indexOf(state) + 3}`).join(
        ', ',
      );
      await client.query(
        `UPDATE ${s}.batches AS b SET ${sets}, changed_at = now(),
           open_chunks = n.open, state = CASE WHEN n.open = 0 AND b.state IN ('running', 'paused') THEN 'completed'
             WHEN n.open = 0 AND b.state = 'cancelling' THEN 'cancelled'
             WHEN n.open > 0 AND b.state = 'completed' THEN 'running'
             WHEN n.open > 0 AND b.state = 'cancelled' THEN 'cancelling' ELSE b.state END,
           completed_at = CASE WHEN n.open = 0 THEN coalesce(b.completed_at, now()) END
         FROM (SELECT $2::int + (SELECT count(*)::int FROM ${s}.chunks WHERE batch_id = $1 AND state <> 'closed') AS open) AS n
         WHERE b.id = $1`,
        [batchId, wrong.retry_sweeps, ...SETTLED.map((state) => wrong[`${state}_off`])],
      );
      // What was found again in a cancelled batch is cancelled, not sent.
      await client.query(
        `INSERT INTO ${s}.sweeps (batch_id, kind) SELECT id, 'cancel' FROM ${s}.batches WHERE id = $1 AND state = 'cancelling'
           AND NOT EXISTS (SELECT 1 FROM ${s}.sweeps WHERE batch_id = $1 AND kind = 'cancel')`,
        [batchId],
      );
      return Math.max(1, made.rowCount ?? 0);
    });
  }
}

interface Proof {
  sound: boolean;
  at: Date;
  retry_sweeps: number;
  succeeded_off: number;
  failed_off: number;
  unknown_off: number;
  cancelled_off: number;
}

/** The latest outcome of each settled job of batch $1. */
const settled = (s: string): string => `
SELECT DISTINCT ON (e.seq) e.seq, ${stateOf('e')} AS state FROM ${s}.job_event_rows AS e
WHERE e.batch_id = $1 AND e.kind IN ${OUTCOME_KINDS} ORDER BY e.seq, e.id DESC`;

/** Open chunks and the jobs that they hold: those whose attempt has no outcome in the log. */
const held = (s: string): string => `
SELECT m.seq, c.id, c.state FROM ${s}.chunks AS c JOIN ${MEMBERS} ON true
WHERE c.batch_id = $1 AND c.state <> 'closed' AND NOT EXISTS (
  SELECT 1 FROM ${s}.job_event_rows AS e WHERE e.batch_id = $1 AND e.seq = m.seq AND e.attempt = c.attempt
    AND e.kind IN ('succeeded', 'failed', 'unknown', 'cancelled'))`;

/** `x_off`: how much the counter of batch and open chunks is below the log. */
function proofText(s: string): string {
  const offs = SETTLED.map((state) => `(log.${state} - b.${state} - open.${state})::int AS ${state}_off`);
  return `
WITH settled AS (${settled(s)}),
held AS (${held(s)}),
b AS (SELECT * FROM ${s}.batches WHERE id = $1),
log AS (SELECT ${SETTLED.map((state) => `count(*) FILTER (WHERE state = '${state}') AS ${state}`).join(', ')},
  count(*) FILTER (WHERE state IS NOT NULL) AS settled FROM settled),
open AS (SELECT ${SETTLED.map((state) => `coalesce(sum(${state}), 0) AS ${state}`).join(', ')}, count(*) AS n
  FROM ${s}.chunks WHERE batch_id = $1 AND state <> 'closed'),
holds AS (SELECT count(*) AS n, count(DISTINCT seq) AS jobs FROM held
  WHERE NOT EXISTS (SELECT 1 FROM settled WHERE settled.seq = held.seq AND settled.state IS NOT NULL)),
sweeps AS (SELECT count(*)::int AS n FROM ${s}.sweeps WHERE batch_id = $1 AND kind = 'retry')
SELECT now() AS at, sweeps.n AS retry_sweeps, ${offs.join(', ')},
  (${SETTLED.map((state) => `log.${state} = b.${state} + open.${state}`).join(' AND ')}
   AND holds.n = holds.jobs AND holds.jobs = b.total - log.settled AND b.open_chunks = open.n + sweeps.n) AS sound
FROM b, log, open, holds, sweeps`;
}

/** Of the chunks that share a job those that nobody works on are closed; their jobs get another one. */
function separateText(s: string): string {
  const sums = SETTLED.map((state) => `${state} = b.${state} + n.${state}`).join(', ');
  return `
WITH held AS (${held(s)}),
closed AS (
  UPDATE ${s}.chunks AS k SET state = 'closed', epoch = k.epoch + 1 WHERE k.id IN (
    SELECT id FROM held WHERE state = 'ready' AND seq IN (SELECT seq FROM held GROUP BY seq HAVING count(*) > 1)
  ) RETURNING *
), n AS (SELECT ${SETTLED.map((state) => `coalesce(sum(${state}), 0) AS ${state}`).join(', ')} FROM closed)
UPDATE ${s}.batches AS b SET ${sums} FROM n WHERE b.id = $1`;
}

/**
 * Jobs without an outcome that no open chunk holds get a chunk; their calls may have been made.
 * An open fence stays open: its job goes on with the attempt that it is on. Nobody can have leased
 * them before the batch was sealed, so the time for which a provider remembers keys counts from there.
 */
function requeueText(s: string): string {
  return `
WITH settled AS (${settled(s)}),
held AS (${held(s)}),
lost AS (
  SELECT j.seq, l.attempt AS fenced, (row_number() OVER (PARTITION BY l.attempt ORDER BY j.seq) - 1) / b.chunk_size AS part
  FROM ${s}.batches AS b JOIN ${s}.jobs AS j ON j.batch_id = b.id AND j.seq < b.total
  LEFT JOIN LATERAL (
    SELECT e.attempt, e.kind FROM ${jobLog(s, 'b.id', 'j.seq')} AS e
    WHERE e.kind IN ${ATTEMPT_KINDS} ORDER BY e.id DESC LIMIT 1
  ) AS l ON l.kind = 'attempted'
  WHERE b.id = $1
    AND NOT EXISTS (SELECT 1 FROM settled WHERE settled.seq = j.seq AND settled.state IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM held WHERE held.seq = j.seq)
)
INSERT INTO ${s}.chunks (batch_id, connection_id, state, due_at, first_due_at, first_leased_at, attempt, epoch,
  interrupted, uncertain, seqs, size)
SELECT b.id, b.connection_id, 'ready', now(), now(), coalesce(b.sealed_at, now()),
  coalesce(lost.fenced, last.attempt + 1, 1),
  CASE WHEN lost.fenced IS NULL THEN 0 ELSE 1 END, lost.fenced IS NOT NULL, true,
  array_agg(lost.seq ORDER BY lost.seq)::int[], count(*)::int
FROM lost JOIN ${s}.batches AS b ON b.id = $1, (
  SELECT greatest((SELECT max(attempt) FROM ${s}.job_event_rows WHERE batch_id = $1),
    (SELECT max(attempt) FROM ${s}.job_fences WHERE batch_id = $1)) AS attempt
) AS last
GROUP BY lost.fenced, lost.part, b.id, b.connection_id, b.sealed_at, last.attempt`;
}
