import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { oneBatchEach } from '../../chaos/load.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/index.ts';
import type { BatchInput } from '../../src/engine/api.ts';
import { until } from '../helpers/engine-world.ts';
import { type FaultWorld, faultWorld } from '../helpers/fault-world.ts';
import { type SmallDisk, smallDisk } from '../helpers/small-disk.ts';

// Processes that start, leases that run out: on a loaded machine that takes its time.
vi.setConfig({ testTimeout: 180_000 });

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function opened(making: Promise<FaultWorld>): Promise<FaultWorld> {
  const world = await making;
  closers.push(() => world.close());
  return world;
}

const JOBS = 120;
/** Filling a disk takes longer: there must be work left by then. */
const JOBS_OF_A_SLOW_FAULT = 400;
/** So slow that a fault of a second comes while calls are made, and in flight. */
const WORK_MS = 10;

/** Starts an engine with a batch for each guarantee, and waits until it is at work. */
async function underLoad(world: FaultWorld, jobs = JOBS) {
  const engine = world.engine({ tuning: { chunkSize: 40 } });
  await engine.start();
  for (const batch of oneBatchEach(jobs)) await engine.submit(batch);
  await until('calls', () => world.receiver.ledger.length > JOBS / 2);
  return engine;
}

/** All went on by itself: no job is lost or stuck, no repeat unmarked, no call without its fence. */
async function expectKept(world: FaultWorld, jobs = 5 * JOBS): Promise<void> {
  const verdict = await world.verdict();
  expect(verdict).toMatchObject({ jobs, stuck: 0, failed: 0, problems: [] });
}

describe('a Postgres under load', () => {
  it('E9, E11: that is restarted: the engine goes on by itself', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'batchsender-faults-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    await chmod(folder, 0o755);
    const dataDir = join(folder, 'postgres');
    let server: EmbeddedPostgres = await startEmbeddedPostgres({ dataDir });
    closers.push(() => server.stop());
    const { port, url } = server;
    const world = await opened(
      faultWorld({ workMs: WORK_MS }, async () => ({ url, drop: async () => undefined })),
    );
    await underLoad(world);
    for (let restart = 0; restart < 2; restart++) {
      const before = world.receiver.ledger.length;
      await server.stop();
      server = await startEmbeddedPostgres({ dataDir, port });
      await until('calls again', () => world.receiver.ledger.length > before + 20);
    }
    await expectKept(world);
  });

  it('E7, E8: that is read-only for longer than the lease: no call starts', async () => {
    const world = await opened(faultWorld({ workMs: WORK_MS }));
    await underLoad(world);
    await readOnly(world, true);
    // Whatever is in flight ends, and then nothing starts any more.
    await until('silence', async () => {
      const calls = world.receiver.ledger.length;
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return world.receiver.ledger.length === calls;
    });
    const calls = world.receiver.ledger.length;
    expect(calls).toBeLessThan(5 * JOBS);
    await refusedWith(world, '25006');
    await readOnly(world, false);
    await expectKept(world);
  });

  it('E7: that has a full disk: no call starts without its fence, and all goes on when there is room', async (test) => {
    const disk = await smallDisk().catch((error: Error) => error);
    if (disk instanceof Error) test.skip(`a small disk needs root, to mount a tmpfs: ${disk.message}`);
    const world = await opened(faultWorld({ workMs: WORK_MS }, async () => disk as SmallDisk));
    await underLoad(world, JOBS_OF_A_SLOW_FAULT);
    await (disk as SmallDisk).fill();
    await until('an engine that cannot write', () => world.log.some((line) => line.includes('extend file')));
    await refusedWith(world, '53100');
    await (disk as SmallDisk).free();
    await expectKept(world, 5 * JOBS_OF_A_SLOW_FAULT);
  });
});

/** Batches are refused in the end; small ones may still find some room in a page. */
async function refusedWith(world: FaultWorld, code: string): Promise<void> {
  const engine = world.engine();
  await until(`a refusal with ${code}`, async () => {
    const [batch] = oneBatchEach(400) as [BatchInput];
    const refused = await engine.submit({ ...batch, sealed: false }).then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );
    return refused === code;
  });
}

/** New sessions cannot write, as on a standby or after an operator's order; the old ones are ended. */
async function readOnly(world: FaultWorld, is: boolean): Promise<void> {
  const { rows } = await world.pool.query<{ name: string }>('SELECT current_database() AS name');
  const client = await world.pool.connect();
  await client.query('SET default_transaction_read_only = off');
  await client.query(
    `ALTER DATABASE ${rows[0]?.name} SET default_transaction_read_only = ${is ? 'on' : 'off'}`,
  );
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE 'batchsender%'`,
  );
  client.release();
}
