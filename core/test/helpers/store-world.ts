import pg from 'pg';
import { v7 } from 'uuid';
import { NO_TALLIES } from '../../src/engine/decisions/tallies.ts';
import type { ChunkEnd, ChunkLease, EventKind, NewEvent, Store, Tallies } from '../../src/engine/store.ts';
import { createPostgresStore } from '../../src/postgres/create-store.ts';
import { type TestDatabase, type TestServer, testDatabase } from './postgres.ts';

/** A result that a test flushes: a kind, with data if it matters. */
export type Result = EventKind | readonly [EventKind, Record<string, unknown>];

/** A store on a database of its own, with batches that are made by hand and no engine on them. */
export class StoreWorld {
  readonly store: Store;
  readonly pool: pg.Pool;
  /** The runner in whose name chunks are leased. */
  readonly runnerId = v7();
  readonly #database: TestDatabase;

  constructor(database: TestDatabase) {
    this.#database = database;
    this.pool = new pg.Pool({ connectionString: database.url });
    this.pool.on('error', () => undefined);
    this.store = createPostgresStore({
      connectionString: database.url,
      schema: 'batchsender',
      pools: { engine: 4, api: 4 },
      onError: () => undefined,
    });
  }

  static async create(server?: TestServer): Promise<StoreWorld> {
    const world = new StoreWorld(await testDatabase(server));
    await world.store.migrate();
    await world.store.runner.heartbeat(world.runnerId, {}, 15_000, []);
    return world;
  }

  /** A running batch with a chunk for every `chunkSize` jobs. Answers the chunks' ids too. */
  async batch(total: number, chunkSize = total): Promise<{ id: string; chunkIds: number[] }> {
    const id = v7();
    const chunks = Math.ceil(total / chunkSize);
    await this.pool.query(
      `INSERT INTO batchsender.batches (id, tenant_id, type, state, provider, connection_id, plugin_name, plugin_version,
         module_version, chunk_size, total, open_chunks, sealed_at)
       VALUES ($1, 'default', 'mail', 'running', 'smtp', 'mail.smtp', 'p', '1', 1, $2, $3, $4, now())`,
      [id, chunkSize, total, chunks],
    );
    await this.pool.query(
      `INSERT INTO batchsender.jobs (batch_id, seq, payload) SELECT $1, g, '{}' FROM generate_series(0, $2::int - 1) AS g`,
      [id, total],
    );
    const { rows } = await this.pool.query<{ id: string }>(
      `INSERT INTO batchsender.chunks (batch_id, connection_id, state, due_at, first_due_at, attempt, first_seq, end_seq, size)
       SELECT $1, 'mail.smtp', 'ready', now(), now(), 1, g, least(g + $2, $3), least(g + $2, $3) - g
       FROM generate_series(0, $3::int - 1, $2::int) AS g ORDER BY g RETURNING id`,
      [id, chunkSize, total],
    );
    return { id, chunkIds: rows.map((row) => Number(row.id)) };
  }

  async lease(chunkId: number | undefined): Promise<ChunkLease> {
    const lease = await this.store.run.lease(chunkId ?? -1, this.runnerId);
    if (lease === undefined) throw new Error(`chunk ${chunkId} cannot be leased`);
    return lease;
  }

  /** Flushes results by position under a lease. */
  flush(
    lease: ChunkLease,
    results: Readonly<Record<number, Result>>,
    end: ChunkEnd = { kind: 'keep' },
    flushNo = lease.flushNo,
  ): Promise<boolean> {
    const events = Object.entries(results).map(([seq, result]): NewEvent => {
      const [kind, data] = typeof result === 'string' ? [result, null] : result;
      return { seq: Number(seq), kind, data: data === null ? null : JSON.stringify(data) };
    });
    const tallies: Record<string, number> = { ...NO_TALLIES };
    for (const { kind } of events) if (kind in tallies) tallies[kind] = (tallies[kind] ?? 0) + 1;
    return this.store.run.flush({ lease, flushNo, events, tallies: tallies as unknown as Tallies, end });
  }

  /** Sweeps until nothing is left to do. */
  async sweep(batchId: string): Promise<void> {
    while (await this.store.maintenance.sweepStep(batchId));
  }

  /** The last event of every job that has one: attempt, kind, and its data if it has any. */
  async lastEvents(batchId: string): Promise<Record<number, string>> {
    const { rows } = await this.pool.query<{ seq: number; text: string }>(
      `SELECT DISTINCT ON (seq) seq, attempt || ' ' || kind || coalesce(' ' || (data->>'code'), '') AS text
       FROM batchsender.job_events WHERE batch_id = $1 ORDER BY seq, id DESC`,
      [batchId],
    );
    return Object.fromEntries(rows.map(({ seq, text }) => [seq, text]));
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.pool.end();
    await this.#database.drop();
  }
}
