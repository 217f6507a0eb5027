import type { ClientBase, Pool } from 'pg';
import { v7 } from 'uuid';
import type { TransactionClient } from '../../engine/api.ts';
import { BatchSenderError } from '../../engine/errors.ts';
import type { IntakeStore, NewBatch, Slice, UploadTotals } from '../../engine/store.ts';
import { transaction } from '../transaction.ts';
import { abandonUploads } from './abandon-upload.ts';
import { chunksForRange, EFFECTIVE_CHUNK_SIZE } from './make-chunks.ts';

/** Jobs in one INSERT. */
const SLICE = 1_000;

/** Stores batches, jobs and the chunks that make them due. */
export function intakeStatements(pool: Pool, s: string, notify: string): IntakeStore {
  const insertJobs = `
INSERT INTO ${s}.jobs (batch_id, seq, payload)
SELECT $1, $2::int + n - 1, line::json FROM string_to_table($3::text, E'\\n') WITH ORDINALITY AS t (line, n)`;
  const insertGuarded = `
WITH u AS MATERIALIZED (SELECT 1 FROM ${s}.uploads WHERE id = $4 AND state = 'active' FOR SHARE)
INSERT INTO ${s}.jobs (batch_id, seq, payload)
SELECT $1, $2::int + n - 1, line::json FROM u, string_to_table($3::text, E'\\n') WITH ORDINALITY AS t (line, n)`;
  const insertBatch = batchInsert(s);
  const finish = `UPDATE ${s}.uploads SET state = 'committed', rows = $2, body_hash = $3 WHERE id = $1 AND state = 'active' RETURNING batch_id`;
  const begin = `INSERT INTO ${s}.uploads (id, batch_id, state, first_seq) VALUES ($1, $2, 'active', $3)`;

  async function storeBatch(client: TransactionClient, batch: NewBatch, totals: UploadTotals, sealed: boolean, dispatched: boolean) {
    const { rows } = await client.query(insertBatch, [...batchValues(batch), totals.rows, totals.bytes, sealed]);
    await client.query(
      `INSERT INTO ${s}.connections (id, type, provider) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [batch.connectionId, batch.type, batch.provider],
    );
    if (!sealed) return [];
    const due = rows[0]?.state === 'running';
    const made = await client.query(chunksForRange(s), [batch.id, dispatched && due]);
    if (due && !dispatched) await client.query(notify);
    return due ? made.rows.map((row: { id: unknown }) => Number(row.id)) : [];
  }

  async function closeUpload(client: ClientBase, uploadId: string, totals: UploadTotals): Promise<string> {
    const { rows } = await client.query<{ batch_id: string }>(finish, [uploadId, totals.rows, totals.bodyHash ?? null]);
    if (rows[0] === undefined) throw lostUpload();
    return rows[0].batch_id;
  }

  /** Tells after a lost COMMIT reply whether the row is there. */
  const exists = (table: 'batches' | 'uploads', id: string, state?: string) => async () => {
    const { rowCount } = await pool.query(`SELECT 1 FROM ${s}.${table} WHERE id = $1 AND ($2::text IS NULL OR state = $2)`, [
      id,
      state ?? null,
    ]);
    return rowCount === 1;
  };

  return {
    async insertBatch(batch, { texts, sealed, dispatched }, client) {
      const totals = { rows: texts.length, bytes: byteCount(texts) };
      const work = async (tx: TransactionClient) => {
        for (let at = 0; at < texts.length; at += SLICE) {
          await tx.query(insertJobs, [batch.id, at, texts.slice(at, at + SLICE).join('\n')]);
        }
        return storeBatch(tx, batch, totals, sealed, dispatched);
      };
      return client === undefined ? transaction(pool, work, exists('batches', batch.id)) : work(client);
    },
    async beginSubmit(batchId) {
      const uploadId = v7();
      await pool.query(begin, [uploadId, batchId, 0]);
      return uploadId;
    },
    beginUpload: (tenantId, batchId, ttlMs) =>
      transaction(pool, async (client) => {
        const { rows } = await client.query(
          `SELECT type, provider, defaults, state, total FROM ${s}.batches WHERE id = $1 AND tenant_id = $2 FOR UPDATE`,
          [batchId, tenantId],
        );
        const batch = rows[0];
        if (batch === undefined) throw new BatchSenderError('batch_not_found', `There is no batch ${batchId}`);
        if (batch.state !== 'open') throw notOpen(batchId, batch.state);
        await abandonUploads(client, s, ttlMs, batchId);
        const active = await client.query(`SELECT 1 FROM ${s}.uploads WHERE batch_id = $1 AND state = 'active'`, [batchId]);
        if (active.rowCount !== 0) throw uploadInProgress(batchId);
        const uploadId = v7();
        await client.query(begin, [uploadId, batchId, batch.total]);
        const { type, provider, defaults } = batch;
        return { uploadId, firstSeq: batch.total, batch: { type, provider, defaults } };
      }),
    async writeSlice(uploadId: string, batchId: string, slice: Slice) {
      const values = [batchId, slice.firstSeq, slice.texts.join('\n'), uploadId];
      const { rowCount } = await pool.query({ name: 'bs_slice', text: insertGuarded, values });
      if (rowCount !== slice.texts.length) throw lostUpload();
    },
    async touchUpload(uploadId) {
      await pool.query(`UPDATE ${s}.uploads SET seen_at = now() WHERE id = $1 AND state = 'active'`, [uploadId]);
    },
    commitUpload: (uploadId, totals) =>
      transaction(pool, async (client) => {
        const batchId = await closeUpload(client, uploadId, totals);
        const { rowCount } = await client.query(
          `UPDATE ${s}.batches SET total = total + $2, bytes = bytes + $3, changed_at = now() WHERE id = $1 AND state = 'open'`,
          [batchId, totals.rows, totals.bytes],
        );
        if (rowCount === 0) throw notOpen(batchId, 'no longer open');
      }, exists('uploads', uploadId, 'committed')),
    commitSubmit: (uploadId, batch, totals) =>
      transaction(pool, async (client) => {
        await closeUpload(client, uploadId, totals);
        await storeBatch(client, batch, totals, totals.sealed, false);
      }, exists('uploads', uploadId, 'committed')),
    async abortUpload(uploadId) {
      await transaction(pool, (client) => abandonUploads(client, s, 0, undefined, uploadId));
    },
  };
}

function batchInsert(s: string): string {
  return `
INSERT INTO ${s}.batches (id, tenant_id, type, origin, name, provider, connection_id, priority, defaults, retry,
  plugin_name, plugin_version, module_version, chunk_size, scheduled_at, total, bytes, state, open_chunks, sealed_at, completed_at)
SELECT $1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, b.chunk_size, b.scheduled_at, b.total, b.bytes,
  CASE WHEN NOT $18 THEN 'open' WHEN b.total = 0 THEN 'completed' WHEN b.scheduled_at > now() THEN 'scheduled' ELSE 'running' END,
  CASE WHEN $18 THEN ceil(b.total::float8 / ${EFFECTIVE_CHUNK_SIZE})::int ELSE 0 END,
  CASE WHEN $18 THEN now() END, CASE WHEN $18 AND b.total = 0 THEN now() END
FROM (SELECT $14::int AS chunk_size, $15::timestamptz AS scheduled_at, $16::int AS total, $17::bigint AS bytes) AS b
RETURNING state`;
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

const byteCount = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0);

const lostUpload = () =>
  new BatchSenderError('upload_lost', 'The upload was silent for too long and has been swept: send it again');

const uploadInProgress = (batchId: string) =>
  new BatchSenderError('upload_in_progress', `Another upload into batch ${batchId} is under way: wait for its end`);

const notOpen = (batchId: string, state: string) =>
  new BatchSenderError('batch_not_open', `Batch ${batchId} is ${state} and takes no more jobs: create another one`);
