import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEngine } from '../../src/create-engine.ts';
import type { Engine } from '../../src/engine/api.ts';
import { createPartitions, migrate, quote } from '../../src/postgres/migrate.ts';
import { MIGRATIONS } from '../../src/postgres/migrations.ts';
import { monthPartitions } from '../../src/postgres/partitions.ts';
import { modelPlugin } from '../helpers/model-plugin.ts';
import { ModelVendor } from '../helpers/model-vendor.ts';
import { type TestDatabase, testDatabase, testServers } from '../helpers/postgres.ts';

const versions = MIGRATIONS.map((migration) => migration.version);

describe.each(testServers())('migrations on $name', (server) => {
  let database: TestDatabase;
  let pool: pg.Pool;

  beforeEach(async () => {
    database = await testDatabase(server);
    pool = new pg.Pool({ connectionString: database.url });
    // The sessions of a pool may outlive its end, until the database is dropped.
    pool.on('error', () => undefined);
  });
  afterEach(async () => {
    await pool.end();
    await database.drop();
  });

  function engineOn(schema?: string): Engine {
    const vendor = new ModelVendor(1);
    vendor.healthy = true;
    return createEngine({
      database: database.url,
      plugins: [modelPlugin({ index: 0, dead: false }, vendor)],
      pools: { engine: 2, api: 2 },
      ...(schema === undefined ? {} : { schema }),
    });
  }

  const names = async (text: string, values: unknown[] = []): Promise<string[]> =>
    (await pool.query<{ name: string }>(text, values)).rows.map((row) => row.name);

  const tables = (name = '%', schema = 'batchsender'): Promise<string[]> =>
    names('SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 AND tablename LIKE $2', [
      schema,
      name,
    ]);

  it('E24: run once, although ten engines start at once on an empty database', async () => {
    const engines = Array.from({ length: 10 }, () => engineOn());
    await Promise.all(engines.map((engine) => engine.start()));
    expect(await names('SELECT version AS name FROM batchsender.migrations ORDER BY 1')).toEqual(versions);
    const runners = await pool.query('SELECT 1 FROM batchsender.runners');
    expect(runners.rowCount).toBe(10);
    await Promise.all(engines.map((engine) => engine.stop()));
  });

  it('E24: leave a newer schema alone and work on it', async () => {
    await migrate(pool, 'batchsender');
    await pool.query('INSERT INTO batchsender.migrations (version) VALUES (999)');
    await pool.query(`ALTER TABLE batchsender.batches ADD COLUMN from_the_future text NOT NULL DEFAULT 'x'`);
    const engine = engineOn();
    await engine.start();
    const batch = await engine.submit({
      type: 'model',
      provider: 'keyed',
      jobs: [{ tag: 't', n: 1, to: 'e' }],
    });
    await expect.poll(async () => (await engine.getBatch(batch.id)).state).toBe('completed');
    expect(await names('SELECT version AS name FROM batchsender.migrations ORDER BY 1')).toEqual([
      ...versions,
      999,
    ]);
    await engine.stop();
  });

  it('leave no trace if one of them fails', async () => {
    await pool.query('CREATE SCHEMA batchsender; CREATE TABLE batchsender.sweeps (other int)');
    await expect(migrate(pool, 'batchsender')).rejects.toThrow(/already exists/);
    expect(await tables()).toEqual(['sweeps']);
  });

  it('make the partitions of this month and the next two, and jobs go there', async () => {
    await migrate(pool, 'batchsender');
    const months = monthPartitions(new Date(), 2).map(({ suffix }) => suffix);
    const partitions = await names(
      `SELECT c.relname AS name FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid
       WHERE inhparent = 'batchsender.jobs'::regclass ORDER BY 1`,
    );
    expect(partitions.sort()).toEqual(['jobs_default', ...months.map((month) => `jobs_${month}`)].sort());
    const engine = engineOn();
    await engine.submit({ type: 'model', jobs: [{ tag: 't', n: 1, to: 'e' }] });
    expect(
      await names(
        'SELECT c.relname AS name FROM batchsender.jobs AS j JOIN pg_class AS c ON c.oid = j.tableoid',
      ),
    ).toEqual([`jobs_${months[0]}`]);
    await engine.stop();
  });

  it('go on without a partition whose month has rows elsewhere, as after a wrong clock', async () => {
    await migrate(pool, 'batchsender');
    const last = monthPartitions(new Date(), 2).at(-1);
    await pool.query(`DROP TABLE batchsender.jobs_${last?.suffix}, batchsender.job_events_${last?.suffix}`);
    await pool.query(`INSERT INTO batchsender.jobs VALUES ($1, 0, '{}')`, [last?.from]);
    await migrate(pool, 'batchsender');
    expect(await tables(`jobs_${last?.suffix}`)).toEqual([]);
    expect(await names('SELECT count(*)::text AS name FROM batchsender.jobs')).toEqual(['1']);
  });

  it('make missing partitions once, although some make them at once', async () => {
    await migrate(pool, 'batchsender');
    const last = monthPartitions(new Date(), 2).at(-1);
    await pool.query(`DROP TABLE batchsender.jobs_${last?.suffix}, batchsender.job_events_${last?.suffix}`);
    await Promise.all(Array.from({ length: 5 }, () => makePartitions(pool)));
    expect(await tables(`jobs_${last?.suffix}`)).toEqual([`jobs_${last?.suffix}`]);
  });

  it.each([
    ['spaces, quotes and dots', `Möbel & "Söhne" d'Or.x; --`],
    ['dollars', `a$$b$&c$'d$S`],
    ['as many characters as Postgres takes', 'n'.repeat(63)],
    ['capitals', 'Batch_Sender'],
  ])('work in a schema whose name has %s', async (_what, schema) => {
    const engine = engineOn(schema);
    await engine.start();
    const jobs = Array.from({ length: 3 }, (_, n) => ({ tag: 't', n, to: 'e' }));
    const batch = await engine.submit({ type: 'model', provider: 'once', jobs });
    await expect.poll(async () => (await engine.getBatch(batch.id)).state).toBe('completed');
    expect((await engine.listJobs(batch.id, { state: 'succeeded' })).items).toHaveLength(3);
    await steerIn(engine);
    expect(await tables('batches', schema)).toEqual(['batches']);
    expect(await tables()).toEqual([]);
    await engine.stop();
  });
});

/** An upload, a pause, a cancellation and a retry, so that every statement meets the schema's name. */
async function steerIn(engine: Engine): Promise<void> {
  const { id } = await engine.submit({
    type: 'model',
    provider: 'once',
    scheduledAt: new Date(Date.now() + 3_600_000),
    dedupeBy: 'tag',
  });
  const upload = await engine.upload(id);
  await upload.write([{ payload: { tag: 'u', n: 0, to: 'e' } }]);
  await upload.commit();
  await engine.seal(id);
  await engine.pause(id);
  await engine.resume(id);
  expect((await engine.listJobs(id, { state: 'waiting' })).items).toHaveLength(1);
  expect((await engine.cancel(id)).counts.cancelled).toBe(1);
  await engine.retry(id, ['cancelled']);
  await expect.poll(async () => (await engine.getBatch(id)).state).toBe('completed');
}

async function makePartitions(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await createPartitions(client, quote('batchsender'));
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}
