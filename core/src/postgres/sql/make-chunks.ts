/** Payload bytes that a chunk should not exceed on average, so that a runner's memory stays flat. */
const CHUNK_BYTES = 8_000_000;

/** Jobs in a chunk of a batch aliased `b`: fewer where the payloads are large. */
export const EFFECTIVE_CHUNK_SIZE = `(CASE WHEN b.bytes > 0
    THEN greatest(1, least(b.chunk_size::bigint, ${CHUNK_BYTES}::bigint * b.total / b.bytes))::int ELSE b.chunk_size END)`;

/**
 * Makes the chunks of a batch's whole range, in one statement. $1 the batch, $2 whether the
 * caller hints them itself.
 */
export function chunksForRange(s: string): string {
  return `
INSERT INTO ${s}.chunks (batch_id, connection_id, state, due_at, first_due_at, attempt, first_seq, end_seq, size, dispatched_at)
SELECT b.id, b.connection_id, 'ready', b.due, b.due, 1, g, least(g + b.step, b.total), least(g + b.step, b.total) - g,
  CASE WHEN $2::boolean THEN now() END
FROM (
  SELECT b.*, ${EFFECTIVE_CHUNK_SIZE} AS step, greatest(now(), coalesce(b.scheduled_at, now())) AS due
  FROM ${s}.batches AS b WHERE b.id = $1
) AS b, generate_series(0, b.total - 1, b.step) AS g
RETURNING id`;
}
