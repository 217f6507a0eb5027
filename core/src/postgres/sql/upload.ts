import type { ClientBase, Pool } from 'pg';
import { v7 } from 'uuid';
import { BatchSenderError } from '../../engine/errors.ts';
import type { Claim, IntakeStore, KeyedSlice, Slice, UploadTotals } from '../../engine/host-store.ts';
import { transaction } from '../transaction.ts';
import { abandonUploads } from './abandon-upload.ts';
import { addColumnsStatement } from './add-columns.ts';
import { mustHoldConnection } from './hold-connection.ts';
import { keyArray, keyedSliceText } from './keyed-slice.ts';
import { lines } from './lines.ts';
import { keyLost, type storeBatchStatement } from './store-batch.ts';

/** E13: slices commit under their upload; one small transaction makes them real. */
export function uploadStatements(
  pool: Pool,
  s: string,
  storeBatch: ReturnType<typeof storeBatchStatement>,
): Omit<IntakeStore, 'insertBatch'> {
  const insertGuarded = `
WITH u AS MATERIALIZED (SELECT 1 FROM ${s}.uploads WHERE id = $4 AND state = 'active' FOR SHARE)
INSERT INTO ${s}.jobs (batch_id, seq, payload)
SELECT $1, $2::int + n - 1, line::json FROM u, string_to_table($3::text, E'\\n') WITH ORDINALITY AS t (line, n)`;
  const insertKeyed = keyedSliceText(s);
  const finish = `UPDATE ${s}.uploads SET state = 'committed', rows = $2, body_hash = $3 WHERE id = $1 AND state = 'active' RETURNING batch_id`;
  const touch = `UPDATE ${s}.uploads SET seen_at = now() WHERE id = $1 AND state = 'active'`;
  const begin = `INSERT INTO ${s}.uploads (id, batch_id, state, first_seq) VALUES ($1, $2, 'active', $3)`;

  const addColumns = addColumnsStatement(s);

  async function closeUpload(client: ClientBase, uploadId: string, totals: UploadTotals): Promise<string> {
    const { rows } = await client.query<{ batch_id: string }>(finish, [
      uploadId,
      totals.rows,
      totals.bodyHash ?? null,
    ]);
    if (rows[0] === undefined) throw lostUpload();
    return rows[0].batch_id;
  }

  async function useKey(client: ClientBase, batchId: string, { key, bodyHash, ref }: Claim): Promise<void> {
    const text = `
UPDATE ${s}.idempotency_keys SET body_hash = $3, ref = $4 WHERE key = $2 AND ref IS NULL AND status IS NULL
  AND tenant_id = (SELECT tenant_id FROM ${s}.batches WHERE id = $1)`;
    const { rowCount } = await client.query(text, [batchId, key, bodyHash, ref]);
    if (rowCount !== 1) throw keyLost();
  }

  /** Tells after a lost COMMIT reply what became of the upload. */
  const isCommitted = (uploadId: string) => async () => {
    const text = `SELECT 1 FROM ${s}.uploads WHERE id = $1 AND state = 'committed'`;
    const { rowCount } = await pool.query(text, [uploadId]);
    return rowCount === 1;
  };

  return {
    async beginSubmit(batchId) {
      const uploadId = v7();
      await pool.query(begin, [uploadId, batchId, 0]);
      return uploadId;
    },
    beginUpload: (tenantId, batchId, ttlMs) =>
      transaction(pool, async (client) => {
        const { rows } = await client.query(
          `SELECT type, provider, defaults, dedupe_by, state, total FROM ${s}.batches WHERE id = $1 AND tenant_id = $2 FOR UPDATE`,
          [batchId, tenantId],
        );
        const batch = rows[0];
        if (batch === undefined)
          throw new BatchSenderError('batch_not_found', `There is no batch ${batchId}`);
        if (batch.state !== 'open') throw notOpen(batchId, batch.state);
        await abandonUploads(client, s, ttlMs, batchId);
        const active = await client.query(
          `SELECT 1 FROM ${s}.uploads WHERE batch_id = $1 AND state = 'active'`,
          [batchId],
        );
        if (active.rowCount !== 0) throw uploadInProgress(batchId);
        const uploadId = v7();
        await client.query(begin, [uploadId, batchId, batch.total]);
        const { type, provider, defaults, dedupe_by: dedupeBy } = batch;
        return { uploadId, firstSeq: batch.total, batch: { type, provider, defaults, dedupeBy } };
      }),
    async writeSlice(uploadId: string, batchId: string, slice: Slice) {
      const values = [batchId, slice.firstSeq, lines(slice.texts), uploadId];
      const { rowCount } = await pool.query({ name: 'bs_slice', text: insertGuarded, values });
      if (rowCount !== slice.texts.length) throw lostUpload();
    },
    async writeKeyedSlice(uploadId: string, batchId: string, { firstSeq, texts, keys }: KeyedSlice) {
      const values = [batchId, firstSeq, lines(texts), uploadId, keyArray(keys)];
      const { rows } = await pool.query({ name: 'bs_keyed_slice', text: insertKeyed, values });
      if (!rows[0].alive) throw lostUpload();
      return { stored: rows[0].stored, bytes: rows[0].bytes };
    },
    async touchUpload(uploadId) {
      await pool.query(touch, [uploadId]);
    },
    commitUpload: (uploadId, totals) =>
      transaction(
        pool,
        async (client) => {
          const batchId = await closeUpload(client, uploadId, totals);
          const { rowCount } = await client.query(
            `UPDATE ${s}.batches SET total = total + $2, bytes = bytes + $3, duplicates = duplicates + $4,
               rejected = rejected + $5, changed_at = now() WHERE id = $1 AND state = 'open'`,
            [batchId, totals.rows, totals.bytes, totals.duplicates, totals.rejected],
          );
          if (rowCount === 0) throw notOpen(batchId, 'no longer open');
          if (totals.columns !== undefined) await addColumns(client, batchId, totals.columns);
          if (totals.claim !== undefined) await useKey(client, batchId, totals.claim);
        },
        isCommitted(uploadId),
      ),
    commitSubmit: (uploadId, batch, totals) =>
      transaction(
        pool,
        async (client) => {
          await mustHoldConnection(client, s, batch.connectionId);
          await closeUpload(client, uploadId, totals);
          await storeBatch(client, {
            batch,
            totals,
            sealed: totals.sealed,
            runnerId: null,
            texts: [],
            claims: totals.claim === undefined ? [] : [totals.claim],
          });
          if (totals.columns !== undefined) await addColumns(client, batch.id, totals.columns);
        },
        isCommitted(uploadId),
      ),
    async abortUpload(uploadId) {
      await transaction(pool, (client) => abandonUploads(client, s, 0, undefined, uploadId));
    },
  };
}

const lostUpload = () =>
  new BatchSenderError('upload_lost', 'The upload was silent for too long and has been swept: send it again');

const uploadInProgress = (batchId: string) =>
  new BatchSenderError(
    'upload_in_progress',
    `Another upload into batch ${batchId} is under way: wait for its end`,
  );

const notOpen = (batchId: string, state: string) =>
  new BatchSenderError(
    'batch_not_open',
    `Batch ${batchId} is ${state} and takes no more jobs: create another one`,
  );
