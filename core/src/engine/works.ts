import { v7 } from 'uuid';
import { guardedFetch } from '../plugin/guarded-fetch.ts';
import type { Logger } from '../plugin/index.ts';
import type { EngineOptions } from './api.ts';
import { Dispatcher } from './dispatcher.ts';
import type { LeasedRange, NewBatch } from './host-store.ts';
import { Maintenance } from './maintenance.ts';
import type { Registry } from './registry.ts';
import { chargeRejections } from './runner/charge-rejections.ts';
import { newLease } from './runner/new-lease.ts';
import { PlanCache } from './runner/plan-cache.ts';
import { type ChunkPlace, Runner } from './runner/runner.ts';
import { SessionCache } from './runner/session-cache.ts';
import type { Store } from './store.ts';
import { createInProcessTransport, type Transport } from './transport.ts';
import type { Tuning } from './tuning.ts';

export interface WorksOptions {
  readonly options: EngineOptions;
  readonly store: Store;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly tuning: Tuning;
  onRepairs(count: number): void;
}

/** Free slots wait at most this long for company. */
const REFILL_MS = 5;

/** What works in the background: dispatcher, runner and housekeeping of one process. */
export class Works {
  readonly runnerId: string = v7();
  readonly runner: Runner;
  readonly #dispatcher: Dispatcher;
  readonly #maintenance: Maintenance;
  readonly #transport: Transport = createInProcessTransport();
  readonly #sessions: SessionCache;
  readonly #plans: PlanCache;
  readonly #versions: Record<string, number>;
  readonly #logger: Logger;
  #started = false;
  #unconsume: (() => Promise<void>) | undefined;
  #uncharge: (() => void) | undefined;

  constructor({ options, store, registry, logger, tuning, onRepairs }: WorksOptions) {
    const { runnerId } = this;
    this.#logger = logger;
    this.#versions = Object.fromEntries(registry.list().map(({ module }) => [module.type, module.version]));
    this.#sessions = createSessions(options, logger);
    this.#plans = new PlanCache(
      store.run,
      registry,
      (type, provider) => options.credentials?.(type, provider) ?? {},
    );
    this.runner = new Runner({
      runnerId,
      store: store.run,
      rows: store.runner,
      plans: this.#plans,
      sessions: this.#sessions,
      tuning,
      retry: options.retry ?? {},
      logger,
      versions: this.#versions,
      onDue: (inMs) => this.#dispatcher.wakeIn(inMs),
      // With much at work, free slots are filled some at a time: a look costs two statements.
      onRoom: () =>
        this.runner.held > tuning.chunkSlotsPerConnection / 2
          ? this.#dispatcher.wakeIn(REFILL_MS)
          : this.wake(),
    });
    this.#dispatcher = new Dispatcher({
      store: store.dispatch,
      transport: this.#transport,
      tuning,
      versions: this.#versions,
      logger,
      room: (connectionId) => this.runner.room(connectionId),
      totalRoom: () => this.runner.totalRoom,
      newcomers: this.runner.newcomers,
    });
    const onDue = () => this.wake();
    this.#maintenance = new Maintenance({
      store: store.maintenance,
      holder: runnerId,
      tuning,
      logger,
      onDue,
      onRepairs,
    });
  }

  /** True if the runner works and its heartbeat is fresh. */
  get ready(): boolean {
    return this.#started && this.runner.heartbeat.fresh(performance.now());
  }

  /** True if a chunk of the tenant would be taken at once. */
  canTake(place: ChunkPlace): boolean {
    return this.#started && this.runner.totalRoom > 0 && this.runner.takes(place);
  }

  /** A batch was stored here with its chunks under a lease of ours: nothing need be asked for. */
  takeLeased({ id, ...batch }: NewBatch, leased: readonly LeasedRange[]): void {
    this.#plans.prime({ batchId: id, ...batch });
    for (const range of leased) this.runner.work(newLease(id, range), batch);
  }

  wake(): void {
    this.#dispatcher.wake();
  }

  async start(): Promise<void> {
    if (this.#started) return;
    this.#uncharge = chargeRejections(this.#logger);
    await this.runner.start();
    this.#unconsume = await this.#transport.consume(Object.keys(this.#versions), (ref) =>
      this.runner.accept(ref),
    );
    this.#started = true;
    await this.#dispatcher.start();
    this.#maintenance.start();
  }

  async stop(graceMs: number): Promise<void> {
    await this.#dispatcher.stop();
    await this.#unconsume?.();
    if (this.#started) await this.runner.stop(graceMs);
    await this.#maintenance.stop();
    await this.#transport.close();
    await this.#sessions.close();
    this.#uncharge?.();
  }
}

function createSessions(options: EngineOptions, logger: Logger): SessionCache {
  const network = { allow: options.allowNetworks ?? [] };
  const base = options.publicUrl?.replace(/\/$/, '');
  return new SessionCache({
    logger,
    network,
    fetch: guardedFetch(network),
    callbackUrl: (type, provider, connectionId, jobId) =>
      base === undefined
        ? undefined
        : `${base}/v1/callbacks/${type}/${provider}/${connectionId}?job=${jobId}`,
  });
}
