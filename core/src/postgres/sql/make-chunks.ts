/** Payload bytes that a chunk should not exceed on average, so that a runner's memory stays flat. */
const CHUNK_BYTES = 8_000_000;

/** Jobs in a chunk of a batch aliased `b`: fewer where the payloads are large. */
export const EFFECTIVE_CHUNK_SIZE = `(CASE WHEN b.bytes > 0
    THEN greatest(1, least(b.chunk_size::bigint, ${CHUNK_BYTES}::bigint * b.total / b.bytes))::int ELSE b.chunk_size END)`;

/** Makes the chunks of the whole range of batch $1, in one statement. */
export function chunksForRange(s: string): string {
  return chunksFrom(s, `(SELECT * FROM ${s}.batches WHERE id = $1)`, 'NULL');
}

/** Makes the chunks of a batch row that `source` yields; `dispatchedAt` says that they are hinted at once. */
export function chunksFrom(s: string, source: string, dispatchedAt: string): string {
  return `
INSERT INTO ${s}.chunks (batch_id, connection_id, state, due_at, first_due_at, attempt, first_seq, end_seq, size, dispatched_at)
SELECT b.id, b.connection_id, 'ready', b.due, b.due, 1, g, least(g + b.step, b.total), least(g + b.step, b.total) - g,
  ${dispatchedAt}::timestamptz
FROM (
  SELECT b.*, ${EFFECTIVE_CHUNK_SIZE} AS step, greatest(now(), coalesce(b.scheduled_at, now())) AS due
  FROM ${source} AS b
) AS b, generate_series(0, b.total - 1, b.step) AS g
RETURNING id`;
}
