import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testServers } from '../../helpers/postgres.ts';
import { StoreWorld } from '../../helpers/store-world.ts';

describe.each(testServers())("a chunk's payloads on $name", (server) => {
  let world: StoreWorld;
  beforeAll(async () => {
    world = await StoreWorld.create(server);
  });
  afterAll(() => world.close());

  /** Payloads that tell their jobs. */
  const numbered = (id: string) =>
    world.pool.query(
      `UPDATE batchsender.jobs SET payload = json_build_object('n', seq) WHERE batch_id = $1`,
      [id],
    );

  it('are the same if they were loaded before the lease', async () => {
    const { id, chunkIds } = await world.batch(3);
    await numbered(id);
    world.store.run.loadEarly(id, 3);
    const lease = await world.lease(chunkIds[0]);
    const payloads = await world.store.run.loadJobs(lease);
    expect([0, 1, 2].map((seq) => payloads.get(seq))).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
  });

  it('are those of the chunk where others were loaded before', async () => {
    const { id, chunkIds } = await world.batch(4, 2);
    await numbered(id);
    world.store.run.loadEarly(id, 4);
    const lease = await world.lease(chunkIds[1]);
    const payloads = await world.store.run.loadJobs(lease);
    expect([2, 3].map((seq) => payloads.get(seq))).toEqual([{ n: 2 }, { n: 3 }]);
    expect(payloads.get(0)).toBeUndefined();
  });

  it('are loaded again if that failed before', async () => {
    const { id, chunkIds } = await world.batch(2);
    await numbered(id);
    // More than there are: refused as a chunk whose jobs are missing.
    world.store.run.loadEarly(id, 3);
    const payloads = await world.store.run.loadJobs(await world.lease(chunkIds[0]));
    expect(payloads.get(1)).toEqual({ n: 1 });
  });
});
