import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { failed, succeeded } from '../../src/plugin/index.ts';
import { type ChaosProxy, chaosProxy } from '../helpers/chaos-proxy.ts';
import { ended, sleep, testWorld, until } from '../helpers/engine-world.ts';
import { barrier, fake, numbered } from '../helpers/fake-plugin.ts';

const DEAD = '018f0000-0000-7000-8000-00000000dead';

const world = testWorld();
const proxies: ChaosProxy[] = [];
afterEach(() => {
  for (const proxy of proxies) proxy.cut();
});
afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.close()));
});

async function proxied(): Promise<ChaosProxy> {
  const proxy = await chaosProxy(world.url);
  proxies.push(proxy);
  return proxy;
}

const kindsOf = async (seq: number): Promise<string[]> =>
  (await world.sql('SELECT kind FROM batchsender.job_events WHERE seq = $1 ORDER BY id', [seq])).map(
    (row) => row.kind,
  );

describe('the counts of a batch', () => {
  it('E10: are those of the batch and its open chunks, in every look', async () => {
    const hold = barrier();
    const mail = fake({
      process: async (job) => {
        if (job.seq >= 6) await hold.pass();
        return job.seq % 2 === 0 ? succeeded() : failed('refused');
      },
    });
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 4 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(8) });
    await until('what is settled', async () => (await engine.getBatch(id)).counts.failed === 3);
    // The first chunk is closed, the second is open: its results show already.
    const counts = { total: 8, succeeded: 3, failed: 3, unknown: 0, cancelled: 0 };
    expect((await engine.getBatch(id)).counts).toEqual({ ...counts, running: 2, waiting: 0 });
    expect((await world.sql('SELECT succeeded, failed, open_chunks FROM batchsender.batches'))[0]).toEqual({
      succeeded: 2,
      failed: 2,
      open_chunks: 1,
    });
    hold.open();
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 4, failed: 4, running: 0 });
  });

  it('E10: are complete with the last chunk, in its transaction', async () => {
    const mail = fake();
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 5 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(50) });
    expect((await ended(engine, id)).state).toBe('completed');
    const together = `SELECT count(*)::int AS n FROM batchsender.job_events AS e
      JOIN batchsender.batches AS b ON b.completed_at = e.at`;
    expect((await world.sql(together))[0].n).toBeGreaterThan(0);
  });

  it('E10: are complete at once when an empty batch is sealed', async () => {
    const engine = await world.started({ plugins: [fake()] });
    const open = await engine.submit({ type: 'mail' });
    expect(open).toMatchObject({ state: 'open', completedAt: null });
    expect(await engine.seal(open.id)).toMatchObject({ state: 'completed', completedAt: expect.any(Date) });
    expect(await engine.submit({ type: 'mail', jobs: [] })).toMatchObject({
      state: 'completed',
      counts: { total: 0 },
    });
  });
});

describe('a lease', () => {
  it('E11: whose reply was lost is given back with the next heartbeat', async () => {
    const proxy = await proxied();
    const mail = fake();
    const tuning = { leaseMs: 120_000 };
    const engine = await world.started({ plugins: [mail], database: proxy.url, tuning });
    const submitter = world.engine({ plugins: [mail] });
    await submitter.migrate();
    proxy.loseReplies(['bs_lease'], 1);
    const { id } = await submitter.submit({ type: 'mail', jobs: numbered(5) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 5 });
    // Nobody was called under it, so there is no doubt about anybody.
    expect(await world.sql('SELECT epoch, deaths, interrupted FROM batchsender.chunks')).toEqual([
      { epoch: 2, deaths: 0, interrupted: false },
    ]);
    expect(mail.calls).toHaveLength(5);
    expect(mail.calls.some((call) => call.jobs[0]?.possibleDuplicate)).toBe(false);
  });

  it('E11: that a batch was stored with, and whose reply was lost, is given back likewise', async () => {
    const proxy = await proxied();
    const mail = fake();
    const tuning = { leaseMs: 120_000 };
    const engine = await world.started({ plugins: [mail], database: proxy.url, tuning });
    proxy.loseReplies(['bs_batch'], 1);
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(5) });
    expect((await ended(engine, id)).counts).toMatchObject({ total: 5, succeeded: 5 });
    expect(mail.calls).toHaveLength(5);
    expect(mail.calls.some((call) => call.jobs[0]?.possibleDuplicate)).toBe(false);
    expect(await world.sql('SELECT 1 FROM batchsender.batches')).toHaveLength(1);
  });

  it('E11: of a runner that is gone is taken over after the lease time, and its jobs are flagged', async () => {
    const mail = fake();
    const engine = world.engine({ plugins: [mail], tuning: { leaseMs: 1_500 } });
    const store = await world.store();
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(5) });
    const seenAt = performance.now();
    await store.runner.heartbeat(DEAD, { mail: 1 }, 1_500, []);
    const [chunk] = await world.sql('SELECT id::int FROM batchsender.chunks');
    await store.run.lease(chunk.id, DEAD);
    await engine.start();
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 5 });
    expect((mail.calls[0]?.startedAt ?? 0) - seenAt).toBeGreaterThan(1_490);
    expect(mail.calls.every((call) => call.jobs[0]?.possibleDuplicate)).toBe(true);
    expect(await engine.getJob(`${id}.0`)).toMatchObject({ state: 'succeeded', possibleDuplicate: true });
  });

  it('E11: of a runner that is alive is not taken over, however long a call lasts', async () => {
    const mail = fake({
      process: async () => {
        await sleep(3_600);
        return succeeded();
      },
    });
    const tuning = { leaseMs: 3_000 };
    const engine = await world.started({ plugins: [mail], tuning });
    await world.started({ plugins: [mail], tuning });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    await ended(engine, id);
    expect(mail.calls).toHaveLength(2);
    expect(await world.sql('SELECT deaths FROM batchsender.chunks')).toEqual([{ deaths: 0 }]);
  });
});

describe('a database that breaks connections', () => {
  it('E9: makes nobody called twice, nor counted twice, when replies to flushes are lost', async () => {
    const proxy = await proxied();
    const mail = fake({
      process: async () => {
        await sleep(2);
        return succeeded();
      },
    });
    const engine = await world.started({
      plugins: [mail],
      database: proxy.url,
      tuning: { chunkSize: 50, leaseMs: 60_000 },
    });
    proxy.loseReplies(['bs_flush'], 6);
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(300) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 300, waiting: 0 });
    expect(mail.calls).toHaveLength(300);
    const [events] = await world.sql('SELECT count(*)::int AS n FROM batchsender.job_events');
    expect(events.n).toBe(300);
  });

  it('E7: makes nobody called twice under at-most-once when replies to fences are lost', async () => {
    const proxy = await proxied();
    const mail = fake({ provider: { guarantee: { kind: 'at-most-once' }, concurrency: 4 } });
    const engine = await world.started({ plugins: [mail], database: proxy.url, tuning: { leaseMs: 60_000 } });
    // Fences are written with the outcomes of the calls before them.
    proxy.loseReplies(['bs_flush_keep'], 5);
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(60) });
    const { counts } = await ended(engine, id);
    expect(counts).toMatchObject({ succeeded: 60, unknown: 0 });
    expect([...mail.timesCalled().values()].every((times) => times === 1)).toBe(true);
    const [fences] = await world.sql(
      "SELECT count(*)::int AS n, count(DISTINCT seq)::int AS jobs FROM batchsender.job_events WHERE kind = 'attempted'",
    );
    expect(fences).toEqual({ n: 60, jobs: 60 });
  });
});

describe('a result that comes late', () => {
  it('E12: settles the unknown that its call had ended as, if it is a success', async () => {
    const hold = barrier();
    const mail = fake({
      provider: { guarantee: { kind: 'at-most-once' }, timeoutMs: 200 },
      process: async (job) => {
        await hold.pass();
        return job.seq === 0 ? succeeded('ref-0') : failed('refused');
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    expect((await ended(engine, id)).counts).toMatchObject({ unknown: 2 });
    expect((await engine.getJob(`${id}.0`)).code).toBe('timeout');
    hold.open();
    await until('the late success', async () => (await engine.getBatch(id)).counts.succeeded === 1);
    expect(await kindsOf(0)).toEqual(['attempted', 'unknown', 'late', 'resolved']);
    expect(await engine.getJob(`${id}.0`)).toMatchObject({ state: 'succeeded', ref: 'ref-0' });
    await until('the late failure', async () => (await kindsOf(1)).includes('late'));
    expect(await kindsOf(1)).toEqual(['attempted', 'unknown', 'late']);
    expect((await engine.getBatch(id)).counts).toMatchObject({ succeeded: 1, unknown: 1 });
  });

  it('E12: under a lost lease changes no state, but settles what the next lease took for unknown', async () => {
    const hold = barrier();
    const mail = fake({
      provider: { guarantee: { kind: 'at-most-once' } },
      process: async () => {
        await hold.pass();
        return succeeded('ref');
      },
    });
    const tuning = { leaseMs: 1_500 };
    const cut = await world.started({ plugins: [mail], tuning });
    const { id } = await cut.submit({ type: 'mail', jobs: numbered(3) });
    await until('three calls', () => mail.calls.length === 3);
    // Its heartbeats wait behind a lock on its row, until the others take it for dead.
    const client = await world.client();
    await client.query('BEGIN');
    await client.query('SELECT 1 FROM batchsender.runners FOR UPDATE');
    const other = await world.started({ plugins: [mail], tuning });
    expect((await ended(other, id)).counts).toMatchObject({ unknown: 3 });
    expect((await other.getJob(`${id}.0`)).code).toBe('interrupted');
    await client.query('COMMIT');
    client.release();
    hold.open();
    await until('the late successes', async () => (await other.getBatch(id)).counts.succeeded === 3);
    expect(await kindsOf(0)).toEqual(['attempted', 'unknown', 'late', 'resolved']);
    expect(mail.calls).toHaveLength(3);
  });

  it('E12: is recorded but settles nothing that was settled otherwise', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const store = await world.store();
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    const [chunk] = await world.sql('SELECT id::int FROM batchsender.chunks');
    const lease = await store.run.lease(chunk.id, DEAD);
    if (lease === undefined) throw new Error('no lease');
    await store.maintenance.recoverChunks(0);
    await engine.start();
    await ended(engine, id);
    const late = { data: '{"status":"succeeded","ref":"old"}', success: true };
    await store.run.recordLate(lease, [
      { seq: 0, ...late },
      { seq: 1, ...late },
    ]);
    expect(await kindsOf(0)).toEqual(['succeeded', 'late']);
    expect((await engine.getBatch(id)).counts).toMatchObject({ succeeded: 2, unknown: 0 });
  });
});
