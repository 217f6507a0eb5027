import type { Pool } from 'pg';
import type { TransactionClient } from '../../engine/api.ts';
import { isStoredConnection } from '../../engine/connections/ids.ts';
import type { IntakeStore } from '../../engine/host-store.ts';
import { once, transaction } from '../transaction.ts';
import { mustHoldConnection } from './hold-connection.ts';
import { keyArray } from './keyed-slice.ts';
import { storeBatchStatement } from './store-batch.ts';
import { uploadStatements } from './upload.ts';

/** Jobs in one INSERT. */
const SLICE = 1_000;

/** Stores batches, jobs and the chunks that make them due. */
export function intakeStatements(pool: Pool, s: string, channel: string): IntakeStore {
  const insertJobs = `
INSERT INTO ${s}.jobs (batch_id, seq, payload)
SELECT $1, $2::int + n - 1, line::json FROM string_to_table($3::text, E'\\n') WITH ORDINALITY AS t (line, n)`;
  const insertKeys = `
INSERT INTO ${s}.job_keys (batch_id, hash) SELECT $1, hash FROM unnest($2::uuid[]) AS hash WHERE hash IS NOT NULL`;
  const storeBatch = storeBatchStatement(s, channel);

  /** Tells after a lost COMMIT reply whether the batch is there. */
  const isStored = (batchId: string) => async () => {
    const { rowCount } = await pool.query(`SELECT 1 FROM ${s}.batches WHERE id = $1`, [batchId]);
    return rowCount === 1;
  };

  return {
    async insertBatch(batch, { texts, keys, duplicates, sealed, runnerId, claims }, client) {
      const bytes = texts.reduce((sum, text) => sum + text.length, 0);
      const totals = { rows: texts.length, bytes, duplicates, rejected: 0 };
      const stored = { batch, totals, sealed, runnerId, texts: texts.slice(0, SLICE), claims };
      const isStoredOne = isStoredConnection(batch.connectionId);
      if (client === undefined && texts.length <= SLICE && keys === undefined && !isStoredOne) {
        return once(() => storeBatch(pool, stored, 'bs_batch'), isStored(batch.id));
      }
      const work = async (tx: TransactionClient) => {
        await mustHoldConnection(tx, s, batch.connectionId);
        for (let at = SLICE; at < texts.length; at += SLICE) {
          await tx.query(insertJobs, [batch.id, at, texts.slice(at, at + SLICE).join('\n')]);
        }
        for (let at = 0; keys !== undefined && at < keys.length; at += SLICE) {
          await tx.query(insertKeys, [batch.id, keyArray(keys.slice(at, at + SLICE))]);
        }
        return storeBatch(tx, stored);
      };
      return client === undefined ? transaction(pool, work, isStored(batch.id)) : work(client);
    },
    ...uploadStatements(pool, s, storeBatch),
  };
}
