import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_TALLIES } from '../../../src/engine/decisions/tallies.ts';
import type { ChunkEnd } from '../../../src/engine/store.ts';
import { conservationProblems } from '../../helpers/model-conservation.ts';
import { readSnapshot } from '../../helpers/model-snapshot.ts';
import { testServers } from '../../helpers/postgres.ts';
import { StoreWorld } from '../../helpers/store-world.ts';

describe.each(testServers())('a flush on $name', (server) => {
  let world: StoreWorld;
  beforeAll(async () => {
    world = await StoreWorld.create(server);
  });
  afterAll(() => world.close());

  const again: ChunkEnd = {
    kind: 'close',
    chunks: [{ seqs: [1, 2], dueInMs: 0, attempt: 2, spent: 1, uncertain: true, split: false }],
  };
  const problems = async () => conservationProblems(await readSnapshot(world.pool));
  const counts = async (id: string) => (await world.store.read.batch('default', id))?.counts;

  it.each<[string, ChunkEnd]>([
    ['keeps the chunk', { kind: 'keep' }],
    ['gives the chunk back', { kind: 'giveBack', dueInMs: 0 }],
    ['closes the chunk', { kind: 'close', chunks: [] }],
    ['closes the chunk with a follow-up', again],
  ])('E9: that %s is applied once, however often it is sent', async (_what, end) => {
    const { id, chunkIds } = await world.batch(3);
    const lease = await world.lease(chunkIds[0]);
    const rest = end.kind === 'close' && end.chunks.length === 0 ? 'failed' : 'retried';
    const results = { 0: 'succeeded', 1: rest, 2: rest } as const;
    expect(await Promise.all([1, 2, 3].map(() => world.flush(lease, results, end)))).toEqual([
      true,
      true,
      true,
    ]);
    expect(await counts(id)).toMatchObject({ total: 3, succeeded: 1 });
    const { rows } = await world.pool.query('SELECT 1 FROM batchsender.job_events WHERE batch_id = $1', [id]);
    expect(rows).toHaveLength(3);
    expect(await problems()).toEqual([]);
  });

  it('E1: numbers its events in their order, with one call of the sequence; fences of neighbours share one', async () => {
    const { id, chunkIds } = await world.batch(600);
    const lease = await world.lease(chunkIds[0]);
    const fences = (seqs: readonly number[], data: string | null = null) =>
      seqs.map((seq) => ({ seq, kind: 'attempted', data }) as const);
    await world.store.run.fence(lease, [
      ...fences([258, 0, 1, 255, 256, 257]),
      ...fences([2, 3], '{"call":"k"}'),
    ]);
    await world.flush(lease, { 0: 'failed', 1: 'succeeded', 258: 'unknown' });
    const { rows } = await world.pool.query<{ id: string; seq: number; kind: string }>(
      'SELECT id::text, seq, kind FROM batchsender.job_events WHERE batch_id = $1 ORDER BY id, seq',
      [id],
    );
    const first = BigInt(rows[0]?.id ?? 0);
    expect(rows.map((row) => [Number(BigInt(row.id) - first), row.seq, row.kind])).toEqual([
      [0, 0, 'attempted'],
      [0, 1, 'attempted'],
      // Others in the same call.
      [1, 2, 'attempted'],
      [1, 3, 'attempted'],
      [2, 255, 'attempted'],
      // No run crosses a multiple of 256.
      [3, 256, 'attempted'],
      [3, 257, 'attempted'],
      [3, 258, 'attempted'],
      [65_536, 0, 'failed'],
      [65_537, 1, 'succeeded'],
      [65_538, 258, 'unknown'],
    ]);
  });

  it('E3: writes fences after the outcomes of the same jobs', async () => {
    const { id, chunkIds } = await world.batch(3);
    const lease = await world.lease(chunkIds[0]);
    const events = (['attempted', 'released', 'attempted'] as const).flatMap((kind) =>
      [0, 1, 2].map((seq) => ({ seq, kind, data: null })),
    );
    const flush = {
      lease,
      flushNo: lease.flushNo,
      events,
      tallies: NO_TALLIES,
      end: { kind: 'keep' } as const,
    };
    expect(await world.store.run.flush(flush)).toBe(true);
    const { rows } = await world.pool.query(
      'SELECT seq, array_agg(kind ORDER BY id) AS kinds FROM batchsender.job_events WHERE batch_id = $1 GROUP BY seq',
      [id],
    );
    expect(rows).toHaveLength(3);
    for (const { kinds } of rows) expect(kinds).toEqual(['attempted', 'released', 'attempted']);
    const attempt = await world.store.run.loadAttempt(lease);
    expect(attempt).toMatchObject([0, 1, 2].map((seq) => ({ seq, kind: 'attempted', fences: 2 })));
  });

  it('E6: changes nothing under a lease that was lost', async () => {
    const { id, chunkIds } = await world.batch(2);
    const old = await world.lease(chunkIds[0]);
    await world.store.runner.giveBack(world.runnerId, old.chunkId, old.epoch, true);
    expect(await world.flush(old, { 0: 'succeeded' })).toBe(false);
    const next = await world.lease(chunkIds[0]);
    expect(next).toMatchObject({ epoch: old.epoch + 1, interrupted: true });
    expect(await world.flush(old, { 0: 'succeeded' })).toBe(false);
    expect(await world.store.run.fence(old, [{ seq: 0, kind: 'attempted', data: null }])).toBe(false);
    expect(await world.lastEvents(id)).toEqual({});
    expect(await world.flush(next, { 0: 'failed', 1: 'succeeded' }, { kind: 'close', chunks: [] })).toBe(
      true,
    );
    expect(await counts(id)).toMatchObject({ succeeded: 1, failed: 1 });
    expect(await problems()).toEqual([]);
  });

  it('E10: completes the batch with its last chunk', async () => {
    const { id, chunkIds } = await world.batch(4, 2);
    const [first, second] = await Promise.all(chunkIds.map((chunkId) => world.lease(chunkId)));
    await world.flush(first as never, { 0: 'succeeded', 1: 'succeeded' }, { kind: 'close', chunks: [] });
    expect((await world.store.read.batch('default', id))?.state).toBe('running');
    await world.flush(second as never, { 2: 'succeeded', 3: 'unknown' }, { kind: 'close', chunks: [] });
    const batch = await world.store.read.batch('default', id);
    expect(batch).toMatchObject({ state: 'completed', counts: { succeeded: 3, unknown: 1, running: 0 } });
    expect(batch?.completedAt).not.toBeNull();
  });

  it('E3: leaves a job alone that was resolved while its chunk is still open', async () => {
    const { id, chunkIds } = await world.batch(2);
    const lease = await world.lease(chunkIds[0]);
    await world.flush(lease, { 0: 'unknown' });
    await world.store.steer.resolve('default', id, 0, 'failed');
    await world.store.runner.giveBack(world.runnerId, lease.chunkId, lease.epoch, true);
    const next = await world.lease(chunkIds[0]);
    expect(await world.store.run.loadAttempt(next)).toMatchObject([{ seq: 0, kind: 'unknown' }]);
    expect(await counts(id)).toMatchObject({ failed: 1, unknown: 0, running: 1 });
    expect(await problems()).toEqual([]);
  });

  it('E11: only a lease that was answered leaves a doubt when its chunk is given back', async () => {
    const { chunkIds } = await world.batch(1);
    const first = await world.lease(chunkIds[0]);
    await world.store.runner.giveBack(world.runnerId, first.chunkId, first.epoch, false);
    const second = await world.lease(chunkIds[0]);
    expect(second.interrupted).toBe(false);
    // An old epoch gives back nothing.
    await world.store.runner.giveBack(world.runnerId, first.chunkId, first.epoch, true);
    await expect(world.lease(chunkIds[0])).rejects.toThrow(/cannot be leased/);
    await world.store.runner.giveBack(world.runnerId, second.chunkId, second.epoch, true);
    expect((await world.lease(chunkIds[0])).interrupted).toBe(true);
  });

  it('E15: chunks are marked once by dispatchers that look at once, in whatever order', async () => {
    const { chunkIds } = await world.batch(60, 1);
    const orders = [chunkIds, chunkIds.toReversed(), chunkIds, chunkIds.toReversed()];
    const marked = await Promise.all(orders.map((ids) => world.store.dispatch.markDispatched(ids, 10_000)));
    expect(
      marked
        .flat()
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(chunkIds);
  });
});
