import { afterAll, beforeAll, expect, it } from 'vitest';
import { backlogText } from '../../../src/postgres/sql/backlog.ts';
import { StoreWorld } from '../../helpers/store-world.ts';

let world: StoreWorld;
beforeAll(async () => {
  world = await StoreWorld.create();
});
afterAll(() => world.close());

const backlog = () => world.store.read.backlog(15_000);

it('counts what waits and what is held, and finds the oldest chunk that is due', async () => {
  expect(await backlog()).toEqual({ types: [], blockedConnections: [], runners: 1 });
  const old = await world.batch(30, 10);
  const paused = await world.batch(10, 10);
  await world.pool.query(`UPDATE batchsender.chunks SET due_at = now() - interval '90 s' WHERE id = $1`, [
    old.chunkIds[1],
  ]);
  await world.pool.query(`UPDATE batchsender.batches SET state = 'paused' WHERE id = $1`, [paused.id]);
  await world.store.run.lease(old.chunkIds[0] as number, world.runnerId);
  const { types } = await backlog();
  expect(types).toEqual([
    { type: 'mail', readyChunks: 2, leasedChunks: 1, oldestDueMs: expect.any(Number), unknownJobs: 0 },
  ]);
  expect(types[0]?.oldestDueMs).toBeGreaterThanOrEqual(90_000);
  await world.store.run.lease(old.chunkIds[1] as number, world.runnerId);
  expect((await backlog()).types[0]?.oldestDueMs).toBeLessThan(90_000);
  await world.pool.query(`UPDATE batchsender.chunks SET due_at = now() + interval '1 h' WHERE id = $1`, [
    old.chunkIds[2],
  ]);
  expect((await backlog()).types[0]).toMatchObject({ readyChunks: 1, leasedChunks: 2, oldestDueMs: 0 });
});

it('counts unknown jobs of settled batches, blocked connections, and runners that live', async () => {
  const { id } = await world.batch(5);
  await world.pool.query(`UPDATE batchsender.batches SET state = 'completed', unknown = 4 WHERE id = $1`, [
    id,
  ]);
  await world.pool.query(
    `INSERT INTO batchsender.connections (id, type, provider, blocked_at)
     VALUES ('mail.a', 'mail', 'a', now()), ('mail.b', 'mail', 'a', now()), ('mail.c', 'mail', 'c', NULL)`,
  );
  await world.pool.query(
    `INSERT INTO batchsender.runners (id, seen_at, versions) VALUES (gen_random_uuid(), now() - interval '1 min', '{}')`,
  );
  const { types, blockedConnections, runners } = await backlog();
  expect(types[0]?.unknownJobs).toBe(4);
  expect(blockedConnections).toEqual([{ type: 'mail', provider: 'a', connections: 2 }]);
  expect(runners).toBe(1);
});

it('is answered by indexes of just what it counts', async () => {
  const client = await world.pool.connect();
  await client.query('SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan');
  await client.query(`PREPARE backlog (int, float8) AS ${backlogText('batchsender')}`);
  const { rows } = await client.query<{ 'QUERY PLAN': string }>('EXPLAIN EXECUTE backlog(10, 1)');
  client.release(true);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  for (const index of ['batches_running', 'batches_unknown', 'chunks_leased', 'chunks_ready'])
    expect(plan).toContain(index);
  expect(plan).not.toMatch(/Seq Scan on (batches|chunks)/);
  expect(plan).not.toMatch(/jobs|job_events/);
});
