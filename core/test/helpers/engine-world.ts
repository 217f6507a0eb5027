import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createEngine } from '../../src/create-engine.ts';
import type { Batch, Engine, EngineOptions } from '../../src/engine/api.ts';
import type { Store } from '../../src/engine/store.ts';
import type { Tuning } from '../../src/engine/tuning.ts';
import type { Logger, Plugin } from '../../src/plugin/index.ts';
import { createPostgresStore } from '../../src/postgres/create-store.ts';
import { conservationProblems } from './model-conservation.ts';
import { readSnapshot } from './model-snapshot.ts';
import { testDatabase } from './postgres.ts';

/** Short times, so that tests need not wait; a lease that a loaded machine does not lose. */
const FAST: Partial<Tuning> = {
  leaseMs: 10_000,
  heartbeatMs: 100,
  sliceMs: 300,
  startWithinMs: 200,
  pollMs: 50,
};

/** What an engine logged: errors and warnings. */
export interface LogEntry {
  readonly level: 'warn' | 'error';
  readonly fields: object;
  readonly message: string | undefined;
}

export interface WorldEngineOptions extends Partial<Omit<EngineOptions, 'plugins'>> {
  readonly plugins: readonly { readonly plugin: Plugin }[];
}

/** A database of its own with engines and stores on it. */
export interface World {
  readonly url: string;
  readonly log: LogEntry[];
  /** An engine that was not started; stopped when the world closes. */
  engine(options: WorldEngineOptions): Engine;
  /** A started engine. */
  started(options: WorldEngineOptions): Promise<Engine>;
  /** The store alone, for playing a runner by hand. */
  store(): Promise<Store>;
  // biome-ignore lint/suspicious/noExplicitAny: rows are what the test's own SQL says
  sql(text: string, values?: readonly unknown[]): Promise<any[]>;
  /** A transaction of the test's own, on a connection of its own. */
  client(): Promise<pg.PoolClient>;
  /** E1, E2, E10: what is wrong in the database now. */
  problems(): Promise<string[]>;
  close(): Promise<void>;
}

export async function createWorld(): Promise<World> {
  const database = await testDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 6 });
  pool.on('error', () => undefined);
  const engines: Engine[] = [];
  const stores: Store[] = [];
  const clients = new Set<pg.PoolClient>();
  const log: LogEntry[] = [];
  const engine = ({ plugins, tuning, ...options }: WorldEngineOptions) => {
    const made = createEngine({
      database: database.url,
      plugins: plugins.map((one) => one.plugin),
      logger: recordingLogger(log),
      pools: { engine: 4, api: 4 },
      tuning: { ...FAST, ...tuning },
      ...options,
    });
    engines.push(made);
    return made;
  };
  return {
    url: database.url,
    log,
    engine,
    async started(options) {
      const made = engine(options);
      await made.start();
      return made;
    },
    async store() {
      const made = createPostgresStore({
        connectionString: database.url,
        schema: 'batchsender',
        pools: { engine: 2, api: 2 },
        onError: () => undefined,
      });
      stores.push(made);
      await made.migrate();
      return made;
    },
    sql: async (text, values = []) => (await pool.query(text, [...values])).rows,
    async client() {
      const client = await pool.connect();
      clients.add(client);
      client.once('end', () => clients.delete(client));
      const release = client.release.bind(client);
      client.release = (error) => {
        clients.delete(client);
        release(error);
      };
      return client;
    },
    problems: async () => conservationProblems(await readSnapshot(pool)),
    async close() {
      // Those of a test that failed half-way: their locks must not hold up the rest.
      for (const client of clients) client.release(true);
      await Promise.all(engines.map((one) => one.stop({ graceMs: 200 })));
      await Promise.all(stores.map((one) => one.close()));
      await pool.end();
      await database.drop();
    },
  };
}

function recordingLogger(log: LogEntry[]): Logger {
  const at = (level: LogEntry['level']) => (fields: object, message?: string) => {
    log.push({ level, fields, message });
  };
  return { debug: () => undefined, info: () => undefined, warn: at('warn'), error: at('error') };
}

/** Waits until `check` answers something; throws after 40 seconds, with what was waited for. */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  withinMs = 40_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await check();
    if (answer !== undefined && answer !== null && answer !== false) return answer as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for: ${what}`);
    await sleep(15);
  }
}

/** Waits until a batch is completed or cancelled. */
export function ended(engine: Engine, batchId: string): Promise<Batch> {
  return until(`the end of batch ${batchId}`, async () => {
    const batch = await engine.getBatch(batchId);
    return batch.completedAt === null ? undefined : batch;
  });
}

/** Chunks that are locked: a fence for one of them waits until `release`. */
export interface HeldChunks {
  /** Resolves when a fence waits. */
  fenceWaits(): Promise<unknown>;
  release(): Promise<void>;
}

export async function holdChunks(world: World): Promise<HeldChunks> {
  const client = await world.client();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM batchsender.chunks FOR UPDATE');
  const waiting = `SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FOR SHARE%'`;
  return {
    fenceWaits: () => until('a fence that waits', async () => (await world.sql(waiting)).length > 0),
    async release() {
      await client.query('COMMIT');
      client.release();
    },
  };
}

export { sleep };
