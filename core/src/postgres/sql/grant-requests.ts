import type { Pool } from 'pg';
import type { ConnectionStore } from '../../engine/connections/store.ts';

/** OAuth grants that persons were asked for. Their states are kept as hashes. */
export function grantRequestStatements(
  pool: Pool,
  s: string,
): Pick<ConnectionStore, 'addGrantRequest' | 'takeGrantRequest'> {
  return {
    async addGrantRequest(stateHash, { connectionId, verifier, returnUrl }, ttlMs) {
      await pool.query(`DELETE FROM ${s}.grant_requests WHERE expires_at < now()`);
      await pool.query(
        `INSERT INTO ${s}.grant_requests (state_hash, connection_id, verifier, return_url, expires_at)
         VALUES ($1, $2, $3, $4, now() + $5::float8 * interval '1 ms')`,
        [stateHash, connectionId, verifier, returnUrl ?? null, ttlMs],
      );
    },
    async takeGrantRequest(stateHash) {
      const { rows } = await pool.query<{ id: string; verifier: string; return_url: string | null }>(
        `DELETE FROM ${s}.grant_requests WHERE state_hash = $1 AND expires_at > now()
         RETURNING connection_id AS id, verifier, return_url`,
        [stateHash],
      );
      const row = rows[0];
      if (row === undefined) return undefined;
      return { connectionId: row.id, verifier: row.verifier, returnUrl: row.return_url ?? undefined };
    },
  };
}
