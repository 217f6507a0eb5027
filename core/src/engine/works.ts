import { v7 } from 'uuid';
import { guardedFetch } from '../plugin/guarded-fetch.ts';
import type { Logger } from '../plugin/index.ts';
import type { EngineOptions } from './api.ts';
import type { DispatchGuide } from './dispatch-target.ts';
import { Dispatcher } from './dispatcher.ts';
import type { LeasedRange, NewBatch } from './host-store.ts';
import { Maintenance } from './maintenance.ts';
import type { Registry } from './registry.ts';
import { chargeRejections } from './runner/charge-rejections.ts';
import { newLease } from './runner/new-lease.ts';
import { PlanCache } from './runner/plan-cache.ts';
import { Runner } from './runner/runner.ts';
import { SessionCache } from './runner/session-cache.ts';
import { SharedDispatch } from './shared-dispatch.ts';
import type { Store } from './store.ts';
import {
  type Consumption,
  createInProcessTransport,
  type SharedTransport,
  type Transport,
  type TransportConsumer,
} from './transport.ts';
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
  /** For this process alone. */
  readonly #local: Transport = createInProcessTransport();
  readonly #transport: Transport;
  /** Undefined if every process dispatches for itself. */
  readonly #shared: SharedDispatch | undefined;
  readonly #sessions: SessionCache;
  readonly #plans: PlanCache;
  readonly #versions: Record<string, number>;
  readonly #logger: Logger;
  #started = false;
  #consumption: Consumption | undefined;
  #uncharge: (() => void) | undefined;

  constructor({ options, store, registry, logger, tuning, onRepairs }: WorksOptions) {
    const { runnerId } = this;
    this.#logger = logger;
    this.#transport = options.transport ?? this.#local;
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
      onDue: (inMs) => this.#wakeIn(inMs),
      onRoom: () => this.#onRoom(tuning),
    });
    const local = this.#localGuide(tuning);
    this.#shared = isShared(this.#transport)
      ? new SharedDispatch({
          store: store.dispatch,
          transport: this.#transport,
          holder: runnerId,
          tuning,
          logger,
          local,
          window: (connectionId) => this.runner.window(connectionId),
          onLead: () => this.#dispatcher.wake(),
        })
      : undefined;
    this.#dispatcher = new Dispatcher({
      store: store.dispatch,
      tuning,
      logger,
      guide: this.#shared ?? local,
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

  /** True if the transport carries references, or there is none but this process. */
  get transportReady(): boolean {
    return this.#transport.shared?.ready() ?? true;
  }

  /** True if a chunk of the connection would be taken at once. */
  canTake(connectionId: string): boolean {
    return this.#started && this.runner.totalRoom > 0 && this.runner.room(connectionId) > 0;
  }

  /** A batch was stored here with its chunks under a lease of ours: nothing need be asked for. */
  takeLeased({ id, ...batch }: NewBatch, leased: readonly LeasedRange[]): void {
    this.#plans.prime({ batchId: id, ...batch });
    for (const range of leased) this.runner.work(newLease(id, range), batch.connectionId);
  }

  /** Something is due: whoever dispatches for this process looks now. */
  wake(): void {
    if (!this.#started) return;
    if (this.#follows) this.#transport.shared?.signal(0);
    else this.#dispatcher.wake();
  }

  async start(): Promise<void> {
    if (this.#started) return;
    this.#uncharge = chargeRejections(this.#logger);
    await this.runner.start();
    await this.#consume();
    this.#started = true;
    this.#shared?.start();
    await this.#dispatcher.start();
    // One who leads elsewhere did not know of this runner yet.
    if (this.#shared !== undefined) this.wake();
    this.#maintenance.start();
  }

  async stop(graceMs: number): Promise<void> {
    await this.#dispatcher.stop();
    await this.#shared?.stop();
    await this.#consumption?.end();
    if (this.#started) await this.runner.stop(graceMs);
    await this.#maintenance.stop();
    await this.#local.close();
    await this.#transport.close();
    await this.#sessions.close();
    this.#uncharge?.();
  }

  /** Another process dispatches for this one. */
  get #follows(): boolean {
    return this.#shared?.dispatches === false;
  }

  #wakeIn(inMs: number): void {
    if (this.#follows) this.#transport.shared?.signal(inMs);
    else this.#dispatcher.wakeIn(inMs);
  }

  #onRoom({ chunkSlotsPerConnection }: Tuning): void {
    this.#consumption?.roomy();
    // With much at work, free slots are filled some at a time: a look costs two statements.
    if (this.runner.held > chunkSlotsPerConnection / 2) this.#wakeIn(REFILL_MS);
    else this.wake();
  }

  #localGuide({ chunkSlotsPerConnection }: Tuning): DispatchGuide {
    return {
      dispatches: true,
      target: async () => ({
        versions: this.#versions,
        limit: this.runner.totalRoom,
        perConnection: chunkSlotsPerConnection,
        room: (connectionId) => this.runner.room(connectionId),
        publish: (refs) => this.#local.publish(refs),
      }),
    };
  }

  async #consume(): Promise<void> {
    const { runner } = this;
    const consumer = (hasSlot: (connectionId: string) => boolean): TransportConsumer => ({
      versions: this.#versions,
      room: () => runner.totalRoom,
      take: (ref) => {
        if (!hasSlot(ref.connectionId)) return false;
        runner.accept(ref);
        return true;
      },
    });
    // What this process dispatches for itself was chosen for the room that it has.
    await this.#local.consume(consumer(() => true));
    if (this.#transport === this.#local) return;
    this.#consumption = await this.#transport.consume(consumer((id) => runner.hasSlot(id)));
    this.#transport.shared?.onSignal((inMs) => {
      if (this.#follows) return;
      if (inMs > 0) this.#dispatcher.wakeIn(inMs);
      else this.#dispatcher.wake();
    });
  }
}

const isShared = (transport: Transport): transport is Transport & { readonly shared: SharedTransport } =>
  transport.shared !== undefined;

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
