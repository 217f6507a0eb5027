import type { ClientBase, Pool } from 'pg';
import { BatchSenderError } from '../../engine/errors.ts';
import type { SteerStore } from '../../engine/host-store.ts';
import { notifyText } from '../listen.ts';
import { transaction } from '../transaction.ts';
import { EVENT_IDS } from './event-arrays.ts';
import { holdConnection, noConnection } from './hold-connection.ts';
import { chunksForRange, EFFECTIVE_CHUNK_SIZE } from './make-chunks.ts';

interface Locked {
  state: string;
  total: number;
  connection_id: string;
}

/** Pause, resume, cancel, retry, seal: each locks the batch row and checks again (E5). */
export function steerStatements(pool: Pool, s: string, channel: string): Omit<SteerStore, 'resolve'> {
  const withBatch = (
    tenantId: string,
    batchId: string,
    work: (client: ClientBase, batch: Locked) => Promise<void>,
  ) =>
    transaction(pool, async (client) => {
      const { rows } = await client.query<Locked>(
        `SELECT state, total, connection_id FROM ${s}.batches WHERE id = $1 AND tenant_id = $2 FOR UPDATE`,
        [batchId, tenantId],
      );
      if (rows[0] === undefined)
        throw new BatchSenderError('batch_not_found', `There is no batch ${batchId}`);
      await work(client, rows[0]);
    });

  const notify = notifyText(channel);

  const makeChunks = async (client: ClientBase, batchId: string, state: string) => {
    await client.query(
      `UPDATE ${s}.batches AS b SET sealed_at = now(), changed_at = now(), state = ${state},
         open_chunks = ceil(b.total::float8 / ${EFFECTIVE_CHUNK_SIZE})::int,
         completed_at = CASE WHEN b.total = 0 THEN now() END
       WHERE b.id = $1`,
      [batchId],
    );
    await client.query(chunksForRange(s), [batchId]);
    await client.query(notify);
  };

  return {
    seal: (tenantId, batchId) =>
      withBatch(tenantId, batchId, async (client, { state }) => {
        if (state !== 'open') throw conflict(batchId, state, 'sealed', 'open');
        const active = await client.query(
          `SELECT 1 FROM ${s}.uploads WHERE batch_id = $1 AND state = 'active'`,
          [batchId],
        );
        if (active.rowCount !== 0) {
          throw new BatchSenderError(
            'upload_in_progress',
            `An upload into batch ${batchId} is under way: seal it afterwards`,
          );
        }
        await makeChunks(
          client,
          batchId,
          `CASE WHEN b.total = 0 THEN 'completed' WHEN b.scheduled_at > now() THEN 'scheduled' ELSE 'running' END`,
        );
      }),
    pause: (tenantId, batchId) =>
      withBatch(tenantId, batchId, async (client, { state }) => {
        if (state === 'paused') return;
        if (state !== 'running' && state !== 'scheduled')
          throw conflict(batchId, state, 'paused', 'running or scheduled');
        await setState(client, s, batchId, `'paused'`);
        await announce(client, channel, 'steered', batchId);
      }),
    async resume(tenantId, batchId) {
      // Hints that found the batch paused led to nothing: without this they are sent again after 10 s only.
      await pool.query(
        `UPDATE ${s}.chunks SET dispatched_at = NULL WHERE id IN (
           SELECT c.id FROM ${s}.batches AS b JOIN ${s}.chunks AS c ON c.batch_id = b.id
           WHERE b.id = $1 AND b.tenant_id = $2 AND b.state = 'paused' AND c.state = 'ready' AND c.dispatched_at IS NOT NULL
           ORDER BY c.id FOR UPDATE OF c)`,
        [batchId, tenantId],
      );
      await withBatch(tenantId, batchId, async (client, { state }) => {
        if (state === 'running' || state === 'scheduled') return;
        if (state !== 'paused') throw conflict(batchId, state, 'resumed', 'paused');
        await setState(
          client,
          s,
          batchId,
          `CASE WHEN scheduled_at > now() THEN 'scheduled' ELSE 'running' END`,
        );
        await client.query(notify);
      });
    },
    cancel: (tenantId, batchId) =>
      withBatch(tenantId, batchId, async (client, { state, total }) => {
        if (state === 'cancelling' || state === 'cancelled') return;
        if (state === 'completed')
          throw conflict(batchId, state, 'cancelled', 'open, scheduled, running or paused');
        if (state === 'open')
          await makeChunks(client, batchId, `CASE WHEN b.total = 0 THEN 'cancelled' ELSE 'cancelling' END`);
        else await dropRetries(client, s, batchId);
        if (state === 'open' && total === 0) return;
        await client.query(`INSERT INTO ${s}.sweeps (batch_id, kind) VALUES ($1, 'cancel')`, [batchId]);
        await announce(client, channel, 'steered', batchId);
      }),
    retry: (tenantId, batchId, states) =>
      withBatch(tenantId, batchId, async (client, { state, connection_id: connectionId }) => {
        if (state === 'open' || state === 'scheduled' || state === 'cancelling') {
          throw conflict(batchId, state, 'retried', 'running, paused, completed or cancelled');
        }
        if (!(await holdConnection(client, s, connectionId))) throw removed(batchId);
        await client.query(
          `INSERT INTO ${s}.sweeps (batch_id, kind, states, upto_event)
           VALUES ($1, 'retry', $2, (SELECT last_value + ${EVENT_IDS - 1} FROM ${s}.job_event_ids))`,
          [batchId, states],
        );
        // The sweep itself counts as an open chunk, so that the batch does not complete under it.
        await client.query(
          `UPDATE ${s}.batches SET open_chunks = open_chunks + 1, completed_at = NULL, changed_at = now(),
             state = CASE WHEN state = 'paused' THEN 'paused' ELSE 'running' END WHERE id = $1`,
          [batchId],
        );
      }),
    unblock: unblockStatement(pool, s, channel),
  };
}

function unblockStatement(pool: Pool, s: string, channel: string): SteerStore['unblock'] {
  return async (tenantId, connectionId) => {
    // What waits for an endpoint that fails waits for up to an hour: it is due now.
    const { rowCount } = await pool.query(
      `WITH failing AS (DELETE FROM ${s}.endpoints WHERE connection_id = $1 RETURNING 1), due AS (
         UPDATE ${s}.chunks AS c SET due_at = now() FROM ${s}.batches AS b
         WHERE c.connection_id = $1 AND c.state = 'ready' AND c.due_at > now() AND b.id = c.batch_id
           AND b.state = 'running' AND EXISTS (SELECT 1 FROM failing)
       )
       UPDATE ${s}.connections SET blocked_at = NULL, blocked_code = NULL, blocked_message = NULL, throttled_until = NULL
       WHERE id = $1 AND (tenant_id IS NULL OR tenant_id = $2)`,
      [connectionId, tenantId],
    );
    if (rowCount === 0) throw noConnection(connectionId);
    await announce(pool, channel, 'unblocked', connectionId);
  };
}

/** Tells the runners of all processes at once; their heartbeats would tell them too, a second later (E17). */
async function announce(
  client: ClientBase | Pool,
  channel: string,
  key: 'steered' | 'unblocked',
  id: string,
): Promise<void> {
  await client.query(notifyText(channel, `json_build_object('${key}', $1::text)::text`), [id]);
}

async function setState(client: ClientBase, s: string, batchId: string, state: string): Promise<void> {
  await client.query(`UPDATE ${s}.batches SET state = ${state}, changed_at = now() WHERE id = $1`, [batchId]);
}

async function dropRetries(client: ClientBase, s: string, batchId: string): Promise<void> {
  await client.query(
    `WITH dropped AS (DELETE FROM ${s}.sweeps WHERE batch_id = $1 AND kind = 'retry' RETURNING 1),
     n AS (SELECT count(*)::int AS n FROM dropped)
     UPDATE ${s}.batches SET open_chunks = open_chunks - n.n, changed_at = now(),
       state = CASE WHEN open_chunks - n.n = 0 THEN 'cancelled' ELSE 'cancelling' END,
       completed_at = CASE WHEN open_chunks - n.n = 0 THEN now() END
     FROM n WHERE id = $1`,
    [batchId],
  );
}

const removed = (batchId: string) =>
  new BatchSenderError(
    'batch_state_conflict',
    `The connection of batch ${batchId} was removed, so its jobs cannot be sent again: send them as a new batch`,
  );

const conflict = (batchId: string, state: string, wanted: string, needed: string) =>
  new BatchSenderError(
    'batch_state_conflict',
    `Batch ${batchId} is ${state}; it can be ${wanted} only while it is ${needed}`,
  );
