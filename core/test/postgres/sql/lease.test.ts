import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testServers } from '../../helpers/postgres.ts';
import { StoreWorld } from '../../helpers/store-world.ts';

describe.each(testServers())('leases that are asked for together, on $name', (server) => {
  let world: StoreWorld;
  beforeAll(async () => {
    world = await StoreWorld.create(server);
  });
  afterAll(() => world.close());

  const leaseAll = (chunkIds: readonly number[], runnerId: string) =>
    Promise.all(chunkIds.map((chunkId) => world.store.run.lease(chunkId, runnerId)));

  it('E6: share a statement, and each tells of its own chunk', async () => {
    const { chunkIds } = await world.batch(6, 2);
    const [first, second, third] = chunkIds as [number, number, number];
    await world.store.run.lease(second, randomUUID());
    const leases = await leaseAll([third, second, first], world.runnerId);
    expect(leases).toMatchObject([
      { chunkId: third, epoch: 1, jobs: { first: 4, end: 6 } },
      undefined,
      { chunkId: first, epoch: 1, jobs: { first: 0, end: 2 } },
    ]);
    const { rows } = await world.pool.query(
      'SELECT DISTINCT xmin::text FROM batchsender.chunks WHERE id = ANY($1) AND runner_id = $2',
      [chunkIds, world.runnerId],
    );
    expect(rows).toHaveLength(1);
  });

  it('E6: take no chunk of a batch that is paused, nor one that is not due', async () => {
    const paused = await world.batch(2);
    await world.store.steer.pause('default', paused.id);
    const later = await world.batch(2);
    await world.pool.query(
      `UPDATE batchsender.chunks SET due_at = now() + interval '1 h' WHERE id = ANY($1)`,
      [later.chunkIds],
    );
    const { chunkIds } = await world.batch(2);
    const leases = await leaseAll([...paused.chunkIds, ...later.chunkIds, ...chunkIds], world.runnerId);
    expect(leases.map((lease) => lease?.chunkId)).toEqual([undefined, undefined, chunkIds[0]]);
  });

  it('E6: go to one of two runners each, who ask in opposite orders', async () => {
    for (let round = 0; round < 20; round++) {
      const { chunkIds } = await world.batch(40, 2);
      const ids = chunkIds as number[];
      const [mine, theirs] = await Promise.all([
        leaseAll(ids, randomUUID()),
        leaseAll(ids.toReversed(), randomUUID()),
      ]);
      const taken = [...mine, ...theirs].flatMap((lease) => (lease === undefined ? [] : [lease.chunkId]));
      expect(taken.toSorted((a, b) => a - b)).toEqual(ids);
    }
  });
});
