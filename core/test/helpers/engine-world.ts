import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { createEngine } from '../../src/create-engine.ts';
import type { Batch, Engine, EngineOptions, Tenant } from '../../src/engine/api.ts';
import type { Store } from '../../src/engine/store.ts';
import type { Tuning } from '../../src/engine/tuning.ts';
import type { Logger, Plugin } from '../../src/plugin/index.ts';
import { createPostgresStore } from '../../src/postgres/create-store.ts';
import { conservationProblems } from './model-conservation.ts';
import { readSnapshot } from './model-snapshot.ts';
import { type TestDatabase, testDatabase } from './postgres.ts';

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

/** A database with engines and stores on it. */
export interface World {
  readonly url: string;
  readonly log: LogEntry[];
  /** An engine that was not started. */
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
}

/**
 * One world for a test file, called at its top: the database is proven sound after each test,
 * and emptied for the next one.
 */
export function testWorld(): World {
  const world = new DatabaseWorld();
  beforeAll(() => world.open());
  afterEach(async () => {
    try {
      expect(await world.problems()).toEqual([]);
    } finally {
      await world.empty();
    }
  });
  afterAll(() => world.close());
  return world;
}

const TABLES = [
  'batches',
  'uploads',
  'jobs',
  'job_keys',
  'chunks',
  'job_event_rows',
  'job_fences',
  'runners',
  'leadership',
  'grant_requests',
  'connection_tokens',
  'connections',
  'rate_usage',
  'sweeps',
  'idempotency_keys',
  'receipt_keys',
  'suppressions',
  'audit_log',
  'settings',
];

class DatabaseWorld implements World {
  readonly log: LogEntry[] = [];
  #database: TestDatabase | undefined;
  #pool: pg.Pool | undefined;
  #engines: Engine[] = [];
  #stores: Store[] = [];
  readonly #clients = new Set<pg.PoolClient>();

  get url(): string {
    return opened(this.#database).url;
  }

  async open(): Promise<void> {
    this.#database = await testDatabase();
    this.#pool = new pg.Pool({ connectionString: this.url, max: 6 });
    this.#pool.on('error', () => undefined);
    await this.store();
  }

  engine({ plugins, tuning, ...options }: WorldEngineOptions): Engine {
    const made = createEngine({
      database: this.url,
      plugins: plugins.map((one) => one.plugin),
      logger: recordingLogger(this.log),
      pools: { engine: 4, api: 4 },
      tuning: { ...FAST, ...tuning },
      ...options,
    });
    this.#engines.push(made);
    return made;
  }

  async started(options: WorldEngineOptions): Promise<Engine> {
    const made = this.engine(options);
    await made.start();
    return made;
  }

  async store(): Promise<Store> {
    const made = createPostgresStore({
      connectionString: this.url,
      schema: 'batchsender',
      pools: { engine: 2, api: 2 },
      onError: () => undefined,
    });
    this.#stores.push(made);
    await made.migrate();
    return made;
  }

  // biome-ignore lint/suspicious/noExplicitAny: rows are what the test's own SQL says
  async sql(text: string, values: readonly unknown[] = []): Promise<any[]> {
    return (await opened(this.#pool).query(text, [...values])).rows;
  }

  async client(): Promise<pg.PoolClient> {
    const client = await opened(this.#pool).connect();
    this.#clients.add(client);
    const release = client.release.bind(client);
    client.release = (error) => {
      this.#clients.delete(client);
      release(error);
    };
    return client;
  }

  async problems(): Promise<string[]> {
    return conservationProblems(await readSnapshot(opened(this.#pool)));
  }

  /** Stops all that runs, and deletes what it left. */
  async empty(): Promise<void> {
    // Those of a test that failed half-way: their locks must not hold up the rest.
    for (const client of this.#clients) client.release(true);
    await Promise.all(this.#engines.map((one) => one.stop({ graceMs: 200 })));
    await Promise.all(this.#stores.map((one) => one.close()));
    this.#engines = [];
    this.#stores = [];
    this.log.length = 0;
    await this.sql(TABLES.map((table) => `DELETE FROM batchsender.${table}`).join(';'));
  }

  async close(): Promise<void> {
    await this.#pool?.end();
    await this.#database?.drop();
  }
}

function opened<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('the world is there only while tests run');
  return part;
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
export function ended(engine: Engine, batchId: string, tenant?: Tenant): Promise<Batch> {
  return until(`the end of batch ${batchId}`, async () => {
    const batch = await engine.getBatch(batchId, tenant);
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
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%flush_no = flush_no + 1%'`;
  return {
    fenceWaits: () => until('a fence that waits', async () => (await world.sql(waiting)).length > 0),
    async release() {
      await client.query('COMMIT');
      client.release();
    },
  };
}

export { sleep };
