import type { Pool } from 'pg';
import { intArray } from './array-literal.ts';

/** Positions of jobs in order, given as a list or as a range without gaps. */
export type Seqs = readonly number[];

/** Payloads of a block, in characters of JSON; the job that crosses it is the block's last. */
const MAX_BLOCK_BYTES = 4 * 1024 * 1024;

/**
 * Payloads as texts, in order, as many as fit a block: jobs may be small or of a megabyte, and the
 * memory of an export must not depend on it. Lengths are summed before the texts are made, so that
 * what does not fit is not kept by the database either.
 */
export function resultPayloadsStatement(pool: Pool, s: string, maxBytes: number = MAX_BLOCK_BYTES) {
  const select = (where: string) => `
SELECT seq, payload::text FROM (
  SELECT seq, payload, sum(octet_length(payload::text)) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING)
    - octet_length(payload::text) AS before
  FROM ${s}.jobs WHERE batch_id = $1 AND ${where}) AS sized
WHERE before < $2::bigint ORDER BY seq`;
  const byRange = select('seq >= $3 AND seq < $4');
  const byList = select('seq = ANY($3::int[])');
  return async (batchId: string, seqs: Seqs): Promise<[seq: number, text: string][]> => {
    const first = seqs[0];
    const last = seqs.at(-1);
    if (first === undefined || last === undefined) return [];
    const query = isRange(seqs)
      ? { name: 'bs_result_payloads', text: byRange, values: [batchId, maxBytes, first, last + 1] }
      : { name: 'bs_result_payload_list', text: byList, values: [batchId, maxBytes, intArray(seqs)] };
    const { rows } = await pool.query<[number, string]>({ ...query, rowMode: 'array' });
    return rows;
  };
}

/** True if nothing is left out between the first and the last. */
export const isRange = (seqs: Seqs): boolean => (seqs.at(-1) ?? 0) - (seqs[0] ?? 0) === seqs.length - 1;
