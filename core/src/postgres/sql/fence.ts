import type { Pool } from 'pg';
import type { ChunkLease, NewEvent } from '../../engine/store.ts';
import { eventArrays, insertEvents } from './event-arrays.ts';

/** E7: events written under a lock on the chunk, if its epoch is still ours. */
export function fenceStatement(pool: Pool, s: string) {
  const text = `
WITH c AS MATERIALIZED (
  SELECT batch_id, attempt FROM ${s}.chunks WHERE id = $1 AND epoch = $2 AND state = 'leased' FOR SHARE
)${insertEvents(s, 3)}`;
  return async (lease: ChunkLease, events: readonly NewEvent[]): Promise<boolean> => {
    const values = [lease.chunkId, lease.epoch, ...eventArrays(events)];
    const { rowCount } = await pool.query({ name: 'bs_fence', text, values });
    return rowCount === events.length;
  };
}
