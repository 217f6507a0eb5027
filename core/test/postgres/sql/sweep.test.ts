import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conservationProblems } from '../../helpers/model-conservation.ts';
import { readSnapshot } from '../../helpers/model-snapshot.ts';
import { testServers } from '../../helpers/postgres.ts';
import { StoreWorld } from '../../helpers/store-world.ts';

describe.each(testServers())('sweeps on $name', (server) => {
  let world: StoreWorld;
  beforeAll(async () => {
    world = await StoreWorld.create(server);
  });
  afterAll(() => world.close());

  const close = { kind: 'close', chunks: [] } as const;
  const giveBack = { kind: 'giveBack', dueInMs: 0 } as const;
  const problems = async () => conservationProblems(await readSnapshot(world.pool));
  const batch = (id: string) => world.store.read.batch('default', id);

  async function cancel(id: string): Promise<void> {
    await world.store.steer.cancel('default', id);
    await world.sweep(id);
  }

  async function retry(id: string, states: ('failed' | 'unknown' | 'cancelled')[]): Promise<void> {
    await world.store.steer.retry('default', id, states);
    await world.sweep(id);
  }

  const openChunks = async (id: string) => {
    const { rows } = await world.pool.query(
      `SELECT seqs, attempt, uncertain FROM batchsender.chunks WHERE batch_id = $1 AND state <> 'closed' ORDER BY seqs`,
      [id],
    );
    return rows;
  };

  describe('of a cancellation', () => {
    it('E17: cancel what waits, and tell a call in doubt from one that was never made', async () => {
      const { id, chunkIds } = await world.batch(7);
      const lease = await world.lease(chunkIds[0]);
      await world.store.run.fence(
        lease,
        [1, 2, 3].map((seq) => ({ seq, kind: 'attempted', data: null })),
      );
      await world.store.run.fence(lease, [{ seq: 3, kind: 'released', data: null }]);
      const results = {
        2: 'succeeded',
        4: 'retried',
        5: ['retried', { code: 'reset', uncertain: true }],
      } as const;
      await world.flush(lease, results, giveBack);
      await cancel(id);
      expect(await world.lastEvents(id)).toEqual({
        0: '1 cancelled',
        1: '1 unknown cancelled_in_flight',
        2: '1 succeeded',
        3: '1 cancelled',
        4: '2 cancelled',
        5: '2 cancelled cancelled',
        6: '1 cancelled',
      });
      expect(await batch(id)).toMatchObject({
        state: 'cancelled',
        counts: { cancelled: 5, unknown: 1, succeeded: 1 },
      });
      expect(await problems()).toEqual([]);
    });

    it('E17: cancel jobs that were reopened and have not begun', async () => {
      const { id, chunkIds } = await world.batch(3);
      await world.flush(await world.lease(chunkIds[0]), { 0: 'failed', 1: 'failed', 2: 'succeeded' }, close);
      await retry(id, ['failed']);
      await cancel(id);
      expect(await world.lastEvents(id)).toEqual({ 0: '2 cancelled', 1: '2 cancelled', 2: '1 succeeded' });
      expect(await batch(id)).toMatchObject({ state: 'cancelled', counts: { cancelled: 2, waiting: 0 } });
      expect(await problems()).toEqual([]);
    });

    it('E17: leave alone what was reopened since', async () => {
      const { id } = await world.batch(3);
      await cancel(id);
      await retry(id, ['cancelled']);
      // Left behind by a process that was slow to see that nothing was left to do.
      await world.pool.query(`INSERT INTO batchsender.sweeps (batch_id, kind) VALUES ($1, 'cancel')`, [id]);
      await world.sweep(id);
      expect(await batch(id)).toMatchObject({ state: 'running', counts: { cancelled: 0, waiting: 3 } });
      expect(await problems()).toEqual([]);
    });

    it('E17: drop a retry that is under way', async () => {
      const { id, chunkIds } = await world.batch(2);
      await world.flush(await world.lease(chunkIds[0]), { 0: 'failed', 1: 'failed' }, close);
      await world.store.steer.retry('default', id, ['failed']);
      await cancel(id);
      expect(await batch(id)).toMatchObject({ state: 'cancelled', counts: { failed: 2, cancelled: 0 } });
      expect(await problems()).toEqual([]);
    });
  });

  describe('of a retry', () => {
    it('E5: reopen jobs in the states that were asked for, with a higher attempt', async () => {
      const { id, chunkIds } = await world.batch(5);
      const results = { 0: 'failed', 1: 'succeeded', 2: 'unknown', 3: 'unknown', 4: 'failed' } as const;
      await world.flush(await world.lease(chunkIds[0]), results, close);
      await world.store.steer.resolve('default', id, 3, 'failed');
      await retry(id, ['failed']);
      expect(await openChunks(id)).toEqual([{ seqs: [0, 3, 4], attempt: 2, uncertain: false }]);
      expect(await batch(id)).toMatchObject({
        state: 'running',
        completedAt: null,
        counts: { failed: 0, unknown: 1, waiting: 3 },
      });
      expect(await problems()).toEqual([]);
    });

    it('E5: keep the doubt about an earlier call', async () => {
      const { id, chunkIds } = await world.batch(5);
      const results = {
        0: 'failed',
        1: ['failed', { code: 'no', possibleDuplicate: true }],
        2: 'unknown',
        3: ['cancelled', { code: 'cancelled', uncertain: true }],
        4: 'cancelled',
      } as const;
      await world.flush(await world.lease(chunkIds[0]), results, close);
      await retry(id, ['failed', 'unknown', 'cancelled']);
      expect(await openChunks(id)).toEqual([
        { seqs: [0, 4], attempt: 2, uncertain: false },
        { seqs: [1, 2, 3], attempt: 2, uncertain: true },
      ]);
      expect(await problems()).toEqual([]);
    });

    it('E5: count once, although two ask at once', async () => {
      const { id, chunkIds } = await world.batch(4);
      await world.flush(
        await world.lease(chunkIds[0]),
        { 0: 'failed', 1: 'failed', 2: 'failed', 3: 'failed' },
        close,
      );
      await Promise.all([retry(id, ['failed']), retry(id, ['failed'])]);
      await world.sweep(id);
      expect(await openChunks(id)).toHaveLength(1);
      expect(await batch(id)).toMatchObject({ state: 'running', counts: { failed: 0, waiting: 4 } });
      expect(await problems()).toEqual([]);
    });

    it('E5: reopen jobs of a chunk that is still at work, and leave its other jobs to it', async () => {
      const { id, chunkIds } = await world.batch(3);
      const lease = await world.lease(chunkIds[0]);
      await world.flush(lease, { 0: 'failed' });
      await retry(id, ['failed']);
      expect(await problems()).toEqual([]);
      await world.flush(lease, { 1: 'succeeded', 2: 'succeeded' }, close, lease.flushNo + 1);
      expect(await batch(id)).toMatchObject({
        state: 'running',
        counts: { succeeded: 2, failed: 0, waiting: 1 },
      });
      expect(await problems()).toEqual([]);
    });

    it('E10: complete the batch if nothing is left to be reopened', async () => {
      const { id, chunkIds } = await world.batch(1);
      await world.flush(await world.lease(chunkIds[0]), { 0: 'succeeded' }, close);
      await retry(id, ['failed', 'unknown', 'cancelled']);
      expect(await batch(id)).toMatchObject({ state: 'completed', counts: { succeeded: 1 } });
      expect(await problems()).toEqual([]);
    });
  });
});
