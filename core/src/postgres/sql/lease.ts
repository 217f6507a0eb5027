import type { Pool } from 'pg';
import type { ChunkLease } from '../../engine/store.ts';
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

/** E6: one conditional UPDATE that raises `epoch`. */
export function leaseStatement(pool: Pool, s: string) {
  const text = `
UPDATE ${s}.chunks AS c
SET state = 'leased', epoch = c.epoch + 1, runner_id = $2, first_leased_at = coalesce(c.first_leased_at, now())
FROM ${s}.batches AS b
WHERE c.id = $1 AND c.state = 'ready' AND c.due_at <= now()
  AND b.id = c.batch_id AND b.state = 'running'
RETURNING ${LEASE_COLUMNS}`;
  return async (chunkId: number, runnerId: string): Promise<ChunkLease | undefined> => {
    const { rows } = await pool.query<ChunkRow>({ name: 'bs_lease', text, values: [chunkId, runnerId] });
    return rows[0] === undefined ? undefined : toLease(rows[0]);
  };
}
