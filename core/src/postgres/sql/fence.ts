import type { Pool } from 'pg';
import type { ChunkLease, NewEvent } from '../../engine/store.ts';
import { addEvents, type EventParameters, insertEvents } from './event-arrays.ts';

/** E7: events written under a lock on the chunk, if its epoch is still ours. */
export function fenceStatement(pool: Pool, s: string) {
  const text = (parameters: EventParameters) => `
WITH c AS MATERIALIZED (
  SELECT batch_id, attempt FROM ${s}.chunks WHERE id = $1 AND epoch = $2 AND state = 'leased' FOR SHARE
)${insertEvents(s, parameters)}
SELECT 1 FROM c`;
  const statements = {
    fences: { name: 'bs_fence', text: text({ events: 0, fences: 3 }) },
    events: { name: 'bs_release', text: text({ events: 3, fences: 0 }) },
    both: { name: 'bs_fence_both', text: text({ events: 3, fences: 6 }) },
  };
  return async (lease: ChunkLease, all: readonly NewEvent[]): Promise<boolean> => {
    const values: unknown[] = [lease.chunkId, lease.epoch];
    const { events, fences } = addEvents(values, all);
    const one = fences === 0 ? statements.events : statements.fences;
    const statement = events > 0 && fences > 0 ? statements.both : one;
    const { rows } = await pool.query({ ...statement, values });
    return rows.length === 1;
  };
}
