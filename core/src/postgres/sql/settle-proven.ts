import type { ClientBase } from 'pg';
import { intArray } from './array-literal.ts';
import { settleUnknown } from './settle-unknown.ts';

/** A receipt proves that the job was sent in this attempt. */
export interface Proof {
  readonly batchId: string;
  readonly seq: number;
  readonly attempt: number;
}

/** E12: settles what receipts prove, in the caller's transaction. Batches are locked in the order of their ids. */
export async function settleProven(client: ClientBase, s: string, proofs: readonly Proof[]): Promise<void> {
  const byBatch = [...Map.groupBy(proofs, (proof) => proof.batchId)].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [batchId, own] of byBatch) {
    await client.query(`SELECT 1 FROM ${s}.batches WHERE id = $1 FOR UPDATE`, [batchId]);
    // A statement of its own: it must see what was committed before the lock was ours.
    await client.query({
      name: 'bs_settle_proven',
      text: settleText(s),
      values: [batchId, intArray(own.map(({ seq }) => seq)), intArray(own.map(({ attempt }) => attempt))],
    });
  }
}

const settleText = (s: string): string => `
WITH proven AS (
  SELECT seq, attempt, '{"outcome":"succeeded","by":"receipt"}'::json AS data
  FROM unnest($2::int[], $3::int[]) AS p (seq, attempt)
), ${settleUnknown(s, 'proven')}`;
