import type { Pool } from 'pg';
import type { EngineObserver } from '../../engine/observer.ts';
import { transaction } from '../transaction.ts';
import { cancelChunk } from './sweep-cancel.ts';
import { type RetrySweep, retryStep } from './sweep-retry.ts';

interface SweepRow extends RetrySweep {
  kind: 'cancel' | 'retry';
}

/** One piece of every sweep there is; false if none has anything to do now. */
export function sweepStatement(pool: Pool, s: string, notify: string) {
  return async (batchId?: string, onSweep?: EngineObserver['onSweep']): Promise<boolean> => {
    const { rows } = await pool.query<SweepRow>(
      `SELECT id, batch_id, kind, states, next_seq, upto_event FROM ${s}.sweeps
       WHERE $1::uuid IS NULL OR batch_id = $1 ORDER BY id LIMIT 100`,
      [batchId ?? null],
    );
    let worked = false;
    for (const sweep of rows) {
      const more = sweep.kind === 'cancel' ? await cancelStep(sweep, onSweep) : await reopenStep(sweep);
      worked ||= more;
    }
    return worked;
  };

  async function cancelStep(sweep: SweepRow, onSweep: EngineObserver['onSweep']): Promise<boolean> {
    const cancelled = await transaction(pool, (client) => cancelChunk(client, s, sweep.batch_id));
    if (cancelled !== undefined) onSweep?.(cancelled);
    // Chunks that a runner still holds come back by its heartbeat; the sweep ends with the last one.
    await pool.query(
      `DELETE FROM ${s}.sweeps WHERE id = $1
         AND NOT EXISTS (SELECT 1 FROM ${s}.chunks WHERE batch_id = $2 AND state <> 'closed')`,
      [sweep.id, sweep.batch_id],
    );
    return cancelled !== undefined;
  }

  function reopenStep(sweep: SweepRow): Promise<boolean> {
    return transaction(pool, async (client) => {
      await client.query(`SELECT 1 FROM ${s}.batches WHERE id = $1 FOR UPDATE`, [sweep.batch_id]);
      const { rows } = await client.query<RetrySweep>(
        `SELECT id, batch_id, states, next_seq, upto_event FROM ${s}.sweeps WHERE id = $1`,
        [sweep.id],
      );
      if (rows[0] === undefined) return false;
      await client.query(notify);
      return retryStep(client, s, rows[0]);
    });
  }
}
