import type { ClientBase } from 'pg';

/**
 * Takes back uploads without a sign of life: one by its id, those of a batch, or all.
 * Marking comes first, so that a slice that is on its way finds the door closed.
 */
export async function abandonUploads(
  client: ClientBase,
  s: string,
  ttlMs: number,
  batchId?: string,
  uploadId?: string,
): Promise<number> {
  const { rows } = await client.query<{ id: string; batch_id: string; first_seq: number }>(
    `UPDATE ${s}.uploads SET state = 'aborted'
     WHERE state = 'active' AND seen_at <= now() - $1::float8 * interval '1 ms'
       AND ($2::uuid IS NULL OR batch_id = $2) AND ($3::uuid IS NULL OR id = $3)
     RETURNING id, batch_id, first_seq`,
    [ttlMs, batchId ?? null, uploadId ?? null],
  );
  for (const row of rows) {
    await client.query(`DELETE FROM ${s}.jobs WHERE batch_id = $1 AND seq >= $2`, [
      row.batch_id,
      row.first_seq,
    ]);
    await client.query(`DELETE FROM ${s}.job_keys WHERE upload_id = $1`, [row.id]);
  }
  return rows.length;
}
