import type { Pool } from 'pg';
import type { AuditEntry, AuditStore } from '../../engine/audit.ts';

/** The audit log: who did what. */
export function auditStatements(pool: Pool, s: string): AuditStore {
  return {
    async record(tenantId, { action, actor, target, data }, count) {
      const { rows } = await pool.query<{ id: number }>(
        `INSERT INTO ${s}.audit_log (tenant_id, action, actor, target, count, data) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
        [tenantId, action, actor, target ?? null, count, data === undefined ? null : JSON.stringify(data)],
      );
      return rows[0]?.id as number;
    },
    async addCount(id, more) {
      await pool.query(`UPDATE ${s}.audit_log SET count = count + $2 WHERE id = $1`, [id, more]);
    },
    async list(tenantId, { action, limit, before }) {
      // Two texts and not one: each has the index that its order needs.
      const ofAction = action === undefined ? '' : 'AND action = $4';
      const { rows } = await pool.query<AuditEntry>(
        `SELECT id, at, action, actor, target, count, data FROM ${s}.audit_log
         WHERE tenant_id = $1 AND id < coalesce($2::bigint, 9223372036854775807) ${ofAction} ORDER BY id DESC LIMIT $3`,
        [tenantId, before ?? null, limit, ...(action === undefined ? [] : [action])],
      );
      return rows;
    },
  };
}
