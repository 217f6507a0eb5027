import type { Pool } from 'pg';
import type { HeartbeatAnswer, RunnerStore } from '../../engine/store.ts';
import { notifyText } from '../listen.ts';

/** The runner's sign of life, and what the database knows of it (E11, E17). */
export function runnerStatements(pool: Pool, s: string, channel: string): RunnerStore {
  const beat = `
INSERT INTO ${s}.runners (id, seen_at, versions) VALUES ($1, clock_timestamp(), $2)
ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp(), versions = excluded.versions`;
  const answer = `
SELECT
  (SELECT coalesce(json_agg(json_build_object('chunkId', c.id, 'epoch', c.epoch, 'batchState', b.state)), '[]')
   FROM ${s}.chunks AS c JOIN ${s}.batches AS b ON b.id = c.batch_id
   WHERE c.runner_id = $1 AND c.state = 'leased') AS chunks,
  (SELECT count(*)::int FROM ${s}.runners WHERE seen_at > now() - $2::float8 * interval '1 ms' AND id < $1) AS position,
  (SELECT count(*)::int FROM ${s}.runners WHERE seen_at > now() - $2::float8 * interval '1 ms') AS runners,
  (SELECT count(*)::int FROM ${s}.runners WHERE seen_at > now() - $5::float8 * interval '1 ms' AND id <> $1
     AND ($4::timestamptz IS NULL OR seen_at <= $4)) AS silent,
  clock_timestamp()::text AS at,
  (SELECT coalesce(json_agg(id), '[]') FROM ${s}.connections WHERE blocked_at IS NOT NULL) AS blocked,
  (SELECT coalesce(json_object_agg(id, version), '{}') FROM ${s}.connections WHERE id = ANY($3::text[])) AS connections`;
  const giveBack = `
UPDATE ${s}.chunks SET state = 'ready', runner_id = NULL, dispatched_at = NULL, interrupted = interrupted OR $4
WHERE id = $2 AND runner_id = $1 AND epoch = $3 AND state = 'leased'`;
  return {
    async heartbeat(runnerId, versions, leaseMs, connectionIds, joining) {
      await pool.query({ name: 'bs_beat', text: beat, values: [runnerId, JSON.stringify(versions)] });
      const { rows } = await pool.query<HeartbeatAnswer>({
        name: 'bs_beat_answer',
        text: answer,
        values: [runnerId, leaseMs, connectionIds, joining?.since ?? null, joining?.withinMs ?? 0],
      });
      return rows[0] as HeartbeatAnswer;
    },
    async announce(runnerId) {
      await pool.query(notifyText(channel, `json_build_object('joined', $1::text)::text`), [runnerId]);
    },
    async giveBack(runnerId, chunkId, epoch, interrupted) {
      await pool.query({
        name: 'bs_give_back',
        text: giveBack,
        values: [runnerId, chunkId, epoch, interrupted],
      });
    },
    async forget(runnerId) {
      await pool.query(`DELETE FROM ${s}.runners WHERE id = $1`, [runnerId]);
    },
  };
}
