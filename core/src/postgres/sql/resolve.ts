import type { Pool } from 'pg';
import { BatchSenderError } from '../../engine/errors.ts';
import type { SteerStore } from '../../engine/host-store.ts';
import { transaction } from '../transaction.ts';
import { OUTCOME_KINDS } from './outcomes.ts';

/** E5: settles an `unknown`; locks the batch row and checks again, so that two at once count once. */
export function resolveStatement(pool: Pool, s: string): SteerStore['resolve'] {
  const last = `
SELECT kind, attempt FROM ${s}.job_event_rows
WHERE batch_id = $1 AND seq = $2
  AND kind IN ${OUTCOME_KINDS}
ORDER BY id DESC LIMIT 1`;
  return (tenantId, batchId, seq, outcome, note) =>
    transaction(pool, async (client) => {
      const { rows } = await client.query<{ total: number }>(
        `SELECT total FROM ${s}.batches WHERE id = $1 AND tenant_id = $2 FOR UPDATE`,
        [batchId, tenantId],
      );
      if (rows[0] === undefined || seq >= rows[0].total) {
        throw new BatchSenderError('job_not_found', `There is no job ${batchId}.${seq}`);
      }
      const found = await client.query<{ kind: string; attempt: number }>(last, [batchId, seq]);
      const event = found.rows[0];
      if (event?.kind !== 'unknown') {
        throw new BatchSenderError(
          'job_not_unknown',
          `Job ${batchId}.${seq} is not unknown: only such a job can be resolved`,
        );
      }
      const data = JSON.stringify({ outcome, by: 'api', ...(note === undefined ? {} : { note }) });
      await client.query(
        `INSERT INTO ${s}.job_event_rows (batch_id, seq, attempt, kind, data) VALUES ($1, $2, $3, 'resolved', $4)`,
        [batchId, seq, event.attempt, data],
      );
      await client.query(
        `UPDATE ${s}.batches SET unknown = unknown - 1, ${outcome} = ${outcome} + 1, changed_at = now() WHERE id = $1`,
        [batchId],
      );
    });
}
