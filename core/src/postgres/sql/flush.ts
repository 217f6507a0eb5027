import type { Pool } from 'pg';
import type { ChunkEnd, Flush } from '../../engine/store.ts';
import { addEvents, type EventParameters, insertEvents } from './event-arrays.ts';

const SET: Record<ChunkEnd['kind'], string> = {
  keep: '',
  giveBack: `, state = 'ready', runner_id = NULL, dispatched_at = NULL, due_at = now() + $10::float8 * interval '1 ms'`,
  close: `, state = 'closed', runner_id = NULL`,
};

/**
 * E9: one statement, conditional on `epoch` and `flush_no`, writes events and tallies, so that
 * repeating it changes nothing. With `close` it also makes the follow-up chunks (E4) and moves
 * the batch's counters (E10); the batch completes with its last chunk. The events stand last since Postgres makes
 * changes that nobody reads from back to front: chunks of a batch that end together wait for its row, not for each
 * other's events too. Nothing but the waiting depends on it.
 */
export function flushStatement(pool: Pool, s: string) {
  const texts = new Map<string, string>();
  const textOf = (name: string, parts: FlushParts) => {
    const known = texts.get(name);
    if (known !== undefined) return known;
    const text = flushText(s, parts);
    texts.set(name, text);
    return text;
  };
  const wasApplied = `SELECT 1 FROM ${s}.chunks WHERE id = $1 AND epoch = $2 AND flush_no = $3 + 1`;
  return async (flush: Flush): Promise<boolean> => {
    const { lease, flushNo, tallies: t, end } = flush;
    const values: unknown[] = [lease.chunkId, lease.epoch, flushNo];
    values.push(t.succeeded, t.failed, t.unknown, t.cancelled, t.retried, t.postponed);
    const withChunks = end.kind === 'close' && end.chunks.length > 0;
    if (end.kind === 'giveBack') values.push(end.dueInMs);
    if (withChunks) values.push(JSON.stringify(end.chunks));
    const parts: FlushParts = { kind: end.kind, withChunks, ...addEvents(values, flush.events) };
    const name = `bs_flush_${end.kind}${withChunks ? '_chunks' : ''}_${parts.events}_${parts.fences}`;
    const { rows } = await pool.query({ name, text: textOf(name, parts), values });
    if (rows.length > 0) return true;
    const check = await pool.query({ name: 'bs_flush_check', text: wasApplied, values: values.slice(0, 3) });
    return check.rowCount === 1;
  };
}

interface FlushParts extends EventParameters {
  readonly kind: ChunkEnd['kind'];
  readonly withChunks: boolean;
}

function flushText(s: string, { kind, withChunks, ...parameters }: FlushParts): string {
  return `
WITH c AS (
  UPDATE ${s}.chunks SET flush_no = flush_no + 1,
    succeeded = succeeded + $4, failed = failed + $5, unknown = unknown + $6, cancelled = cancelled + $7,
    retried = retried + $8, postponed = postponed + $9${SET[kind]}
  WHERE id = $1 AND epoch = $2 AND flush_no = $3 AND state = 'leased'
  RETURNING *
)${withChunks ? newChunks(s) : ''}${kind === 'close' ? closeBatch(s, withChunks) : ''}${insertEvents(s, parameters)}
SELECT 1 FROM c`;
}

/** Follow-ups keep when their jobs were first due and leased; a split keeps the attempt's doubts too, but dies for itself (E21). */
function newChunks(s: string): string {
  return `, f AS (
  INSERT INTO ${s}.chunks (batch_id, connection_id, state, due_at, first_due_at, first_leased_at, attempt, spent,
    epoch, deaths, interrupted, uncertain, seqs, size)
  SELECT c.batch_id, c.connection_id, 'ready', now() + n."dueInMs" * interval '1 ms', c.first_due_at, c.first_leased_at,
    n.attempt, n.spent, CASE WHEN n.split THEN 1 ELSE 0 END, CASE WHEN n.split THEN least(c.deaths, 1) ELSE 0 END,
    n.split AND c.interrupted, n.uncertain, n.seqs, cardinality(n.seqs)
  FROM c, json_to_recordset($10::json) AS n
    ("dueInMs" float8, attempt int, spent int, split boolean, uncertain boolean, seqs int[])
  RETURNING 1
)`;
}

function closeBatch(s: string, withChunks: boolean): string {
  const left = `b.open_chunks - 1${withChunks ? ' + (SELECT count(*)::int FROM f)' : ''}`;
  return `, b AS (
  UPDATE ${s}.batches AS b SET
    succeeded = b.succeeded + c.succeeded, failed = b.failed + c.failed,
    unknown = b.unknown + c.unknown, cancelled = b.cancelled + c.cancelled,
    open_chunks = ${left}, changed_at = now(),
    state = CASE WHEN ${left} > 0 THEN b.state WHEN b.state = 'cancelling' THEN 'cancelled' ELSE 'completed' END,
    completed_at = CASE WHEN ${left} > 0 THEN b.completed_at ELSE now() END
  FROM c WHERE b.id = c.batch_id
)`;
}
