import type { TransactionClient } from '../../engine/api.ts';
import { BatchSenderError } from '../../engine/errors.ts';
import type { Claim, LeasedRange, NewBatch, UploadTotals } from '../../engine/host-store.ts';
import { chunksFrom, EFFECTIVE_CHUNK_SIZE } from './make-chunks.ts';

/** A batch with what is stored beside its row. */
export interface StoredBatch {
  readonly batch: NewBatch;
  readonly totals: UploadTotals;
  readonly sealed: boolean;
  /** The runner that takes its chunks at once, or null. */
  readonly runnerId: string | null;
  readonly texts: readonly string[];
  readonly claims: readonly Claim[];
}

/**
 * $18 sealed, $19 the runner that takes its chunks at once, $20 its first payloads, $21 to $23 the
 * idempotency keys that it answers, $24 to $26 what it leaves out, $27 its trace, $28 whether it is a dry run. Answers the chunks that were
 * leased to the runner; without one, the batch is announced to all dispatchers, and a lone chunk by its name.
 * It fails by a division by zero if one of the keys is not reserved any more: a statement that runs on after
 * its connection broke must not store what the repeat of its request stores too.
 */
function insertBatchText(s: string, channel: string): string {
  return `
WITH b AS (
  INSERT INTO ${s}.batches (id, tenant_id, type, origin, name, provider, connection_id, priority, defaults, retry,
    plugin_name, plugin_version, module_version, chunk_size, scheduled_at, total, bytes, dedupe_by, duplicates, rejected,
    trace_parent, dry_run, state, open_chunks, sealed_at, completed_at)
  SELECT $1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, b.chunk_size, b.scheduled_at, b.total, b.bytes, $24, $25, $26,
    $27, $28, CASE WHEN NOT $18 THEN 'open' WHEN b.total = 0 THEN 'completed' WHEN b.scheduled_at > now() THEN 'scheduled' ELSE 'running' END,
    CASE WHEN $18 THEN ceil(b.total::float8 / ${EFFECTIVE_CHUNK_SIZE})::int ELSE 0 END,
    CASE WHEN $18 THEN now() END, CASE WHEN $18 AND b.total = 0 THEN now() END
  FROM (SELECT $14::int AS chunk_size, $15::timestamptz AS scheduled_at, $16::int AS total, $17::bigint AS bytes) AS b
  RETURNING *
), j AS (
  INSERT INTO ${s}.jobs (batch_id, seq, payload)
  SELECT $1, n - 1, line::json FROM string_to_table($20::text, E'\\n') WITH ORDINALITY AS t (line, n)
), i AS (
  UPDATE ${s}.idempotency_keys AS i SET body_hash = u.hash, ref = u.ref
  FROM unnest($21::text[], $22::text[], $23::text[]) AS u (key, hash, ref)
  WHERE i.tenant_id = $2 AND i.key = u.key AND i.ref IS NULL AND i.status IS NULL
  RETURNING 1
), n AS (
  INSERT INTO ${s}.connections (id, type, provider) VALUES ($7, $3, $6) ON CONFLICT DO NOTHING
), k AS (${chunksFrom(s, "(SELECT * FROM b WHERE state <> 'open')", '$19::uuid')}
)
SELECT b.state, (SELECT json_agg(json_build_array(k.id, k.first_seq, k.end_seq) ORDER BY k.id) FROM k WHERE k.state = 'leased') AS leased,
  CASE WHEN b.state = 'running' AND $19 IS NULL THEN pg_notify('${channel}', (
    SELECT CASE WHEN count(*) = 1 THEN json_build_object('chunk', min(k.id), 'batch', b.id, 'type', b.type, 'connection', b.connection_id,
      'tenant', b.tenant_id, 'version', b.module_version, 'size', b.total)::text ELSE '' END FROM k)) END AS announced,
  1 / ((SELECT count(*) FROM i) = cardinality($21::text[]))::int AS holds_keys
FROM b`;
}

function batchValues(batch: NewBatch): unknown[] {
  return [
    batch.id,
    batch.tenantId,
    batch.type,
    batch.origin,
    batch.name,
    batch.provider,
    batch.connectionId,
    batch.priority,
    batch.defaults === null ? null : JSON.stringify(batch.defaults),
    JSON.stringify(batch.retry),
    batch.pluginName,
    batch.pluginVersion,
    batch.moduleVersion,
    batch.chunkSize,
    batch.scheduledAt,
  ];
}

/**
 * Stores a whole batch in one statement, with its first jobs if there are any. `name` names the
 * statement: only on our own connections, since a caller's may already use it.
 */
export function storeBatchStatement(s: string, channel: string) {
  const text = insertBatchText(s, channel);
  return async (client: TransactionClient, stored: StoredBatch, name?: string): Promise<LeasedRange[]> => {
    const { batch, totals, sealed, runnerId, texts, claims } = stored;
    const flags = [sealed, runnerId, texts.length === 0 ? null : texts.join('\n')];
    const used = [
      claims.map(({ key }) => key),
      claims.map(({ bodyHash }) => bodyHash),
      claims.map(({ ref }) => ref),
    ];
    const dedupeBy = batch.dedupeBy === null ? null : JSON.stringify(batch.dedupeBy);
    const left = [dedupeBy, totals.duplicates, totals.rejected];
    const values = [
      ...batchValues(batch),
      totals.rows,
      totals.bytes,
      ...flags,
      ...used,
      ...left,
      batch.traceParent,
      batch.dryRun,
    ];
    const query = { ...(name === undefined ? {} : { name }), text, values };
    const { rows } = await client.query(query).catch((error: unknown) => {
      throw (error as { code?: unknown }).code === DIVISION_BY_ZERO ? keyLost(error) : error;
    });
    return (rows[0]?.leased ?? []) as LeasedRange[];
  };
}

const DIVISION_BY_ZERO = '22012';

/** The key was given back, or another request has used it since. */
export const keyLost = (cause?: unknown): BatchSenderError =>
  new BatchSenderError(
    'idempotency_key_lost',
    'The idempotency key is not reserved any more, so nothing was stored: repeat the request with the same key',
    { cause },
  );
