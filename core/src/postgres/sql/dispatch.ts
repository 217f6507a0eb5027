import type { Pool } from 'pg';
import type { Candidate, DispatchStore } from '../../engine/store.ts';
import { intArray } from './array-literal.ts';

const BATCHES_A_ROUND = 500;

interface Row {
  batch_id: string;
  tenant_id: string;
  connection_id: string;
  type: string;
  module_version: number;
  priority: number;
  chunk_ids: number[] | null;
}

/** Due chunks of running batches whose connection can work, and what marks them as hinted (E15). */
export function dispatchStatements(
  pool: Pool,
  s: string,
): Pick<DispatchStore, 'candidates' | 'markDispatched' | 'unmark' | 'startScheduled'> {
  const find = `
SELECT b.id AS batch_id, b.tenant_id, b.connection_id, b.type, b.module_version, b.priority, d.chunk_ids
FROM (
  SELECT a.id, a.tenant_id, a.connection_id, a.type, a.module_version, a.priority FROM ${s}.batches AS a
  JOIN json_each_text($1::json) AS v ON v.key = a.type AND v.value::int >= a.module_version
  WHERE a.state = 'running' AND ($4::uuid IS NULL OR a.id > $4) ORDER BY a.id LIMIT ${BATCHES_A_ROUND}
) AS b
LEFT JOIN ${s}.connections AS n ON n.id = b.connection_id
LEFT JOIN LATERAL (
  SELECT array_agg(id) AS chunk_ids FROM (
    SELECT c.id FROM ${s}.chunks AS c
    WHERE c.batch_id = b.id AND c.state = 'ready' AND c.due_at <= now()
      AND (c.dispatched_at IS NULL OR c.dispatched_at < now() - $3::float8 * interval '1 ms')
    ORDER BY c.due_at, c.id LIMIT $2
  ) AS due
) AS d ON n.blocked_at IS NULL AND (n.throttled_until IS NULL OR n.throttled_until <= now())
ORDER BY b.id`;
  // SKIP LOCKED: dispatchers that take the same rows in another order must not wait for each other.
  const mark = `
UPDATE ${s}.chunks SET dispatched_at = now()
WHERE id IN (
  SELECT id FROM ${s}.chunks WHERE id = ANY($1::bigint[]) AND state = 'ready'
    AND (dispatched_at IS NULL OR dispatched_at < now() - $2::float8 * interval '1 ms')
  FOR UPDATE SKIP LOCKED
)
RETURNING id`;
  const unmark = `
UPDATE ${s}.chunks SET dispatched_at = NULL
WHERE id IN (SELECT id FROM ${s}.chunks WHERE id = ANY($1::bigint[]) AND state = 'ready' FOR UPDATE SKIP LOCKED)`;
  const start = `
UPDATE ${s}.batches SET state = 'running', changed_at = now() WHERE id IN (
  SELECT id FROM ${s}.batches WHERE state = 'scheduled' AND scheduled_at <= now() FOR UPDATE SKIP LOCKED
)`;
  const next = `
SELECT (extract(epoch FROM min(scheduled_at) - now()) * 1000)::float8 AS in_ms FROM ${s}.batches WHERE state = 'scheduled'`;
  return {
    async candidates({ versions, perBatch, rehintMs, cursor }) {
      const values = [JSON.stringify(versions), perBatch, rehintMs, cursor];
      const { rows } = await pool.query<Row>({ name: 'bs_candidates', text: find, values });
      return {
        candidates: rows.flatMap(toCandidates),
        cursor: rows.length === BATCHES_A_ROUND ? (rows.at(-1)?.batch_id ?? null) : null,
      };
    },
    async markDispatched(chunkIds, rehintMs) {
      const values = [intArray(chunkIds), rehintMs];
      const { rows } = await pool.query<{ id: number }>({ name: 'bs_mark', text: mark, values });
      return rows.map((row) => row.id);
    },
    async unmark(chunkIds) {
      await pool.query({ name: 'bs_unmark', text: unmark, values: [intArray(chunkIds)] });
    },
    async startScheduled() {
      await pool.query({ name: 'bs_start_scheduled', text: start });
      const { rows } = await pool.query<{ in_ms: number | null }>({ name: 'bs_next_scheduled', text: next });
      return rows[0]?.in_ms ?? undefined;
    },
  };
}

function toCandidates(row: Row): Candidate[] {
  return (row.chunk_ids ?? []).map((chunkId) => ({
    chunkId: Number(chunkId),
    batchId: row.batch_id,
    tenantId: row.tenant_id,
    connectionId: row.connection_id,
    type: row.type,
    moduleVersion: row.module_version,
    priority: row.priority,
  }));
}
