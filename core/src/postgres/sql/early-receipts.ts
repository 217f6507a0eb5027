import type { Pool } from 'pg';
import type { MaintenanceStore } from '../../engine/store.ts';
import { transaction } from '../transaction.ts';
import { wordArray } from './array-literal.ts';
import { jobLog } from './job-log.ts';
import { OUTCOME_KINDS } from './outcomes.ts';
import { type Proof, settleProven } from './settle-proven.ts';

/** Receipts that one step looks at. */
const STEP = 500;
/** Keys that one step drops. */
const DROP_STEP = 10_000;

interface Row {
  hash: string;
  batch_id: string;
  seq: number;
  attempt: number;
  /** The outcome that is there now; null if the attempt goes on. */
  outcome: string | null;
  is_over: boolean;
}

/**
 * E12: a receipt that came before the outcome of its attempt settles it all the same, should it end as `unknown`.
 * Answers where the next step begins; null at the end.
 */
export function settleEarlyStatement(pool: Pool, s: string): MaintenanceStore['settleEarly'] {
  const read = `
SELECT k.hash, k.early_batch AS batch_id, k.early_seq AS seq, k.early_attempt AS attempt, l.outcome,
  coalesce(l.outcome IS NOT NULL OR l.attempt > k.early_attempt, false) AS is_over
FROM ${s}.receipt_keys AS k CROSS JOIN LATERAL (
  SELECT nullif((array_agg(e.kind ORDER BY e.id DESC) FILTER (WHERE e.kind IN ${OUTCOME_KINDS}))[1], 'reopened') AS outcome,
    max(e.attempt) AS attempt
  FROM ${jobLog(s, 'k.early_batch', 'k.early_seq')} AS e
) AS l
WHERE k.early_batch IS NOT NULL AND ($1::uuid IS NULL OR k.hash > $1) ORDER BY k.hash LIMIT ${STEP}`;
  const done = `
UPDATE ${s}.receipt_keys SET early_batch = NULL, early_seq = NULL, early_attempt = NULL WHERE hash = ANY($1::uuid[])`;
  return async (after) => {
    const { rows } = await pool.query<Row>({ name: 'bs_early', text: read, values: [after] });
    const over = rows.filter((row) => row.is_over);
    if (over.length > 0) {
      const proofs = over
        .filter((row) => row.outcome === 'unknown')
        .map(({ batch_id: batchId, seq, attempt }): Proof => ({ batchId, seq, attempt }));
      await transaction(pool, async (client) => {
        await settleProven(client, s, proofs);
        await client.query(done, [wordArray(over.map((row) => row.hash))]);
      });
    }
    return rows.length < STEP ? null : (rows.at(-1)?.hash ?? null);
  };
}

/** Forgets receipts after 90 days, some at a time: no provider repeats one for so long. */
export function dropReceiptKeysStatement(pool: Pool, s: string): MaintenanceStore['dropReceiptKeys'] {
  const text = `
DELETE FROM ${s}.receipt_keys WHERE hash IN (
  SELECT hash FROM ${s}.receipt_keys WHERE at < now() - interval '90 days' ORDER BY at LIMIT ${DROP_STEP})`;
  return async () => (await pool.query({ name: 'bs_drop_receipts', text })).rowCount ?? 0;
}
