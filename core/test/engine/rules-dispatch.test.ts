import { describe, expect, it } from 'vitest';
import { succeeded, Type } from '../../src/plugin/index.ts';
import { ended, sleep, testWorld, until } from '../helpers/engine-world.ts';
import { barrier, fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

describe('the dispatch', () => {
  it('E15: is harmless when three do it at once', async () => {
    const mail = fake({ provider: { concurrency: 30 } });
    const engines = await Promise.all(
      [1, 2, 3].map(() => world.started({ plugins: [mail], tuning: { chunkSize: 7 } })),
    );
    const [engine] = engines as [(typeof engines)[0]];
    const ids = await Promise.all(
      engines.map(async (one) => (await one.submit({ type: 'mail', jobs: numbered(2_100) })).id),
    );
    for (const id of ids) {
      expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 2_100 });
      const times = mail.timesCalled(id);
      expect(times.size).toBe(2_100);
      expect([...times.values()].every((count) => count === 1)).toBe(true);
    }
    expect(await world.sql('SELECT max(epoch) AS epoch FROM batchsender.chunks')).toEqual([{ epoch: 1 }]);
  });

  it('E15: marks what it hints, for one of many that ask at once', async () => {
    const engine = world.engine({ plugins: [fake()], tuning: { chunkSize: 1 } });
    const [a, b] = await Promise.all([world.store(), world.store()]);
    await engine.submit({ type: 'mail', jobs: numbered(20) });
    const query = { versions: { mail: 1 }, perBatch: 8, rehintMs: 10_000, cursor: null };
    const found = await a.dispatch.candidates(query);
    expect(found.candidates).toHaveLength(8);
    const ids = found.candidates.map((candidate) => candidate.chunkId);
    const marked = await Promise.all([a, b, a, b].map((store) => store.dispatch.markDispatched(ids, 10_000)));
    expect(marked.flat().sort()).toEqual([...ids].sort());
    expect((await a.dispatch.candidates(query)).candidates.some((c) => ids.includes(c.chunkId))).toBe(false);
  });

  it('E15: sends a hint that nobody took once more', async () => {
    const mail = fake();
    const engine = world.engine({ plugins: [mail], tuning: { chunkSize: 2, rehintMs: 700 } });
    const store = await world.store();
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(6) });
    const chunks = await world.sql('SELECT id::int FROM batchsender.chunks');
    const hintedAt = performance.now();
    await store.dispatch.markDispatched(
      chunks.map((chunk) => chunk.id),
      10_000,
    );
    await engine.start();
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 6 });
    for (const call of mail.calls) expect(call.startedAt - hintedAt).toBeGreaterThan(690);
  });

  it('E15: hints nothing of a connection that is blocked or was asked for patience', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const store = await world.store();
    await engine.submit({ type: 'mail', jobs: numbered(1) });
    const due = async () => {
      const query = { versions: { mail: 1 }, perBatch: 8, rehintMs: 10_000, cursor: null };
      return (await store.dispatch.candidates(query)).candidates.length;
    };
    expect(await due()).toBe(1);
    await store.run.block('mail.fake', { code: 'x', message: null }, 0);
    expect(await due()).toBe(0);
    await store.steer.unblock('default', 'mail.fake');
    expect(await due()).toBe(1);
    await store.run.throttle('mail.fake', 60_000);
    expect(await due()).toBe(0);
  });

  it('starts a batch of another process at once, without waiting for the next look', async () => {
    const mail = fake();
    const runner = await world.started({ plugins: [mail], tuning: { pollMs: 30_000 } });
    const submitter = world.engine({ plugins: [fake()] });
    await submitter.migrate();
    await sleep(300);
    const { id } = await submitter.submit({ type: 'mail', jobs: numbered(3) });
    expect((await ended(runner, id)).counts).toMatchObject({ succeeded: 3 });
    const open = await submitter.submit({ type: 'mail', jobs: numbered(3), sealed: false });
    await submitter.seal(open.id);
    await ended(runner, open.id);
  }, 25_000);
});

describe('a scheduled batch', () => {
  it('E15: starts nothing before its time, and all of it then', async () => {
    const mail = fake();
    const engine = await world.started({ plugins: [mail], tuning: { pollMs: 400 } });
    const scheduledAt = new Date(Date.now() + 2_000);
    const { id, state } = await engine.submit({ type: 'mail', jobs: numbered(5), scheduledAt });
    expect(state).toBe('scheduled');
    await sleep(500);
    expect(mail.calls).toEqual([]);
    const { completedAt, counts } = await ended(engine, id);
    expect(counts).toMatchObject({ succeeded: 5 });
    expect((completedAt as Date).getTime()).toBeGreaterThanOrEqual(scheduledAt.getTime());
    expect(
      await world.sql('SELECT min(at) >= $1 AS fine FROM batchsender.job_events', [scheduledAt]),
    ).toEqual([{ fine: true }]);
  });

  it('E15: may be paused and resumed before its time, and one of the past starts at once', async () => {
    const mail = fake();
    const engine = await world.started({ plugins: [mail] });
    const later = await engine.submit({
      type: 'mail',
      jobs: numbered(2),
      scheduledAt: new Date(Date.now() + 3_000),
    });
    expect((await engine.pause(later.id)).state).toBe('paused');
    expect((await engine.resume(later.id)).state).toBe('scheduled');
    const past = await engine.submit({
      type: 'mail',
      jobs: numbered(2),
      scheduledAt: new Date(Date.now() - 5_000),
    });
    expect(['running', 'completed']).toContain(past.state);
    await ended(engine, past.id);
    const open = await engine.submit({
      type: 'mail',
      jobs: numbered(2),
      sealed: false,
      scheduledAt: new Date(Date.now() + 2_000),
    });
    expect((await engine.seal(open.id)).state).toBe('scheduled');
    await ended(engine, open.id);
    expect((await ended(engine, later.id)).counts).toMatchObject({ succeeded: 2 });
  });
});

describe('fairness', () => {
  it('E16: lets a small tenant pass while a large one is being served', async () => {
    const mail = fake({
      provider: { concurrency: 4 },
      process: async () => {
        await sleep(4);
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 50 } });
    const large = await engine.submit({ type: 'mail', jobs: numbered(4_000) }, { tenantId: 'large' });
    await until('the large one runs', () => mail.calls.length > 100);
    const small = await engine.submit({ type: 'mail', jobs: numbered(20) }, { tenantId: 'small' });
    await until('the small one ends', async () => {
      const batch = await engine.getBatch(small.id, { tenantId: 'small' });
      return batch.state === 'completed';
    });
    const { counts } = await engine.getBatch(large.id, { tenantId: 'large' });
    expect(counts.waiting).toBeGreaterThan(1_000);
    await engine.cancel(large.id, { tenantId: 'large' });
  });

  it('E16: starts a tenant that comes while others hold all chunks, and gives it half the slots', async () => {
    const waiting: (() => void)[] = [];
    const mail = fake({
      provider: { concurrency: 4 },
      process: () => new Promise((resolve) => waiting.push(() => resolve(succeeded()))),
    });
    // Nothing is given back: who comes late must not depend on it.
    const tuning = { chunkSize: 50, sliceMs: 60_000, startWithinMs: 60_000 };
    const engine = await world.started({ plugins: [mail], tuning });
    const large = await engine.submit({ type: 'mail', jobs: numbered(1_000) }, { tenantId: 'large' });
    const leased = async (batchId: string) =>
      (
        await world.sql(`SELECT 1 FROM batchsender.chunks WHERE batch_id = $1 AND state = 'leased'`, [
          batchId,
        ])
      ).length;
    await until('all chunks are of the large one', async () => (await leased(large.id)) === 8);
    await until('its calls', () => waiting.length === 4);
    const small = await engine.submit({ type: 'mail', jobs: numbered(20) }, { tenantId: 'small' });
    await until('the small one has a chunk', async () => (await leased(small.id)) === 1);
    await sleep(100);
    await until('all calls of the small one', async () => {
      for (const end of waiting.splice(0)) end();
      return mail.timesCalled(small.id).size === 20;
    });
    const after = mail.calls.slice(4);
    const last = after.findLastIndex((call) => call.batchId === small.id);
    expect(last).toBeLessThan(50);
    await engine.cancel(large.id, { tenantId: 'large' });
    await until('the end', async () => {
      for (const end of waiting.splice(0)) end();
      return (await engine.getBatch(large.id, { tenantId: 'large' })).state === 'cancelled';
    });
  });

  it('E16: lets the other endpoints pass while one hangs', async () => {
    const hold = barrier();
    const mail = fake({
      provider: { concurrency: 5, endpointKey: (payload) => payload.to ?? '' },
      process: async (job) => {
        if (job.payload.to === 'slow') await hold.pass();
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 100 } });
    const jobs = numbered(400).map(({ n = 0 }) => ({ n, to: n % 2 === 0 ? 'slow' : `fast${n % 5}` }));
    const { id } = await engine.submit({ type: 'mail', jobs });
    await until('all the fast ones', async () => (await engine.getBatch(id)).counts.succeeded === 200);
    expect(mail.calls.filter((call) => call.jobs[0]?.payload.to === 'slow').length).toBeLessThan(5);
    hold.open();
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 400 });
    expect([...mail.timesCalled().values()].every((times) => times === 1)).toBe(true);
  });

  it('E16: finds the calls for other endpoints behind hundreds for one that hangs', async () => {
    const hold = barrier();
    const mail = fake({
      provider: { concurrency: 5, endpointKey: (payload) => payload.to ?? '' },
      process: async (job) => {
        if (job.payload.to === 'slow') await hold.pass();
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const jobs = numbered(400).map(({ n = 0 }) => ({ n, to: n < 300 ? 'slow' : 'fast' }));
    const { id } = await engine.submit({ type: 'mail', jobs });
    await until('all the fast ones', async () => (await engine.getBatch(id)).counts.succeeded === 100);
    expect(mail.calls.filter((call) => call.jobs[0]?.payload.to === 'slow').length).toBeLessThan(5);
    hold.open();
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 400 });
    expect([...mail.timesCalled().values()].every((times) => times === 1)).toBe(true);
  });

  it('E16: makes as many calls at once as the credentials allow, also to the only endpoint', async () => {
    const hold = barrier();
    const mail = fake({
      provider: {
        concurrency: ({ lines }: { lines: number }) => lines,
        credentials: Type.Object({ lines: Type.Integer() }),
        endpointKey: 'server',
      },
      process: async () => {
        await hold.pass();
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], credentials: () => ({ lines: 6 }) });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(20) });
    await until('six calls', async () => mail.calls.length === 6);
    await sleep(300);
    expect(mail.calls).toHaveLength(6);
    hold.open();
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 20 });
  });

  it.each([
    ['throws', ({ limits }: { limits: { lines: number } }) => limits.lines],
    ['answers no count', () => Number.NaN],
  ])(
    'E16: makes one call at once if the function for it %s, and says whose fault it is',
    async (_, broken) => {
      const hold = barrier();
      const mail = fake({
        provider: { concurrency: broken },
        process: async () => {
          await hold.pass();
          return succeeded();
        },
      });
      const engine = await world.started({ plugins: [mail] });
      const { id } = await engine.submit({ type: 'mail', jobs: numbered(5) });
      await until('the first call', async () => mail.calls.length === 1);
      await sleep(300);
      expect(mail.calls).toHaveLength(1);
      expect(world.log.filter(({ message }) => message?.includes('concurrency of provider'))).toHaveLength(1);
      hold.open();
      expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 5 });
    },
  );

  it('E16: gives a chunk back after its slice, and nobody is called twice for it', async () => {
    const mail = fake({
      provider: { concurrency: 1 },
      process: async () => {
        await sleep(15);
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 100, sliceMs: 200 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(100) });
    await ended(engine, id);
    const [chunk] = await world.sql('SELECT epoch, deaths, interrupted FROM batchsender.chunks');
    expect(chunk.epoch).toBeGreaterThan(2);
    expect(chunk).toMatchObject({ deaths: 0, interrupted: false });
    expect(mail.calls).toHaveLength(100);
    expect(mail.calls.some((call) => call.jobs[0]?.possibleDuplicate)).toBe(false);
  });

  it('E16: gives back a chunk that cannot start, and holds no lease on it', async () => {
    const hold = barrier();
    const mail = fake({
      provider: { concurrency: 1 },
      process: async () => {
        await hold.pass();
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 2, startWithinMs: 150 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(12) });
    await until('a chunk that was given back', async () => {
      const [row] = await world.sql(
        `SELECT max(epoch) AS epoch FROM batchsender.chunks WHERE state = 'ready'`,
      );
      return row.epoch > 0;
    });
    expect(mail.calls).toHaveLength(1);
    hold.open();
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 12 });
    expect(mail.calls).toHaveLength(12);
  });

  it('E15: serves the higher priority first among the batches of a tenant', async () => {
    const mail = fake({ provider: { concurrency: 1 } });
    const engine = world.engine({ plugins: [mail], tuning: { chunkSize: 5, chunkSlotsPerConnection: 1 } });
    const low = await engine.submit({ type: 'mail', jobs: numbered(20), priority: -1 });
    const high = await engine.submit({ type: 'mail', jobs: numbered(20), priority: 7 });
    await engine.start();
    await ended(engine, low.id);
    await ended(engine, high.id);
    const order = mail.calls.map((call) => call.batchId);
    expect(order.slice(0, 20).every((id) => id === high.id)).toBe(true);
  });
});
