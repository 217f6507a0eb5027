/** Payload bytes that a chunk should not exceed on average, so that a runner's memory stays flat. */
const CHUNK_BYTES = 8_000_000;

/** A large batch is cut into some so many chunks, as long as they are not larger than `MOST_CHUNKS_IN_ONE` of the usual. */
const CHUNKS_A_BATCH = 20;
const MOST_CHUNKS_IN_ONE = 2;

/**
 * Jobs in a chunk of a batch aliased `b`: more than its `chunk_size` where it is large, since each
 * chunk costs the same five statements (docs/decisions/0012); fewer where the payloads are large.
 */
const WANTED = `(b.chunk_size * greatest(1, least(${MOST_CHUNKS_IN_ONE}, b.total / (b.chunk_size * ${CHUNKS_A_BATCH}))))`;
export const EFFECTIVE_CHUNK_SIZE = `(CASE WHEN b.bytes > 0
    THEN greatest(1, least(${WANTED}::bigint, ${CHUNK_BYTES}::bigint * b.total / b.bytes))::int ELSE ${WANTED} END)`;

/** True for a batch that is one chunk: what {@link EFFECTIVE_CHUNK_SIZE} says of it, known without asking. */
export const isOneChunk = (jobs: number, bytes: number, chunkSize: number): boolean =>
  jobs > 0 && jobs <= chunkSize && bytes <= CHUNK_BYTES;

/** Where the chunks of a batch aliased `b` begin, as `g`. */
export const EACH_CHUNK = 'generate_series(0, b.total - 1, b.step) AS g';
export const ONE_CHUNK = '(VALUES (0)) AS one (g)';

/** Makes the chunks of the whole range of batch $1, in one statement. */
export function chunksForRange(s: string): string {
  return chunksFrom(s, `(SELECT * FROM ${s}.batches WHERE id = $1)`, EACH_CHUNK, 'NULL::uuid');
}

/**
 * Makes the chunks of a batch row that `source` yields, at `starts`. Where `runnerId` is not null and the batch
 * runs, they are born under a lease of that runner: a single job need not be leased afterwards.
 */
export function chunksFrom(s: string, source: string, starts: string, runnerId: string): string {
  const leased = `${runnerId} IS NOT NULL AND b.state = 'running'`;
  return `
INSERT INTO ${s}.chunks (batch_id, connection_id, state, due_at, first_due_at, attempt, first_seq, end_seq, size,
  epoch, runner_id, first_leased_at)
SELECT b.id, b.connection_id, CASE WHEN ${leased} THEN 'leased' ELSE 'ready' END, b.due, b.due, 1,
  g, least(g + b.step, b.total), least(g + b.step, b.total) - g,
  CASE WHEN ${leased} THEN 1 ELSE 0 END, CASE WHEN ${leased} THEN ${runnerId} END, CASE WHEN ${leased} THEN now() END
FROM (
  SELECT b.*, ${EFFECTIVE_CHUNK_SIZE} AS step, greatest(now(), coalesce(b.scheduled_at, now())) AS due
  FROM ${source} AS b
) AS b, ${starts}
RETURNING id, first_seq, end_seq, state`;
}
