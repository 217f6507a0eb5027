import type { Pool } from 'pg';
import type { RecoveredChunk } from '../../engine/isolation.ts';

interface Row {
  chunk_id: number;
  batch_id: string;
  type: string;
  plugin_name: string;
}

/**
 * E21: everything of a runner whose process is known to be dead becomes free at once: its chunks, its share of
 * the providers' concurrency, its leaderships. Whoever works alone in a process is the cause of its death; a
 * death in company only says that the chunk must be alone from now on.
 */
export function recoverRunnerStatement(pool: Pool, s: string, notify: string) {
  const text = `
WITH gone AS (
  DELETE FROM ${s}.runners WHERE id = $1
), led AS (
  DELETE FROM ${s}.leadership WHERE holder = $1
), c AS (
  UPDATE ${s}.chunks SET state = 'ready', runner_id = NULL, dispatched_at = NULL, interrupted = true,
    deaths = CASE WHEN $2 THEN deaths + 1 ELSE greatest(deaths, 1) END
  WHERE runner_id = $1 AND state = 'leased'
  RETURNING id, batch_id
)
SELECT c.id AS chunk_id, c.batch_id, b.type, b.plugin_name FROM c JOIN ${s}.batches AS b ON b.id = c.batch_id`;
  return async (runnerId: string, alone: boolean): Promise<readonly RecoveredChunk[]> => {
    const { rows } = await pool.query<Row>({ name: 'bs_recover_runner', text, values: [runnerId, alone] });
    if (rows.length > 0) await pool.query(notify);
    return rows.map((row) => ({
      chunkId: row.chunk_id,
      batchId: row.batch_id,
      type: row.type,
      pluginName: row.plugin_name,
    }));
  };
}
