import pg from 'pg';
import { createEngine } from '../../src/create-engine.ts';
import { BatchEngine } from '../../src/engine/batch-engine.ts';
import type { Store } from '../../src/engine/store.ts';
import type { Tuning } from '../../src/engine/tuning.ts';
import type { Logger } from '../../src/plugin/index.ts';
import { createPostgresStore } from '../../src/postgres/create-store.ts';
import { type ChaosProxy, chaosProxy } from './chaos-proxy.ts';
import { type Host, modelPlugin } from './model-plugin.ts';
import { seededRandom } from './model-random.ts';
import { ModelVendor } from './model-vendor.ts';
import { type TestDatabase, testDatabase } from './postgres.ts';

/** Times so short that leases are lost and found within a schedule. Sizes differ from seed to seed. */
export const MODEL_TUNING: Partial<Tuning> = {
  chunkSize: 12,
  leaseMs: 1_500,
  heartbeatMs: 100,
  flushMs: 10,
  flushSize: 20,
  sliceMs: 300,
  startWithinMs: 150,
  pollMs: 50,
  rehintMs: 400,
  reconcileMs: 1_000,
  uploadTtlMs: 1_500,
};

/** One process of the model: an engine behind a wire of its own. */
export interface ModelEngine {
  readonly host: Host;
  readonly engine: BatchEngine;
  readonly proxy: ChaosProxy;
  /** When its wire was silent, by the monotonic clock. */
  readonly stalls: { from: number; to: number }[];
  state: 'up' | 'gone';
}

/** A database, some engines on it, and a vendor. */
export class ModelWorld {
  readonly vendor: ModelVendor;
  readonly engines: ModelEngine[] = [];
  /** Errors of the database that no network explains. */
  readonly errors = new Set<string>();
  /** Straight to the database, for the model's own eyes. */
  readonly pool: pg.Pool;
  readonly store: Store;
  readonly #database: TestDatabase;
  readonly #tuning: Partial<Tuning>;
  readonly #ending: Promise<void>[] = [];

  constructor(database: TestDatabase, seed: number) {
    this.#database = database;
    this.vendor = new ModelVendor(seed);
    const random = seededRandom(`tuning ${seed}`);
    this.#tuning = {
      ...MODEL_TUNING,
      chunkSize: random.pick([5, 12, 40]),
      sliceMs: random.pick([300, 3_000]),
    };
    this.pool = new pg.Pool({ connectionString: database.url, max: 4 });
    this.pool.on('error', () => undefined);
    this.store = createPostgresStore({
      connectionString: database.url,
      schema: 'batchsender',
      pools: { engine: 1, api: 2 },
      onError: () => undefined,
    });
  }

  static async create(seed: number): Promise<ModelWorld> {
    const world = new ModelWorld(await testDatabase(), seed);
    await world.store.migrate();
    return world;
  }

  get up(): ModelEngine[] {
    return this.engines.filter((engine) => engine.state === 'up');
  }

  get repairs(): number {
    return this.engines.reduce((sum, { engine }) => sum + engine.repairs, 0);
  }

  async start(tuning: Partial<Tuning> = {}): Promise<ModelEngine> {
    const host: Host = { index: this.engines.length, dead: false };
    const proxy = await chaosProxy(this.#database.url);
    const engine = createEngine({
      database: proxy.url,
      plugins: [modelPlugin(host, this.vendor)],
      pools: { engine: 3, api: 4 },
      tuning: { ...this.#tuning, ...tuning },
      logger: this.#logger(host),
    });
    if (!(engine instanceof BatchEngine)) throw new Error('createEngine() makes another engine');
    const made: ModelEngine = { host, engine, proxy, stalls: [], state: 'up' };
    this.engines.push(made);
    try {
      await engine.start();
    } catch (error) {
      // A process that cannot start ends.
      this.kill(made);
      throw error;
    }
    return made;
  }

  /** `kill -9`: its wire is cut, no call leaves it any more, and what it knew is lost. */
  kill(victim: ModelEngine): void {
    victim.state = 'gone';
    victim.host.dead = true;
    victim.proxy.kill();
    this.#ending.push(victim.engine.stop({ graceMs: 0 }).catch(() => undefined));
  }

  /** A graceful stop. */
  stop(engine: ModelEngine, graceMs: number): void {
    engine.state = 'gone';
    this.#ending.push(
      engine.engine.stop({ graceMs }).catch((error: Error) => this.unexpected(error, 'stop')),
    );
  }

  stall(engine: ModelEngine, forMs: number): void {
    const from = performance.now();
    engine.stalls.push({ from, to: from + forMs });
    engine.proxy.stall(forMs);
  }

  /** Notes an error that no broken wire explains. */
  unexpected(error: unknown, where: string): void {
    if (!isWireError(error)) this.errors.add(`${where}: ${String((error as Error).stack ?? error)}`);
  }

  async close(): Promise<void> {
    for (const engine of this.up) this.stop(engine, 500);
    await Promise.all(this.#ending);
    await Promise.all(this.engines.map(({ proxy }) => proxy.close()));
    await this.store.close();
    await this.pool.end();
    await this.#database.drop();
  }

  #logger(host: Host): Logger {
    const note = (fields: object, message?: string) => {
      const { err } = fields as { err?: unknown };
      if (err !== undefined) this.unexpected(err, `engine ${host.index}: ${message}`);
    };
    return { debug: () => undefined, info: () => undefined, warn: note, error: note };
  }
}

const WIRE_CODES = /^(ECONN|EPIPE|ETIMEDOUT|57P0|08)/;
const WIRE_WORDS = /terminated|timeout exceeded|not queryable|after calling end|was closed|unavailable/i;

/** True for what a broken connection explains. */
export function isWireError(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return WIRE_CODES.test(String(code)) || WIRE_WORDS.test(String(message));
}
