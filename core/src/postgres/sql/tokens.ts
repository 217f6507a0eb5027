import type { Pool } from 'pg';
import type { TokenRequest } from '../../engine/store.ts';
import { transaction } from '../transaction.ts';
import { intArray } from './array-literal.ts';

/** Buckets of a window. Finer buckets lose less of the quota, coarser ones make fewer rows. */
const BUCKETS = 40;

/**
 * Takes tokens of a limit "at most `max` in any `windowMs`", shared by all runners (a rolling
 * window of {@link BUCKETS} buckets). Grants are counted for the window and two buckets more:
 * one for the bucket that is partly over, one in which the grant may still be used. So the limit
 * holds in every window, at the price of 5% of it.
 */
export function takeTokensStatement(pool: Pool, s: string) {
  const lock = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 726610))';
  const text = `
WITH clock AS (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000 / $4::float8)::bigint AS bucket),
used AS (
  SELECT coalesce(sum(u.used), 0)::int AS total, min(u.bucket) AS oldest FROM clock
  LEFT JOIN ${s}.rate_usage AS u ON u.key = $1 AND u.bucket > clock.bucket - ${BUCKETS + 2}
),
wish AS (SELECT sum(cost) OVER (ORDER BY n) AS upto FROM unnest($2::int[]) WITH ORDINALITY AS u (cost, n)),
grant_ AS (
  SELECT coalesce((SELECT max(upto) FROM wish WHERE $5 OR upto <= $3::int - used.total), 0)::int AS n, clock.bucket, used.oldest
  FROM used, clock
),
taken AS (
  INSERT INTO ${s}.rate_usage AS r (key, bucket, used, expires_at)
  SELECT $1, bucket, n, now() + $4::float8 * ${BUCKETS + 3} * interval '1 ms' FROM grant_ WHERE n > 0
  ON CONFLICT (key, bucket) DO UPDATE SET used = r.used + excluded.used
)
SELECT n AS granted,
  greatest(0, (oldest + ${BUCKETS + 2}) * $4::float8 - extract(epoch FROM clock_timestamp()) * 1000)::float8 AS wait_ms
FROM grant_`;
  return (request: TokenRequest): Promise<{ granted: number; waitMs: number }> =>
    transaction(pool, async (client) => {
      await client.query({ name: 'bs_tokens_lock', text: lock, values: [request.key] });
      const { rows } = await client.query<{ granted: number; wait_ms: number }>({
        name: 'bs_tokens',
        text,
        values: [
          request.key,
          intArray(request.costs),
          request.max,
          request.windowMs / BUCKETS,
          request.used === true,
        ],
      });
      const row = rows[0] ?? { granted: 0, wait_ms: request.windowMs };
      return { granted: row.granted, waitMs: row.granted > 0 ? 0 : Math.max(1, row.wait_ms) };
    });
}
