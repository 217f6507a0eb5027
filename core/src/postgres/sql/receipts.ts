import type { ClientBase, Pool } from 'pg';
import type { ReceiptFate, ReceiptRow, ReceiptStore, RecordedReceipt } from '../../engine/receipt-store.ts';
import { transaction } from '../transaction.ts';
import { intArray, textArray, wordArray } from './array-literal.ts';
import { jobLog } from './job-log.ts';
import { ATTEMPT_KINDS, OUTCOME_KINDS } from './outcomes.ts';
import { type Proof, settleProven } from './settle-proven.ts';
import { changeSuppressions } from './suppressions.ts';

/**
 * Receipts of a job after which another one of a kind that it has is not kept: a mail that is opened by a
 * machine every minute must not fill the log.
 */
const MAX_RECEIPTS = 100;

interface Row {
  n: number;
  fate: ReceiptFate;
  tenant_id: string;
  attempt: number;
  settles: boolean;
}

/** Records receipts: all of a group in one statement, and what they settle and suppress in its transaction. */
export function receiptStatements(pool: Pool, s: string): ReceiptStore {
  const text = recordText(s);
  return {
    record: (rows, changes) =>
      transaction(pool, async (client) => {
        const found = rows.length === 0 ? [] : await recordRows(client, text, rows);
        const byPlace = new Map(found.map((row) => [row.n, row]));
        const recorded = rows.map((_row, index): RecordedReceipt => {
          const row = byPlace.get(index + 1);
          return { fate: row?.fate ?? 'foreign', tenantId: row?.tenant_id };
        });
        await settleProven(client, s, proofsOf(rows, found));
        await changeSuppressions(client, s, changes(recorded));
        return recorded;
      }),
  };
}

async function recordRows(client: ClientBase, text: string, rows: readonly ReceiptRow[]): Promise<Row[]> {
  const values = [
    wordArray(rows.map((row) => row.hash)),
    wordArray(rows.map((row) => row.batchId)),
    intArray(rows.map((row) => row.seq)),
    textArray(rows.map((row) => row.connectionId)),
    textArray(rows.map((row) => row.kind)),
    textArray(rows.map((row) => row.data)),
    wordArray(rows.map((row) => String(row.proves))),
  ];
  return (await client.query<Row>({ name: 'bs_receipts', text, values })).rows;
}

function proofsOf(rows: readonly ReceiptRow[], found: readonly Row[]): Proof[] {
  return found
    .filter((row) => row.settles)
    .map(({ n, attempt }) => {
      const { batchId, seq } = rows[n - 1] as ReceiptRow;
      return { batchId, seq, attempt };
    });
}

/**
 * A receipt belongs to the attempt of the outcome that it follows; if there is none yet, to the one that the
 * job is on. Jobs are found by their own id and the connection that sent them, so no tenant can tell anything
 * about another one's. The keys are inserted in one order: groups of two processes must not wait for each other.
 */
function recordText(s: string): string {
  const last = (column: string): string =>
    `(array_agg(e.${column} ORDER BY e.id DESC) FILTER (WHERE e.kind IN ${OUTCOME_KINDS}))[1]`;
  return `
WITH given AS (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::json[], $7::boolean[])
    WITH ORDINALITY AS g (hash, batch_id, seq, connection_id, kind, data, proves, n)
), mine AS (
  SELECT g.*, b.tenant_id, coalesce(nullif(l.outcome, 'reopened'), '') AS outcome,
    CASE WHEN l.outcome <> 'reopened' THEN l.outcome_attempt ELSE coalesce((
      SELECT max(c.attempt) FROM ${s}.chunks AS c WHERE c.batch_id = g.batch_id AND c.state <> 'closed'
        AND ((c.seqs IS NULL AND g.seq >= c.first_seq AND g.seq < c.end_seq) OR g.seq = ANY(c.seqs))
    ), l.attempt, 1) END AS attempt,
    l.receipts >= ${MAX_RECEIPTS} AND l.again AS is_full
  FROM given AS g
  JOIN ${s}.batches AS b ON b.id = g.batch_id AND b.connection_id = g.connection_id
    AND b.sealed_at IS NOT NULL AND g.seq < b.total
  CROSS JOIN LATERAL (
    SELECT ${last('kind')} AS outcome, ${last('attempt')} AS outcome_attempt, max(e.attempt) AS attempt,
      count(*) FILTER (WHERE e.kind NOT IN ${ATTEMPT_KINDS}) AS receipts,
      coalesce(bool_or(e.kind = g.kind), false) AS again
    FROM ${jobLog(s, 'g.batch_id', 'g.seq')} AS e
  ) AS l
), keyed AS (
  INSERT INTO ${s}.receipt_keys (hash, early_batch, early_seq, early_attempt)
  SELECT hash, CASE WHEN early THEN batch_id END, CASE WHEN early THEN seq END, CASE WHEN early THEN attempt END
  FROM (SELECT *, proves AND outcome = '' AS early FROM mine WHERE NOT is_full) AS m ORDER BY hash
  ON CONFLICT (hash) DO NOTHING RETURNING hash
), written AS (
  INSERT INTO ${s}.job_event_rows (batch_id, seq, attempt, kind, data)
  SELECT batch_id, seq, attempt, kind, data FROM mine JOIN keyed USING (hash) ORDER BY n
)
SELECT n, tenant_id, attempt, k.hash IS NOT NULL AND proves AND outcome = 'unknown' AS settles,
  CASE WHEN is_full THEN 'full' WHEN k.hash IS NULL THEN 'duplicate' ELSE 'recorded' END AS fate
FROM mine LEFT JOIN keyed AS k USING (hash)`;
}
