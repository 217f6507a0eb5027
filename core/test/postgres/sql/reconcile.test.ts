import { v7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Batch, Engine } from '../../../src/engine/api.ts';
import { endLeadership } from '../../helpers/model-actions.ts';
import { conservationProblems } from '../../helpers/model-conservation.ts';
import { readSnapshot } from '../../helpers/model-snapshot.ts';
import { ModelWorld } from '../../helpers/model-world.ts';

/** Data that no engine leaves behind, made by hand. */
describe('E2: the reconciler', () => {
  let world: ModelWorld;
  let engine: Engine;

  beforeEach(async () => {
    world = await ModelWorld.create(1);
    world.vendor.healthy = true;
    // Somebody else leads: the engine repairs nothing before the test looks.
    await world.store.maintenance.lead('maintenance', v7(), 3_600_000);
    ({ engine } = await world.start({ chunkSize: 12 }));
  });
  afterEach(() => world.close());

  const jobs = (count: number) => Array.from({ length: count }, (_, n) => ({ tag: 't', n, to: 'e0' }));

  async function paused(count: number, provider = 'least'): Promise<Batch> {
    const { id } = await engine.submit({ type: 'model', provider, sealed: false });
    const upload = await engine.upload(id);
    await upload.write(jobs(count).map((payload) => ({ payload })));
    await upload.commit();
    // Scheduled for later, so that nothing runs between sealing and pausing.
    await world.pool.query(
      `UPDATE batchsender.batches SET scheduled_at = now() + interval '1 hour' WHERE id = $1`,
      [id],
    );
    await engine.seal(id);
    await world.pool.query('UPDATE batchsender.batches SET scheduled_at = NULL WHERE id = $1', [id]);
    await world.pool.query(
      'UPDATE batchsender.chunks SET due_at = now(), first_due_at = now() WHERE batch_id = $1',
      [id],
    );
    return engine.pause(id);
  }

  async function completed(count: number): Promise<Batch> {
    const { id } = await engine.submit({ type: 'model', provider: 'keyed', jobs: jobs(count) });
    await ended(id);
    return engine.getBatch(id);
  }

  const ended = (id: string) =>
    expect
      .poll(async () => (await engine.getBatch(id)).state, { timeout: 15_000, interval: 50 })
      .toBe('completed');

  const damage = (sql: string, id: string) => world.pool.query(sql, [id]);

  /** Asks for a look at everything, and answers the number of repairs. */
  async function reconcile(): Promise<number> {
    await world.pool.query(`UPDATE batchsender.batches SET checked_at = 'epoch'`);
    return world.store.maintenance.reconcile(100);
  }

  const problems = async () => conservationProblems(await readSnapshot(world.pool));

  it('finds nothing to repair in sound data', async () => {
    await completed(30);
    await paused(30);
    expect(await reconcile()).toBe(0);
  });

  it('makes a chunk for the jobs of one that is gone, and they are called', async () => {
    const { id } = await paused(30);
    await damage('DELETE FROM batchsender.chunks WHERE batch_id = $1 AND first_seq = 12', id);
    expect(await problems()).not.toEqual([]);
    expect(await reconcile()).toBeGreaterThan(0);
    expect(await problems()).toEqual([]);
    await engine.resume(id);
    await ended(id);
    expect((await engine.getBatch(id)).counts).toMatchObject({ total: 30, succeeded: 30 });
    // Nobody knows whether the lost chunk had made calls.
    expect((await engine.getJob(`${id}.13`)).possibleDuplicate).toBe(true);
    expect((await engine.getJob(`${id}.1`)).possibleDuplicate).toBe(false);
    expect(await reconcile()).toBe(0);
  });

  it('sets wrong counters right', async () => {
    const { id } = await completed(20);
    await damage(
      'UPDATE batchsender.batches SET succeeded = succeeded - 3, unknown = unknown + 5 WHERE id = $1',
      id,
    );
    expect(await reconcile()).toBe(1);
    expect((await engine.getBatch(id)).counts).toMatchObject({ succeeded: 20, unknown: 0, waiting: 0 });
    expect(await problems()).toEqual([]);
  });

  it('sets a wrong number of open chunks right, so that the batch can complete', async () => {
    const { id } = await paused(20);
    await damage('UPDATE batchsender.batches SET open_chunks = open_chunks + 1 WHERE id = $1', id);
    expect(await reconcile()).toBe(1);
    await engine.resume(id);
    await ended(id);
    expect(await problems()).toEqual([]);
  });

  it('ends a batch that is running although nothing of it is open', async () => {
    const { id } = await completed(20);
    await damage(
      `UPDATE batchsender.batches SET state = 'running', open_chunks = 1, completed_at = NULL WHERE id = $1`,
      id,
    );
    expect(await reconcile()).toBe(1);
    expect(await problems()).toEqual([]);
    expect((await engine.getBatch(id)).completedAt).not.toBeNull();
  });

  it('opens a batch again that ended although a job has no outcome', async () => {
    const { id } = await completed(20);
    await damage('DELETE FROM batchsender.job_event_rows WHERE batch_id = $1 AND seq = 7', id);
    expect(await reconcile()).toBe(1);
    await ended(id);
    expect((await engine.getBatch(id)).counts).toMatchObject({ succeeded: 20, waiting: 0 });
    expect(await problems()).toEqual([]);
  });

  it('leaves one chunk to a job that is in two', async () => {
    const { id } = await paused(12);
    await damage(
      `INSERT INTO batchsender.chunks (batch_id, connection_id, state, due_at, first_due_at, attempt, seqs, size)
       SELECT batch_id, connection_id, 'ready', now(), now(), 1, '{3,4}', 2 FROM batchsender.chunks WHERE batch_id = $1`,
      id,
    );
    expect(await reconcile()).toBeGreaterThan(0);
    expect(await problems()).toEqual([]);
    await engine.resume(id);
    await ended(id);
    expect(await problems()).toEqual([]);
    expect((await engine.getBatch(id)).counts).toMatchObject({ total: 12, succeeded: 12 });
  });

  it('does not call a lost job again whose fence is open and whose provider takes no repeat', async () => {
    const { id } = await paused(12, 'once');
    await damage(
      `INSERT INTO batchsender.job_events (batch_id, seq, attempt, kind)
       VALUES ($1, 2, 1, 'attempted'), ($1, 3, 1, 'attempted'), ($1, 3, 1, 'released')`,
      id,
    );
    await damage('DELETE FROM batchsender.chunks WHERE batch_id = $1', id);
    expect(await reconcile()).toBeGreaterThan(0);
    expect(await problems()).toEqual([]);
    await engine.resume(id);
    await ended(id);
    expect((await engine.getBatch(id)).counts).toMatchObject({ succeeded: 11, unknown: 1 });
    expect(world.vendor.ledger.some((entry) => entry.jobId === `${id}.2`)).toBe(false);
    expect(await problems()).toEqual([]);
  });

  it('counts its repairs in the engine that leads', async () => {
    const { id } = await completed(5);
    await engine.stop();
    await endLeadership(world.pool);
    ({ engine } = await world.start());
    await damage('UPDATE batchsender.batches SET failed = 5, checked_at = NULL WHERE id = $1', id);
    await expect.poll(() => world.repairs, { timeout: 10_000 }).toBe(1);
    expect((await engine.getBatch(id)).counts.failed).toBe(0);
    world.errors.clear();
  });
});
