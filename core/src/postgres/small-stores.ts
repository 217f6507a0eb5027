import type { Kysely } from 'kysely';
import type { Settings } from '../engine/api.ts';
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
