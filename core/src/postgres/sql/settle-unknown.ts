import { OUTCOME_KINDS } from './outcomes.ts';

/**
 * E12: the tail of a statement that settles as succeeded what is `unknown` in batch $1. `proven` names an
 * earlier part of the statement with the rows (seq, attempt, data): what was found out about which attempt.
 * The caller holds the batch row. Jobs that are not `unknown` any more, or in another attempt, stay as they are.
 *
 * @param after a condition that makes the statement write something else first.
 */
export const settleUnknown = (s: string, proven: string, after = 'true'): string => `
last AS (
  SELECT DISTINCT ON (e.seq) e.seq, e.kind, e.attempt
  FROM ${s}.job_event_rows AS e JOIN (SELECT DISTINCT seq FROM ${proven}) AS p ON p.seq = e.seq
  WHERE e.batch_id = $1 AND e.kind IN ${OUTCOME_KINDS}
  ORDER BY e.seq, e.id DESC
), settled AS (
  INSERT INTO ${s}.job_event_rows (batch_id, seq, attempt, kind, data)
  SELECT DISTINCT ON (p.seq) $1, p.seq, p.attempt, 'resolved', p.data
  FROM last JOIN ${proven} AS p ON p.seq = last.seq AND p.attempt = last.attempt
  WHERE last.kind = 'unknown' AND ${after}
  RETURNING 1
)
UPDATE ${s}.batches SET unknown = unknown - n, succeeded = succeeded + n, changed_at = now()
FROM (SELECT count(*)::int AS n FROM settled) AS counted WHERE id = $1 AND n > 0`;
