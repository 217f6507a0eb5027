import type { Client } from 'pg';

const EVENTS_A_BATCH = 10_000;
const CHUNK_SIZE = 500;
/** Old batches lie in these days before now, so in the months before this one, too. */
const DAYS = 60;

/**
 * Fills the tables of the engine with batches that ended, and events of their jobs: nine in ten
 * succeeded at once, the others were retried, some failed. Their payloads are left out.
 */
export async function fillOldEvents(client: Client, events: number): Promise<void> {
  for (const monthsAgo of [1, 2]) await addMonth(client, monthsAgo);
  await client.query(INSERT_BATCHES, [Math.ceil(events / EVENTS_A_BATCH), DAYS * 86_400, EVENTS_A_BATCH]);
  await client.query(INSERT_CHUNKS);
  await client.query(INSERT_EVENTS);
}

/** The engine makes partitions for this month and those to come; older ones were made in their time. */
async function addMonth(client: Client, monthsAgo: number): Promise<void> {
  const now = new Date();
  const from = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - monthsAgo, 1);
  const to = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - monthsAgo + 1, 1);
  const floor = (ms: number) => `${ms.toString(16).padStart(12, '0')}00000000000000000000`;
  await client.query(
    `CREATE TABLE batchsender.job_events_old${monthsAgo} PARTITION OF batchsender.job_event_rows
     FOR VALUES FROM ('${floor(from)}') TO ('${floor(to)}')`,
  );
}

const INSERT_BATCHES = `
INSERT INTO batchsender.batches (id, tenant_id, type, name, state, provider, connection_id, plugin_name, plugin_version,
  module_version, chunk_size, total, succeeded, failed, created_at, sealed_at, completed_at, changed_at, checked_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
  || substr(md5(n::text), 4, 15))::uuid, 'tenant' || n % 50, 'noop', 'old', 'completed', 'noop', 'noop.noop', 'bench',
  '1', 1, ${CHUNK_SIZE}, $3::int, $3::int, 0, at, at, at, at, now()
FROM (
  SELECT n, now() - interval '1 hour' - (n * $2::float8 / $1::int) * interval '1 s' AS at
  FROM generate_series(1, $1::int) AS n
) AS old`;

const INSERT_CHUNKS = `
INSERT INTO batchsender.chunks (batch_id, connection_id, state, due_at, first_due_at, attempt, epoch, flush_no, first_seq,
  end_seq, size, succeeded)
SELECT id, connection_id, 'closed', created_at, created_at, 1, 1, 1, first, first + ${CHUNK_SIZE}, ${CHUNK_SIZE},
  ${CHUNK_SIZE}
FROM batchsender.batches, generate_series(0, total - 1, ${CHUNK_SIZE}) AS first WHERE name = 'old'`;

/** An event a job on average: of ten jobs nine have one, and the tenth has two for one that has none. */
const INSERT_EVENTS = `
INSERT INTO batchsender.job_event_rows (batch_id, at, seq, attempt, kind, data)
SELECT b.id, b.created_at, CASE WHEN n % 10 = 1 THEN n - 1 ELSE n END, CASE WHEN n % 10 = 1 THEN 2 ELSE 1 END,
  CASE WHEN n % 10 = 0 THEN 'retried' WHEN n % 200 = 1 THEN 'failed' ELSE 'succeeded' END,
  CASE WHEN n % 10 = 0 THEN '{"code":"503","message":"try again later"}'::json END
FROM batchsender.batches AS b, generate_series(0, b.total - 1) AS n WHERE b.name = 'old'
ORDER BY b.id, n`;
