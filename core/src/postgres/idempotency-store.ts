import { type Kysely, sql } from 'kysely';
import type { IdempotencyStore } from '../engine/api.ts';
import type { Database } from './tables.ts';

/** A reservation whose request gives no sign of life is free again after this time. */
const RESERVATION_SECONDS = 30;

/** E13: who holds an idempotency key, and what its request was answered. */
export function idempotencyStore(db: Kysely<Database>): IdempotencyStore {
  return {
    reserve: (tenantId, key) => reserve(db, tenantId, key),
    async keep(tenantId, key) {
      await db
        .updateTable('idempotency_keys')
        .set({ created_at: sql<Date>`now()` })
        .where(match(tenantId, key))
        .where('status', 'is', null)
        .where('ref', 'is', null)
        .execute();
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

async function reserve(
  db: Kysely<Database>,
  tenantId: string,
  key: string,
): ReturnType<IdempotencyStore['reserve']> {
  const reserved = await db
    .insertInto('idempotency_keys')
    .values({ tenant_id: tenantId, key })
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
                sql<Date>`now() - ${sql.lit(`${RESERVATION_SECONDS} seconds`)}::interval`,
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
}
