import type { Pool } from 'pg';

/** Keys that are dropped in one statement. */
const PIECE = 10_000;

/**
 * Drops keys of one batch that takes no more jobs. Batches with keys are few (open ones, and what
 * was sealed lately), so they are found by jumping from one to the next in the primary key.
 */
export function dropKeysStatement(pool: Pool, s: string) {
  const text = `
WITH RECURSIVE keyed AS (
  (SELECT batch_id FROM ${s}.job_keys ORDER BY batch_id LIMIT 1)
  UNION ALL
  SELECT (SELECT k.batch_id FROM ${s}.job_keys AS k WHERE k.batch_id > keyed.batch_id ORDER BY k.batch_id LIMIT 1)
  FROM keyed WHERE keyed.batch_id IS NOT NULL
), closed AS MATERIALIZED (
  SELECT b.id FROM keyed JOIN ${s}.batches AS b ON b.id = keyed.batch_id WHERE b.state <> 'open' LIMIT 1
)
DELETE FROM ${s}.job_keys WHERE ctid = ANY (ARRAY(
  SELECT k.ctid FROM closed JOIN ${s}.job_keys AS k ON k.batch_id = closed.id LIMIT ${PIECE} FOR UPDATE OF k SKIP LOCKED))`;
  return async (): Promise<number> => (await pool.query(text)).rowCount ?? 0;
}
