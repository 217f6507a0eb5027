import type { TransactionClient } from '../../engine/api.ts';
import { BatchSenderError } from '../../engine/errors.ts';
import type { Claim, LeasedRange, NewBatch, UploadTotals } from '../../engine/host-store.ts';
import { chunksFrom, EACH_CHUNK, EFFECTIVE_CHUNK_SIZE, isOneChunk, ONE_CHUNK } from './make-chunks.ts';

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
 * $18 sealed, $19 the runner that takes its chunks at once, $20 its first payloads, $21 to $23 what it leaves out,
 * $24 its trace, $25 whether it is a dry run. `keys` is there where it answers idempotency keys.
 */
function insertText(s: string, keys: string, chunks: string, select: string): string {
  return `
WITH b AS (
  INSERT INTO ${s}.batches (id, tenant_id, type, origin, name, provider, connection_id, priority, defaults, retry,
    plugin_name, plugin_version, module_version, chunk_size, scheduled_at, total, bytes, dedupe_by, duplicates, rejected,
    trace_parent, dry_run, state, open_chunks, sealed_at, completed_at)
  SELECT $1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, b.chunk_size, b.scheduled_at, b.total, b.bytes, $21, $22, $23,
    $24, $25, CASE WHEN NOT $18 THEN 'open' WHEN b.total = 0 THEN 'completed' WHEN b.scheduled_at > now() THEN 'scheduled' ELSE 'running' END,
    CASE WHEN $18 THEN ceil(b.total::float8 / ${EFFECTIVE_CHUNK_SIZE})::int ELSE 0 END,
    CASE WHEN $18 THEN now() END, CASE WHEN $18 AND b.total = 0 THEN now() END
  FROM (SELECT $14::int AS chunk_size, $15::timestamptz AS scheduled_at, $16::int AS total, $17::bigint AS bytes) AS b
  RETURNING *
), j AS (
  INSERT INTO ${s}.jobs (batch_id, seq, payload)
  SELECT $1, n - 1, line::json FROM string_to_table($20::text, E'\\n') WITH ORDINALITY AS t (line, n)
), n AS (
  INSERT INTO ${s}.connections (id, type, provider) VALUES ($7, $3, $6) ON CONFLICT DO NOTHING
)${keys}, k AS (${chunksFrom(s, "(SELECT * FROM b WHERE state <> 'open')", chunks, '$19::uuid')}
)
${select}`;
}

/** A notification that names a chunk. */
const namedChunk = (id: string) => `json_build_object('chunk', ${id}, 'batch', b.id, 'type', b.type,
      'connection', b.connection_id, 'tenant', b.tenant_id, 'version', b.module_version, 'size', b.total)::text`;

/**
 * Answers the chunks that were leased to the runner; without one, the batch is announced to all dispatchers, and a
 * lone chunk by its name. $26 to $28 are the idempotency keys that it answers.
 * It fails by a division by zero if one of the keys is not reserved any more: a statement that runs on after
 * its connection broke must not store what the repeat of its request stores too.
 */
function insertBatchText(s: string, channel: string): string {
  const keys = `, i AS (
  UPDATE ${s}.idempotency_keys AS i SET body_hash = u.hash, ref = u.ref
  FROM unnest($26::text[], $27::text[], $28::text[]) AS u (key, hash, ref)
  WHERE i.tenant_id = $2 AND i.key = u.key AND i.ref IS NULL AND i.status IS NULL
  RETURNING 1
)`;
  const select = `
SELECT (SELECT json_agg(json_build_array(k.id, k.first_seq, k.end_seq) ORDER BY k.id) FROM k WHERE k.state = 'leased') AS leased,
  CASE WHEN b.state = 'running' AND $19 IS NULL THEN pg_notify('${channel}', (
    SELECT CASE WHEN count(*) = 1 THEN ${namedChunk('min(k.id)')} ELSE '' END FROM k)) END AS announced,
  1 / ((SELECT count(*) FROM i) = cardinality($26::text[]))::int AS holds_keys
FROM b`;
  return insertText(s, keys, EACH_CHUNK, select);
}

/** The same for a batch of one chunk that answers no key, as single jobs do: a tenth less time. */
function insertSmallText(s: string, channel: string): string {
  const select = `
SELECT CASE WHEN k.state = 'leased' THEN json_build_array(json_build_array(k.id, k.first_seq, k.end_seq)) END AS leased,
  CASE WHEN b.state = 'running' AND $19 IS NULL THEN pg_notify('${channel}', ${namedChunk('k.id')}) END AS announced
FROM b, k`;
  return insertText(s, '', ONE_CHUNK, select);
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
  const anyBatch = insertBatchText(s, channel);
  const small = insertSmallText(s, channel);
  return async (client: TransactionClient, stored: StoredBatch, name?: string): Promise<LeasedRange[]> => {
    const { batch, totals, sealed, runnerId, texts, claims } = stored;
    const dedupeBy = batch.dedupeBy === null ? null : JSON.stringify(batch.dedupeBy);
    const values = [
      ...batchValues(batch),
      totals.rows,
      totals.bytes,
      sealed,
      runnerId,
      texts.length === 0 ? null : texts.join('\n'),
      dedupeBy,
      totals.duplicates,
      totals.rejected,
      batch.traceParent,
      batch.dryRun,
    ];
    const isSmall = sealed && claims.length === 0 && isOneChunk(totals.rows, totals.bytes, batch.chunkSize);
    const query = isSmall
      ? { text: small, values }
      : { text: anyBatch, values: [...values, ...claimValues(claims)] };
    const named = name === undefined ? query : { ...query, name: isSmall ? `${name}_small` : name };
    const { rows } = await client.query(named).catch((error: unknown) => {
      throw (error as { code?: unknown }).code === DIVISION_BY_ZERO ? keyLost(error) : error;
    });
    return (rows[0]?.leased ?? []) as LeasedRange[];
  };
}

const claimValues = (claims: readonly Claim[]): string[][] => [
  claims.map(({ key }) => key),
  claims.map(({ bodyHash }) => bodyHash),
  claims.map(({ ref }) => ref),
];

const DIVISION_BY_ZERO = '22012';

/** The key was given back, or another request has used it since. */
export const keyLost = (cause?: unknown): BatchSenderError =>
  new BatchSenderError(
    'idempotency_key_lost',
    'The idempotency key is not reserved any more, so nothing was stored: repeat the request with the same key',
    { cause },
  );
