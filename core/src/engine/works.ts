import { v7 } from 'uuid';
import { guardedFetch } from '../plugin/guarded-fetch.ts';
import type { Logger } from '../plugin/index.ts';
import type { EngineOptions } from './api.ts';
import { Dispatcher } from './dispatcher.ts';
import { BatchSenderError } from './errors.ts';
import type { LeasedRange, NewBatch } from './host-store.ts';
import type { IsolatedChunk } from './isolation.ts';
import { Maintenance } from './maintenance.ts';
import type { Registry } from './registry.ts';
import { chargeRejections } from './runner/charge-rejections.ts';
import { newLease } from './runner/new-lease.ts';
import { PlanCache } from './runner/plan-cache.ts';
import { Runner } from './runner/runner.ts';
import { SessionCache } from './runner/session-cache.ts';
import type { Notice, Store } from './store.ts';
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
  readonly runnerId: string;
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
    // The share of a provider's concurrency goes by the order of the ids.
    const runnerId = options.alone === true ? v7({ msecs: 0 }) : v7();
    this.runnerId = runnerId;
    this.#logger = logger;
    this.#versions = versionsOf(registry, options.types);
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
      isolate: options.isolate,
    });
    this.#dispatcher = new Dispatcher({
      store: store.dispatch,
      transport: this.#transport,
      tuning,
      versions: this.#versions,
      logger,
      room: (connectionId) => this.runner.room(connectionId),
      totalRoom: () => this.runner.totalRoom,
      onNotice: (notice) => this.#notice(notice),
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

  /** True if a chunk of the connection would be taken at once. */
  canTake(type: string, connectionId: string, version = 0): boolean {
    return (
      this.#started &&
      (this.#versions[type] ?? -1) >= version &&
      this.runner.totalRoom > 0 &&
      this.runner.room(connectionId) > 0
    );
  }

  /** A batch was stored here with its chunks under a lease of ours: nothing need be asked for. */
  takeLeased({ id, ...batch }: NewBatch, leased: readonly LeasedRange[]): void {
    this.#plans.prime({ batchId: id, ...batch });
    for (const range of leased) this.runner.work(newLease(id, range), batch.connectionId);
  }

  wake(): void {
    this.#dispatcher.wake();
  }

  /** What another process announced; a chunk is taken at once where there is room, without looking for it. */
  #notice(notice: Notice): void {
    if (notice.kind === 'steered') this.runner.steer(notice.batchId);
    else if (notice.kind === 'unblocked') this.runner.unblock(notice.connectionId);
    if (notice.kind !== 'chunk' || !this.canTake(notice.type, notice.connectionId, notice.version)) {
      this.wake();
      return;
    }
    // What its batch says is asked for while it is being leased.
    this.#plans.get(notice.batchId).catch(() => undefined);
    this.runner.accept(notice);
  }

  /** Works on one chunk that another runner hands over, and on nothing else. */
  async runAlone(chunk: IsolatedChunk): Promise<{ taken: boolean; dueInMs?: number }> {
    this.#uncharge ??= chargeRejections(this.#logger);
    await this.runner.start();
    const left = await this.runner.workAlone(chunk);
    return left === undefined ? { taken: false } : { taken: true, ...left };
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
    if (this.#uncharge !== undefined) await this.runner.stop(graceMs);
    await this.#maintenance.stop();
    await this.#transport.close();
    await this.#sessions.close();
    this.#uncharge?.();
  }
}

/** The types that this engine runs, with the versions of their modules. @throws BatchSenderError `unknown_type` */
function versionsOf(registry: Registry, types: readonly string[] | undefined): Record<string, number> {
  const installed = registry.list().map(({ module }) => [module.type, module.version] as const);
  const missing = types?.find((type) => registry.get(type) === undefined);
  if (missing !== undefined) {
    const known = installed.map(([type]) => type).join(', ') || 'none';
    throw new BatchSenderError(
      'unknown_type',
      `No installed plugin has the type '${missing}', which this engine is to run. Installed: ${known}`,
    );
  }
  return Object.fromEntries(installed.filter(([type]) => types?.includes(type) ?? true));
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
