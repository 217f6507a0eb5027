import type { Pool } from 'pg';
import type { ChunkLease, LateEvent, RunnableBatch } from '../../engine/store.ts';
import { transaction } from '../transaction.ts';
import { intArray, textArray } from './array-literal.ts';
import { settleUnknown } from './settle-unknown.ts';

interface BatchRow {
  id: string;
  tenant_id: string;
  type: string;
  provider: string;
  connection_id: string;
  module_version: number;
  defaults: Record<string, unknown> | null;
  retry: RunnableBatch['retry'];
  trace_parent: string | null;
}

/** What is the same for all chunks of a batch; runners keep it. */
export function runnableBatchStatement(pool: Pool, s: string) {
  const text = `SELECT id, tenant_id, type, provider, connection_id, module_version, defaults, retry, trace_parent
FROM ${s}.batches WHERE id = $1`;
  return async (batchId: string): Promise<RunnableBatch> => {
    const { rows } = await pool.query<BatchRow>({ name: 'bs_runnable', text, values: [batchId] });
    const row = rows[0];
    if (row === undefined) throw new Error(`Batch ${batchId} of a leased chunk does not exist`);
    return {
      batchId: row.id,
      tenantId: row.tenant_id,
      type: row.type,
      provider: row.provider,
      connectionId: row.connection_id,
      moduleVersion: row.module_version,
      defaults: row.defaults,
      retry: row.retry,
      traceParent: row.trace_parent,
    };
  };
}

/**
 * E12: late results are recorded; a late success settles an `unknown` of the same attempt. Counting what was
 * written puts the late results before what they settle.
 */
export function recordLateStatement(pool: Pool, s: string) {
  const lock = `SELECT id FROM ${s}.batches WHERE id = $1 FOR UPDATE`;
  const record = `
WITH late AS (
  SELECT * FROM unnest($3::int[], $4::json[], $5::boolean[]) AS l (seq, data, success)
), written AS (
  INSERT INTO ${s}.job_event_rows (batch_id, seq, attempt, kind, data)
  SELECT $1, seq, $2, 'late', data FROM late
  RETURNING 1
), successes AS (
  SELECT seq, $2::int AS attempt, json_build_object('outcome', 'succeeded', 'by', 'late', 'ref', data->>'ref') AS data
  FROM late WHERE success
), ${settleUnknown(s, 'successes', '(SELECT count(*) FROM written) > 0')}`;
  return async (lease: ChunkLease, events: readonly LateEvent[]): Promise<void> => {
    const values = [
      lease.batchId,
      lease.attempt,
      intArray(events.map((event) => event.seq)),
      textArray(events.map((event) => event.data)),
      `{${events.map((event) => event.success).join(',')}}`,
    ];
    await transaction(pool, async (client) => {
      await client.query(lock, [lease.batchId]);
      await client.query(record, values);
    });
  };
}

/** Blocks and throttles a connection (E18). The first reason stands until somebody unblocks it. */
export function connectionStatements(pool: Pool, s: string) {
  const block = `
UPDATE ${s}.connections SET blocked_at = coalesce(blocked_at, now()),
  blocked_code = CASE WHEN blocked_at IS NULL THEN $2 ELSE blocked_code END,
  blocked_message = CASE WHEN blocked_at IS NULL THEN $3 ELSE blocked_message END
WHERE id = $1 AND version = $4`;
  const throttle = `
UPDATE ${s}.connections SET throttled_until = greatest(throttled_until, now() + $2::float8 * interval '1 ms') WHERE id = $1`;
  return {
    async block(
      connectionId: string,
      { code, message }: { code: string; message: string | null },
      version: number,
    ): Promise<void> {
      await pool.query({ name: 'bs_block', text: block, values: [connectionId, code, message, version] });
    },
    async throttle(connectionId: string, forMs: number): Promise<void> {
      await pool.query({ name: 'bs_throttle', text: throttle, values: [connectionId, forMs] });
    },
  };
}
