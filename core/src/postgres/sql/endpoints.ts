import type { Pool } from 'pg';
import type { FailingEndpoint } from '../../engine/endpoint.ts';
import type { RunStore } from '../../engine/store.ts';
import type { Tuning } from '../../engine/tuning.ts';

/** Bytes of an endpoint's key that are kept: an index entry has little room. */
const MAX_KEY = 500;
const MOST_LISTED = 1_000;

/** Since when endpoints fail (E19); written when a circuit opens or closes, not with each call. */
export function endpointStatements(pool: Pool, s: string): Pick<RunStore, 'endpointFails' | 'endpointWorks'> {
  const fails = `
INSERT INTO ${s}.endpoints AS e (connection_id, endpoint) VALUES ($1, left($2, ${MAX_KEY}))
ON CONFLICT (connection_id, endpoint) DO UPDATE SET checked_at = now(),
  failing_since = CASE WHEN e.checked_at < now() - $3::float8 * interval '1 ms' THEN now() ELSE e.failing_since END
RETURNING extract(epoch FROM now() - failing_since)::float8 * 1000 AS ms`;
  const works = `DELETE FROM ${s}.endpoints WHERE connection_id = $1 AND endpoint = left($2, ${MAX_KEY})`;
  return {
    async endpointFails(connectionId, endpoint, staleMs) {
      const values = [connectionId, endpoint, staleMs];
      const { rows } = await pool.query<{ ms: number }>({ name: 'bs_endpoint_fails', text: fails, values });
      return rows[0]?.ms ?? 0;
    },
    async endpointWorks(connectionId, endpoint) {
      await pool.query({ name: 'bs_endpoint_works', text: works, values: [connectionId, endpoint] });
    },
  };
}

/** The endpoints that fail now, those that have done so for longest first. */
export function listEndpoints(pool: Pool, s: string) {
  const text = `
SELECT e.connection_id, e.endpoint, e.failing_since, e.checked_at,
  e.failing_since < now() - $2::float8 * interval '1 ms' AS disabled
FROM ${s}.endpoints AS e JOIN ${s}.connections AS n ON n.id = e.connection_id
WHERE (n.tenant_id IS NULL OR n.tenant_id = $1) AND e.checked_at > now() - $3::float8 * interval '1 ms'
ORDER BY e.failing_since, e.connection_id, e.endpoint LIMIT $4`;
  return async (
    tenantId: string,
    { endpointDisableMs, endpointProbeMs }: Pick<Tuning, 'endpointDisableMs' | 'endpointProbeMs'>,
  ): Promise<readonly FailingEndpoint[]> => {
    const values = [tenantId, endpointDisableMs, endpointProbeMs * 2, MOST_LISTED];
    const { rows } = await pool.query(text, values);
    return rows.map((row) => ({
      connectionId: row.connection_id,
      endpoint: row.endpoint,
      state: row.disabled ? 'disabled' : 'failing',
      since: row.failing_since,
      checkedAt: row.checked_at,
    }));
  };
}
