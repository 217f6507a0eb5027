import type { Pool } from 'pg';
import type { ChunkLease, NewEvent } from '../../engine/store.ts';
import { eventArrays, newEvents } from './event-arrays.ts';

/** E7: events written under a lock on the chunk, if its epoch is still ours. */
export function fenceStatement(pool: Pool, s: string) {
  const text = `
WITH c AS MATERIALIZED (
  SELECT batch_id, attempt FROM ${s}.chunks WHERE id = $1 AND epoch = $2 AND state = 'leased' FOR SHARE
)
INSERT INTO ${s}.job_events (batch_id, seq, attempt, kind, data)
SELECT c.batch_id, e.seq, c.attempt, e.kind, e.data
FROM c, ${newEvents(3)}`;
  return async (lease: ChunkLease, events: readonly NewEvent[]): Promise<boolean> => {
    const values = [lease.chunkId, lease.epoch, ...eventArrays(events)];
    const { rowCount } = await pool.query({ name: 'bs_fence', text, values });
    return rowCount === events.length;
  };
}
