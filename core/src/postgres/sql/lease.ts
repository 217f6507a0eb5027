import type { Pool } from 'pg';
import type { ChunkLease } from '../../engine/store.ts';
import { intArray } from './array-literal.ts';
import { type ChunkRow, LEASE_COLUMNS, toLease } from './chunk-row.ts';

/**
 * E21: a chunk that another runner holds goes over to this one, whose heartbeat is there already. The rest of
 * its lease's conditions were checked when the other one took it.
 */
export function takeOverStatement(pool: Pool, s: string) {
  const text = `
UPDATE ${s}.chunks AS c SET epoch = c.epoch + 1, runner_id = $4
WHERE c.id = $1 AND c.state = 'leased' AND c.runner_id = $2 AND c.epoch = $3
RETURNING ${LEASE_COLUMNS}`;
  return async (
    chunkId: number,
    from: { runnerId: string; epoch: number },
    runnerId: string,
  ): Promise<ChunkLease | undefined> => {
    const values = [chunkId, from.runnerId, from.epoch, runnerId];
    const { rows } = await pool.query<ChunkRow>({ name: 'bs_take_over', text, values });
    return rows[0] === undefined ? undefined : toLease(rows[0]);
  };
}

type Lease = (chunkId: number, runnerId: string) => Promise<ChunkLease | undefined>;

/**
 * E6: one conditional UPDATE that raises `epoch`. What is asked for in the same turn of the event loop shares
 * one: a dispatcher hints at several chunks at once, and each statement costs a commit.
 */
export function leaseStatement(pool: Pool, s: string): Lease {
  const text = (from: string, chosen: string) => `${from}
UPDATE ${s}.chunks AS c
SET state = 'leased', epoch = c.epoch + 1, runner_id = $2, first_leased_at = coalesce(c.first_leased_at, now())
FROM ${s}.batches AS b
WHERE ${chosen} AND c.state = 'ready' AND c.due_at <= now()
  AND b.id = c.batch_id AND b.state = 'running'
RETURNING ${LEASE_COLUMNS}`;
  const one = text('', 'c.id = $1');
  // In the order of their ids: two that want the same chunks must not wait for each other.
  const some = text(
    `WITH held AS MATERIALIZED (
  SELECT id FROM ${s}.chunks WHERE id = ANY($1::bigint[]) AND state = 'ready' ORDER BY id FOR UPDATE
)`,
    'c.id IN (SELECT id FROM held)',
  );

  async function leaseAll(chunkIds: readonly number[], runnerId: string): Promise<Map<number, ChunkLease>> {
    const query =
      chunkIds.length === 1
        ? { name: 'bs_lease', text: one, values: [chunkIds[0], runnerId] }
        : { name: 'bs_lease_some', text: some, values: [intArray(chunkIds), runnerId] };
    const { rows } = await pool.query<ChunkRow>(query);
    return new Map(rows.map((row) => [row.id, toLease(row)]));
  }

  const asked = new Map<
    string,
    { readonly chunkIds: number[]; readonly leases: ReturnType<typeof leaseAll> }
  >();
  const ask = (runnerId: string) => {
    const chunkIds: number[] = [];
    const leases = Promise.resolve().then(() => {
      asked.delete(runnerId);
      return leaseAll(chunkIds, runnerId);
    });
    const together = { chunkIds, leases };
    asked.set(runnerId, together);
    return together;
  };
  return async (chunkId, runnerId) => {
    const { chunkIds, leases } = asked.get(runnerId) ?? ask(runnerId);
    chunkIds.push(chunkId);
    const given = await leases;
    const lease = given.get(chunkId);
    // Should it be asked for twice, one has it.
    given.delete(chunkId);
    return lease;
  };
}
