import { createEngine, type Engine, type EngineOptions } from '@batchsender/core';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../core/test/helpers/postgres.ts';
import { eventually } from '../helpers/app.ts';
import { ledgerPlugin, numbered } from '../helpers/ledger-plugin.ts';
import { freshStream, openNats, recordingLog } from '../helpers/nats-line.ts';
import { type NatsServer, startNats } from '../helpers/nats-process.ts';
import { describeWithNats } from '../helpers/nats-server.ts';

/** A poll that never helps, and a lease that a loaded machine keeps. */
const TUNING = { chunkSize: 10, pollMs: 30_000, heartbeatMs: 200, leaseMs: 10_000 } as const;
const OTHER = '01890000-0000-7000-8000-000000000000';

describeWithNats('an engine with NATS', (binary) => {
  let server: NatsServer;
  let database: TestDatabase;
  let pool: pg.Pool;
  let engines: Engine[] = [];
  let stream = '';
  const log = recordingLog();

  beforeAll(async () => {
    server = await startNats(binary);
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    stream = freshStream();
    log.lines.length = 0;
    database = await testDatabase();
    pool = new pg.Pool({ connectionString: database.url, max: 2 });
    pool.on('error', () => undefined);
  });
  afterEach(async () => {
    await Promise.all(engines.map((engine) => engine.stop({ graceMs: 500 })));
    engines = [];
    await pool.end();
    await database.drop();
  });

  const make = (options: Partial<EngineOptions> & Pick<EngineOptions, 'plugins'>): Engine => {
    const engine = createEngine({
      database: database.url,
      pools: { engine: 2, api: 2 },
      logger: log.logger,
      ...options,
      tuning: { ...TUNING, ...options.tuning },
    });
    engines.push(engine);
    return engine;
  };
  const transport = () => openNats({ NATS_URL: server.url, BATCHSENDER_NATS_STREAM: stream }, log);
  const startRunner = async (
    calls: number[],
    given: Parameters<typeof ledgerPlugin>[1] = {},
    tuning = {},
  ) => {
    const engine = make({ plugins: [ledgerPlugin(calls, given)], transport: await transport(), tuning });
    await engine.start();
    return engine;
  };
  /** Takes batches, and runs nothing. */
  const api = async (version = 1) => {
    const engine = make({ plugins: [ledgerPlugin([], { version })] });
    await engine.migrate();
    return engine;
  };
  const ended = (engine: Engine, batchId: string) =>
    eventually(async () => {
      const batch = await engine.getBatch(batchId);
      return batch.state === 'completed' && batch;
    }, 60_000);
  const leader = async () =>
    (
      await pool.query(
        `SELECT holder FROM batchsender.leadership WHERE name = 'dispatch' AND expires_at > now()`,
      )
    ).rows[0]?.holder as string | undefined;
  const sorted = (calls: readonly number[]) => calls.toSorted((a, b) => a - b);
  const all = (count: number) => numbered(count).map(({ n }) => n);

  it('E15: shares a batch among all runners, and calls each job once', async () => {
    const [a, b]: [number[], number[]] = [[], []];
    await Promise.all([startRunner(a, { ms: 2 }), startRunner(b, { ms: 2 })]);
    const submitter = await api();
    const { id } = await submitter.submit({ type: 'ledger', jobs: numbered(3_000) });
    expect((await ended(submitter, id)).counts).toMatchObject({ succeeded: 3_000, total: 3_000 });
    expect(sorted([...a, ...b])).toEqual(all(3_000));
    expect(a.length).toBeGreaterThan(300);
    expect(b.length).toBeGreaterThan(300);
    const { rows } = await pool.query('SELECT max(deaths) AS deaths FROM batchsender.chunks');
    expect(rows).toEqual([{ deaths: 0 }]);
  });

  it('E15: wakes the leader at once, whatever way the jobs came in', async () => {
    const calls: number[] = [];
    await startRunner(calls);
    const submitter = await api();
    await eventually(leader);
    const small = await submitter.submit({ type: 'ledger', jobs: numbered(3) });
    await ended(submitter, small.id);
    const large = await submitter.submit({ type: 'ledger', jobs: numbered(2_500) });
    await ended(submitter, large.id);
    const single = await submitter.submitJob({ type: 'ledger', payload: { n: 1 } });
    await ended(submitter, single.batchId);
    const open = await submitter.submit({ type: 'ledger', jobs: numbered(3), sealed: false });
    const more = await submitter.upload(open.id);
    await more.write([{ payload: { n: 9 } }]);
    await more.commit();
    await submitter.seal(open.id);
    await ended(submitter, open.id);
    const upload = await submitter.uploadBatch({ type: 'ledger' });
    await upload.write([{ payload: { n: 10 } }]);
    const { accepted } = await upload.commit();
    expect(accepted).toBe(1);
    await eventually(async () => calls.includes(10), 20_000);
  }, 25_000);

  it('E15: replaces a leader that is gone, within seconds', async () => {
    const submitter = await api();
    const lead = `INSERT INTO batchsender.leadership VALUES ('dispatch', $1, now() + interval '3 seconds')`;
    await pool.query(lead, [OTHER]);
    const calls: number[] = [];
    await startRunner(calls);
    const { id } = await submitter.submit({ type: 'ledger', jobs: numbered(50) });
    expect(await leader()).toBe(OTHER);
    await ended(submitter, id);
    expect(await leader()).not.toBe(OTHER);
    expect(sorted(calls)).toEqual(all(50));
  });

  it('E15: gives the leadership up when it stops', async () => {
    const calls: number[] = [];
    const first = await startRunner(calls);
    const before = await eventually(leader);
    await startRunner(calls);
    await first.stop();
    const after = await eventually(leader, 2_500);
    expect(after).not.toBe(before);
  });

  it('E15: does no harm where two lead at once', async () => {
    const calls: number[] = [];
    await Promise.all([startRunner(calls, { ms: 2 }), startRunner(calls, { ms: 2 })]);
    const submitter = await api();
    // Whoever asks gets the row, while the other one still believes in its own.
    const expire = setInterval(() => {
      pool
        .query(`UPDATE batchsender.leadership SET expires_at = now() - interval '1 s'`)
        .catch(() => undefined);
    }, 50);
    try {
      const { id } = await submitter.submit({ type: 'ledger', jobs: numbered(3_000) });
      await ended(submitter, id);
    } finally {
      clearInterval(expire);
    }
    expect(sorted(calls)).toEqual(all(3_000));
  });

  it.each(['killed', 'wiped'])('loses nothing when NATS is %s in the middle of a batch', async (fault) => {
    const [a, b]: [number[], number[]] = [[], []];
    await Promise.all([startRunner(a, { ms: 3 }), startRunner(b, { ms: 3 })]);
    const submitter = await api();
    const { id } = await submitter.submit({ type: 'ledger', jobs: numbered(4_000) });
    await eventually(async () => a.length + b.length > 300);
    await server.kill();
    if (fault === 'wiped') server.wipe();
    await server.start();
    expect((await ended(submitter, id)).counts).toMatchObject({ succeeded: 4_000 });
    expect(sorted([...a, ...b])).toEqual(all(4_000));
  });

  it('starts without NATS, says so, delivers by itself, and goes over to NATS when it is there', async () => {
    await server.kill();
    const calls: number[] = [];
    const runner = await startRunner(calls);
    expect(await runner.ready()).toEqual({ database: true, runner: true, transport: false });
    expect(log.lines.join('\n')).toMatch(/NATS at 127\.0\.0\.1:\d+ does not answer/);
    const submitter = await api();
    const { id } = await submitter.submit({ type: 'ledger', jobs: numbered(100) });
    await ended(submitter, id);
    expect(await leader()).toBeUndefined();
    await server.start();
    await eventually(async () => (await runner.ready()).transport);
    await eventually(leader);
    const later = await submitter.submit({ type: 'ledger', jobs: numbered(100) });
    await ended(submitter, later.id);
    expect(calls).toHaveLength(200);
  });

  it('E24: hints a chunk only to a runner that can run its version', async () => {
    const [old, newer]: [number[], number[]] = [[], []];
    await startRunner(old, { version: 1 });
    const submitter = await api(2);
    const first = await submitter.submit({ type: 'ledger', jobs: numbered(40) });
    await startRunner(newer, { version: 2 });
    await ended(submitter, first.id);
    expect(old).toEqual([]);
    const before = await (await api(1)).submit({ type: 'ledger', jobs: numbered(400) });
    await ended(submitter, before.id);
    expect(old.length + newer.length).toBe(440);
  });

  it('E15: gives a chunk back to the others when its slice is over, without waiting for a poll', async () => {
    const [a, b]: [number[], number[]] = [[], []];
    const tuning = { sliceMs: 200, chunkSize: 100 };
    await startRunner(a, { ms: 15, concurrency: 2 }, tuning);
    await startRunner(b, { ms: 15, concurrency: 2 }, tuning);
    const submitter = await api();
    const { id } = await submitter.submit({ type: 'ledger', jobs: numbered(400) });
    await ended(submitter, id);
    expect(sorted([...a, ...b])).toEqual(all(400));
    const { rows } = await pool.query('SELECT max(epoch) AS epoch FROM batchsender.chunks');
    expect(rows[0].epoch).toBeGreaterThan(1);
  }, 30_000);
});
