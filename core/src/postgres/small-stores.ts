import { type Kysely, sql } from 'kysely';
import type { Connection, IdempotencyStore, Settings } from '../engine/api.ts';
import type { Database } from './tables.ts';

/** A reservation that its request did not finish is free again after this time. */
const RESERVATION_MINUTES = 15;

export function idempotencyStore(db: Kysely<Database>): IdempotencyStore {
  const row = (tenantId: string, key: string) => ({ tenant_id: tenantId, key });
  return {
    async reserve(tenantId, key) {
      const reserved = await db
        .insertInto('idempotency_keys')
        .values(row(tenantId, key))
        .onConflict((conflict) =>
          conflict
            .columns(['tenant_id', 'key'])
            .doUpdateSet({
              created_at: sql<Date>`now()`,
              status: null,
              body: null,
              body_hash: null,
              ref: null,
            })
            .where(({ eb, or, and, ref }) =>
              or([
                eb(ref('idempotency_keys.created_at'), '<', sql<Date>`now() - interval '24 hours'`),
                and([
                  eb(ref('idempotency_keys.status'), 'is', null),
                  eb(ref('idempotency_keys.ref'), 'is', null),
                  eb(
                    ref('idempotency_keys.created_at'),
                    '<',
                    sql<Date>`now() - ${sql.lit(`${RESERVATION_MINUTES} minutes`)}::interval`,
                  ),
                ]),
              ]),
            ),
        )
        .returning('key')
        .executeTakeFirst();
      if (reserved !== undefined) return { state: 'reserved' };
      const found = await db
        .selectFrom('idempotency_keys')
        .where(match(tenantId, key))
        .selectAll()
        .executeTakeFirst();
      if (found === undefined || (found.status === null && found.ref === null)) return { state: 'busy' };
      return {
        state: 'done',
        bodyHash: found.body_hash ?? '',
        status: found.status,
        body: found.body,
        ref: found.ref,
      };
    },
    async complete(tenantId, key, { bodyHash, status, body }) {
      await db
        .updateTable('idempotency_keys')
        .set({ body_hash: bodyHash, status, body: JSON.stringify(body ?? null) })
        .where(match(tenantId, key))
        .execute();
    },
    async release(tenantId, key) {
      await db
        .deleteFrom('idempotency_keys')
        .where(match(tenantId, key))
        .where('status', 'is', null)
        .where('ref', 'is', null)
        .execute();
    },
  };
}

const match = (tenantId: string, key: string) => sql<boolean>`tenant_id = ${tenantId} AND key = ${key}`;

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
