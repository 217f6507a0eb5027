/**
 * The engine's three statements a chunk and its insert, written out by hand on the same tables:
 * what is left when nobody checks, groups, times or decides anything.
 */
const CHUNK_SIZE = 500;

export const INSERT_BATCH = `
INSERT INTO batchsender.batches (id, tenant_id, type, state, provider, connection_id, plugin_name, plugin_version,
  module_version, chunk_size)
VALUES ($1, 'default', 'noop', 'running', 'noop', 'default', 'bare', '1', 1, ${CHUNK_SIZE})`;

/** A payload a line; chunks and counters in the same statement. */
export const INSERT_SLICE = `
WITH j AS (
  INSERT INTO batchsender.jobs (batch_id, seq, payload)
  SELECT $1::uuid, $2::int + (line.number)::int - 1, line.text::json
  FROM string_to_table($4::text, E'\\n') WITH ORDINALITY AS line (text, number)
), c AS (
  INSERT INTO batchsender.chunks (batch_id, connection_id, state, due_at, first_due_at, attempt, first_seq, end_seq, size)
  SELECT $1, 'default', 'ready', now(), now(), 1, first, least(first + ${CHUNK_SIZE}, $2::int + $3::int),
    least(${CHUNK_SIZE}, $2::int + $3::int - first)
  FROM generate_series($2::int, $2::int + $3::int - 1, ${CHUNK_SIZE}) AS first
  RETURNING 1
)
UPDATE batchsender.batches SET total = total + $3::int, open_chunks = open_chunks + (SELECT count(*) FROM c)
WHERE id = $1`;

export const LIST_CHUNKS = 'SELECT id::int FROM batchsender.chunks WHERE state = $1 ORDER BY id';

export const LEASE = `
UPDATE batchsender.chunks AS c
SET state = 'leased', epoch = c.epoch + 1, runner_id = $2, first_leased_at = coalesce(c.first_leased_at, now())
FROM batchsender.batches AS b
WHERE c.id = $1 AND c.state = 'ready' AND c.due_at <= now() AND b.id = c.batch_id AND b.state = 'running'
RETURNING c.batch_id, c.epoch, c.flush_no, c.first_seq, c.end_seq`;

export const LOAD = `
SELECT payload::text FROM batchsender.jobs WHERE batch_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq`;

export const FLUSH = `
WITH c AS (
  UPDATE batchsender.chunks SET flush_no = flush_no + 1, succeeded = succeeded + $7, state = 'closed', runner_id = NULL
  WHERE id = $1 AND epoch = $2 AND flush_no = $3 AND state = 'leased'
  RETURNING *
), e AS (
  INSERT INTO batchsender.job_event_rows (batch_id, seq, attempt, kind, data)
  SELECT c.batch_id, e.seq, c.attempt, e.kind, e.data
  FROM c, unnest($4::int[], $5::text[], $6::json[]) AS e (seq, kind, data)
), b AS (
  UPDATE batchsender.batches AS b SET succeeded = b.succeeded + c.succeeded, open_chunks = b.open_chunks - 1,
    changed_at = now(),
    state = CASE WHEN b.open_chunks > 1 THEN b.state ELSE 'completed' END,
    completed_at = CASE WHEN b.open_chunks > 1 THEN b.completed_at ELSE now() END
  FROM c WHERE b.id = c.batch_id
)
SELECT 1 FROM c`;
