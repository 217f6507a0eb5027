import type { Pool } from 'pg';
import type { DispatchStore } from '../../engine/store.ts';

const DISPATCH = 'dispatch';

/** Takes or keeps a named leadership: a row that expires, since a stopped process would keep a lock. */
export function leadStatement(pool: Pool, s: string) {
  const text = `
INSERT INTO ${s}.leadership AS l (name, holder, expires_at) VALUES ($1, $2, now() + $3::float8 * interval '1 ms')
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE l.holder = excluded.holder OR l.expires_at < now()`;
  return async (name: string, holder: string, ttlMs: number): Promise<boolean> => {
    const { rowCount } = await pool.query({ name: 'bs_lead', text, values: [name, holder, ttlMs] });
    return rowCount === 1;
  };
}

/** The leadership over all dispatchers (E15). */
export function leaderStatements(pool: Pool, s: string): Pick<DispatchStore, 'lead' | 'resign'> {
  const lead = leadStatement(pool, s);
  return {
    lead: (holder, ttlMs) => lead(DISPATCH, holder, ttlMs),
    async resign(holder) {
      await pool.query(`DELETE FROM ${s}.leadership WHERE name = $1 AND holder = $2`, [DISPATCH, holder]);
    },
  };
}
