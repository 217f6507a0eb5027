import { describe, expect, it } from 'vitest';
import { failed, retry, succeeded } from '../../src/plugin/index.ts';
import { ended, sleep, testWorld, until } from '../helpers/engine-world.ts';
import { barrier, fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

const slow = (ms: number) => async () => {
  await sleep(ms);
  return succeeded();
};

/** Calls that started more than 1.5 s after this moment. */
const startedAfter = (calls: readonly { startedAt: number }[], at: number) =>
  calls.filter((call) => call.startedAt > at + 1_500).length;

describe('a paused batch', () => {
  it.each(['the same process', 'another process'])(
    'E17: starts no call 1.5 s later, steered by %s',
    async (who) => {
      const mail = fake({ provider: { concurrency: 2 }, process: slow(15) });
      const engine = await world.started({
        plugins: [mail],
        tuning: { heartbeatMs: 500, sliceMs: 60_000 },
      });
      const other = who === 'the same process' ? engine : world.engine({ plugins: [fake()] });
      const { id } = await engine.submit({ type: 'mail', jobs: numbered(1_000) });
      await until('some calls', () => mail.calls.length > 20);
      expect((await other.pause(id)).state).toBe('paused');
      const pausedAt = performance.now();
      await sleep(2_200);
      expect(startedAfter(mail.calls, pausedAt)).toBe(0);
      const { counts, state } = await engine.getBatch(id);
      expect(state).toBe('paused');
      expect(counts).toMatchObject({ total: 1_000, running: 0, succeeded: mail.calls.length });
      await engine.cancel(id);
      await ended(engine, id);
    },
  );

  it('E17: goes on where it was, and nobody is called twice', async () => {
    const mail = fake({ process: slow(15) });
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 50 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1_000) });
    for (let round = 1; round <= 4; round++) {
      await until('some calls', () => mail.calls.length > round * 60);
      await engine.pause(id);
      await engine.pause(id);
      await sleep(50);
      await engine.resume(id);
      await engine.resume(id);
    }
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 1_000 });
    expect([...mail.timesCalled().values()].every((times) => times === 1)).toBe(true);
  });

  it('E17: completes if the calls under way were its last', async () => {
    const hold = barrier();
    const mail = fake({
      process: async () => {
        await hold.pass();
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    await until('the calls', () => mail.calls.length === 2);
    await engine.pause(id);
    hold.open();
    expect((await ended(engine, id)).state).toBe('completed');
  });

  it('E17: cannot be what it is not', async () => {
    const engine = await world.started({ plugins: [fake()] });
    const open = await engine.submit({ type: 'mail' });
    await expect(engine.pause(open.id)).rejects.toMatchObject({ code: 'batch_state_conflict' });
    await expect(engine.resume(open.id)).rejects.toMatchObject({ code: 'batch_state_conflict' });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1) });
    await ended(engine, id);
    for (const steer of ['pause', 'resume', 'cancel', 'seal'] as const) {
      await expect(engine[steer](id)).rejects.toMatchObject({ code: 'batch_state_conflict' });
      await expect(engine[steer](id, { tenantId: 'other' })).rejects.toMatchObject({
        code: 'batch_not_found',
      });
    }
  });
});

describe('a cancelled batch', () => {
  it.each(['the same process', 'another process'])(
    'E17: starts no call 1.5 s later, steered by %s',
    async (who) => {
      const mail = fake({ provider: { concurrency: 2 }, process: slow(15) });
      const engine = await world.started({
        plugins: [mail],
        tuning: { heartbeatMs: 500, sliceMs: 60_000 },
      });
      const other = who === 'the same process' ? engine : world.engine({ plugins: [fake()] });
      const { id } = await engine.submit({ type: 'mail', jobs: numbered(1_500) });
      await until('some calls', () => mail.calls.length > 20);
      expect(['cancelling', 'cancelled']).toContain((await other.cancel(id)).state);
      const cancelledAt = performance.now();
      const { state, counts } = await ended(engine, id);
      expect(state).toBe('cancelled');
      expect(startedAfter(mail.calls, cancelledAt)).toBe(0);
      expect(counts.succeeded).toBe(mail.calls.length);
      expect(counts.cancelled).toBe(1_500 - mail.calls.length);
    },
  );

  it('E17: lets the calls under way end, and keeps what they brought', async () => {
    const hold = barrier();
    let aborted = false;
    const mail = fake({
      provider: { concurrency: 2 },
      process: async (_job, call) => {
        call.signal.addEventListener('abort', () => {
          aborted = true;
        });
        await hold.pass();
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(10) });
    await until('two calls', () => mail.calls.length === 2);
    expect((await engine.cancel(id)).state).toBe('cancelling');
    await sleep(500);
    expect((await engine.getBatch(id)).state).toBe('cancelling');
    hold.open();
    expect(await ended(engine, id)).toMatchObject({
      state: 'cancelled',
      counts: { succeeded: 2, cancelled: 8 },
    });
    expect(aborted).toBe(false);
    expect(mail.calls).toHaveLength(2);
  });

  it('E17: cancels what waits for another try, and counts each job once', async () => {
    const mail = fake({
      process: (job) => (job.seq % 2 === 0 ? retry('busy', { afterMs: 60_000 }) : failed('no')),
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(20) });
    await until('ten failures', async () => (await engine.getBatch(id)).counts.failed === 10);
    await engine.cancel(id);
    expect((await ended(engine, id)).counts).toMatchObject({ failed: 10, cancelled: 10 });
    expect(await engine.getJob(`${id}.0`)).toMatchObject({ state: 'cancelled' });
  });

  it('E17: ends as unknown where a call is undecided', async () => {
    const mail = fake({ provider: { guarantee: { kind: 'at-most-once' } } });
    const engine = world.engine({ plugins: [mail] });
    const store = await world.store();
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(3) });
    const [chunk] = await world.sql('SELECT id::int FROM batchsender.chunks');
    const lease = await store.run.lease(chunk.id, '018f0000-0000-7000-8000-000000000001');
    if (lease === undefined) throw new Error('no lease');
    await store.run.fence(lease, [{ seq: 1, kind: 'attempted', data: null }]);
    await store.maintenance.recoverChunks(0);
    await engine.cancel(id);
    expect((await ended(engine, id)).counts).toMatchObject({ cancelled: 2, unknown: 1 });
    expect((await engine.getJob(`${id}.1`)).code).toBe('cancelled_in_flight');
  });

  it('E17: may be open, scheduled or paused', async () => {
    const mail = fake();
    const engine = await world.started({ plugins: [mail] });
    const empty = await engine.submit({ type: 'mail' });
    expect(await engine.cancel(empty.id)).toMatchObject({
      state: 'cancelled',
      completedAt: expect.any(Date),
    });
    const open = await engine.submit({ type: 'mail', jobs: numbered(7), sealed: false });
    await engine.cancel(open.id);
    const later = await engine.submit({
      type: 'mail',
      jobs: numbered(7),
      scheduledAt: new Date(Date.now() + 60_000),
    });
    await engine.cancel(later.id);
    for (const id of [open.id, later.id]) {
      expect(await ended(engine, id)).toMatchObject({ state: 'cancelled', counts: { cancelled: 7 } });
    }
    expect(mail.calls).toEqual([]);
  });

  it('E5: sends nothing of it until it is retried, and then all that was cancelled', async () => {
    const mail = fake({ provider: { concurrency: 2 }, process: slow(5) });
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 20 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(600) });
    await until('some calls', () => mail.calls.length > 20);
    await engine.cancel(id);
    const { counts } = await ended(engine, id);
    expect(counts.cancelled).toBeGreaterThan(0);
    await engine.retry(id, ['cancelled']);
    expect(await ended(engine, id)).toMatchObject({
      state: 'completed',
      counts: { succeeded: 600, cancelled: 0 },
    });
    expect([...mail.timesCalled().values()].every((times) => times === 1)).toBe(true);
  });

  it('E17: takes back a retry that was not swept yet', async () => {
    const mail = fake({ process: () => failed('no') });
    const engine = world.engine({ plugins: [mail] });
    await engine.start();
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(10) });
    await ended(engine, id);
    await engine.stop();
    const other = world.engine({ plugins: [mail] });
    const store = await world.store();
    await store.steer.retry('default', id, ['failed']);
    await other.cancel(id);
    expect((await ended(other, id)).state).toBe('cancelled');
    expect((await other.getBatch(id)).counts).toMatchObject({ failed: 10, cancelled: 0 });
  });
});
