import type { Kysely } from 'kysely';
import type { Connection, Settings } from '../engine/api.ts';
import type { Database } from './tables.ts';

export function settingsStore(db: Kysely<Database>): Settings {
  const get = async (name: string): Promise<unknown> =>
    (await db.selectFrom('settings').where('name', '=', name).select('value').executeTakeFirst())?.value;
  return {
    get,
    async setOnce(name, value) {
      await db
        .insertInto('settings')
        .values({ name, value: JSON.stringify(value) })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return get(name);
    },
  };
}

export async function listConnections(db: Kysely<Database>): Promise<readonly Connection[]> {
  const rows = await db.selectFrom('connections').selectAll().orderBy('id').execute();
  return rows.map((row) => ({
    id: row.id,
    type: row.type,
    provider: row.provider,
    state: row.blocked_at === null ? 'ok' : 'blocked',
    code: row.blocked_code,
    message: row.blocked_message,
    since: row.blocked_at,
  }));
}
