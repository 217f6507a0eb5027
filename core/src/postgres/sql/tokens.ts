import type { Pool } from 'pg';
import type { TokenRequest } from '../../engine/store.ts';
import { intArray } from './array-literal.ts';

/** Buckets of a window. Finer buckets lose less of the quota, coarser ones make fewer rows. */
const BUCKETS = 40;

/**
 * Takes tokens of a limit "at most `max` in any `windowMs`", shared by all runners (a rolling
 * window of {@link BUCKETS} buckets). Grants are counted for the window and two buckets more:
 * one for the bucket that is partly over, one in which the grant may still be used. So the limit
 * holds in every window, at the price of 5% of it. The function is made by migration 8.
 */
export function takeTokensStatement(pool: Pool, s: string) {
  const text = `SELECT granted, wait_ms FROM ${s}.take_tokens($1, $2::int[], $3, $4, ${BUCKETS}, $5)`;
  return async (request: TokenRequest): Promise<{ granted: number; waitMs: number }> => {
    const { key, costs, max, windowMs, used = false } = request;
    const values = [key, intArray(costs), max, windowMs / BUCKETS, used];
    const { rows } = await pool.query<{ granted: number; wait_ms: number }>({
      name: 'bs_tokens',
      text,
      values,
    });
    const row = rows[0] ?? { granted: 0, wait_ms: windowMs };
    return { granted: row.granted, waitMs: row.granted > 0 ? 0 : Math.max(1, row.wait_ms) };
  };
}
