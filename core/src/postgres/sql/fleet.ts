import type { Pool } from 'pg';
import type { DispatchStore, Fleet } from '../../engine/store.ts';
import { intArray } from './array-literal.ts';

/** Who lives, what they have leased, and which hints wait: what a leader needs to know (E15). */
export function fleetStatement(pool: Pool, s: string): DispatchStore['fleet'] {
  const text = `
SELECT
  (SELECT coalesce(json_agg(versions), '[]') FROM ${s}.runners
   WHERE seen_at > now() - $1::float8 * interval '1 ms') AS runners,
  (SELECT coalesce(json_agg(json_build_array(l.connection_id, l.tenant_id, l.count)), '[]') FROM (
     SELECT b.connection_id, b.tenant_id, count(*)::int FROM ${s}.chunks AS c JOIN ${s}.batches AS b ON b.id = c.batch_id
     WHERE c.state = 'leased' GROUP BY b.connection_id, b.tenant_id
   ) AS l) AS leased,
  (SELECT coalesce(json_agg(id), '[]') FROM ${s}.chunks
   WHERE id = ANY($3::bigint[]) AND state = 'ready' AND dispatched_at > now() - $2::float8 * interval '1 ms') AS waiting`;
  return async ({ leaseMs, rehintMs, hinted }) => {
    const values = [leaseMs, rehintMs, intArray(hinted)];
    const { rows } = await pool.query<Fleet>({ name: 'bs_fleet', text, values });
    return rows[0] as Fleet;
  };
}
