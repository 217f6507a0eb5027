import { v7 } from 'uuid';
import type { Logger } from '../plugin/index.ts';
import type { EngineOptions } from './api.ts';
import { ConnectionKeeper } from './connections/connection-keeper.ts';
import { isStoredConnection } from './connections/ids.ts';
import type { DispatchGuide } from './dispatch-target.ts';
import { Dispatcher } from './dispatcher.ts';
import { connectionCache, type HostContext } from './host-context.ts';
import type { LeasedRange, NewBatch } from './host-store.ts';
import type { IsolatedChunk } from './isolation.ts';
import { Maintenance } from './maintenance.ts';
import type { TokenRefresher } from './oauth/token-refresher.ts';
import type { EngineObserver } from './observer.ts';
import type { Inbox } from './receipts/inbox.ts';
import type { Registry } from './registry.ts';
import { chargeRejections } from './runner/charge-rejections.ts';
import { newLease } from './runner/new-lease.ts';
import { PlanCache } from './runner/plan-cache.ts';
import type { BatchPlan } from './runner/prepare.ts';
import type { ChunkPlace } from './runner/room.ts';
import { Runner } from './runner/runner.ts';
import { SessionCache } from './runner/session-cache.ts';
import { SharedDispatch } from './shared-dispatch.ts';
import type { Notice, RunStore, Store } from './store.ts';
import {
  type Consumption,
  createInProcessTransport,
  isShared,
  type Transport,
  type TransportConsumer,
} from './transport.ts';
import type { Tuning } from './tuning.ts';
import { versionsOf } from './versions.ts';

export interface WorksOptions {
  readonly options: EngineOptions;
  readonly store: Store;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly context: HostContext;
  readonly tuning: Tuning;
  /** Told of what happens; it never throws. */
  readonly watcher: EngineObserver | undefined;
  onRepairs(count: number): void;
  /** Takes what sessions report, and knows who is suppressed. */
  readonly inbox: Inbox;
}

/** Free slots wait at most this long for company. */
const REFILL_MS = 5;
/** Jobs up to which a chunk is loaded before its lease is known: in vain, if another process was quicker. */
const LOADED_EARLY = 10;

/** What works in the background: dispatcher, runner and housekeeping of one process. */
export class Works {
  readonly runnerId: string;
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
  readonly #keeper: ConnectionKeeper;
  readonly #versions: Record<string, number>;
  readonly #loadEarly: RunStore['loadEarly'];
  readonly #openConnections: () => void;
  readonly #logger: Logger;
  #started = false;
  #consumption: Consumption | undefined;
  #uncharge: (() => void) | undefined;

  constructor(given: WorksOptions) {
    const { options, store, registry, logger, context, tuning, watcher, onRepairs, inbox } = given;
    // The share of a provider's concurrency goes by the order of the ids.
    const runnerId = options.alone === true ? v7({ msecs: 0 }) : v7();
    this.runnerId = runnerId;
    this.#logger = logger;
    this.#transport = options.transport ?? this.#local;
    this.#versions = versionsOf(registry, options.types);
    this.#loadEarly = store.run.loadEarly;
    this.#openConnections = store.openConnections;
    this.#sessions = new SessionCache(context.session);
    const { vault, refresher } = context;
    const credentials = connectionCache(store, context);
    this.#plans = new PlanCache(store.run, registry, credentials);
    const { connections, steer } = store;
    this.#keeper = new ConnectionKeeper({ store: connections, steer, registry, vault, refresher, logger });
    this.runner = new Runner({
      runnerId,
      store: store.run,
      rows: store.runner,
      plans: this.#plans,
      sessions: this.#sessions,
      suppression: inbox.beforeCalls,
      credentials,
      rescue: (plan) => this.#rescue(plan, refresher),
      tuning,
      retry: options.retry ?? {},
      logger,
      versions: this.#versions,
      observer: watcher,
      onDue: (inMs) => this.#wakeIn(inMs),
      onRoom: () => this.#onRoom(tuning),
      isolate: options.isolate,
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
          window: (connectionId) => this.runner.room.window(connectionId),
          onLead: () => this.#dispatcher.wake(),
        })
      : undefined;
    this.#dispatcher = new Dispatcher({
      store: store.dispatch,
      tuning,
      logger,
      guide: this.#shared ?? local,
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
      watcher,
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

  /** True if a chunk of the tenant would be taken at once. */
  canTake(type: string, place: ChunkPlace, moduleVersion = 0): boolean {
    return this.#started && (this.#versions[type] ?? -1) >= moduleVersion && this.runner.room.takes(place);
  }

  /** A batch was stored here with its chunks under a lease of ours: nothing need be asked for. */
  takeLeased({ id, ...batch }: NewBatch, leased: readonly LeasedRange[]): void {
    this.#plans.prime({ batchId: id, ...batch });
    for (const range of leased) this.runner.work(newLease(id, range), batch);
  }

  /** A block was taken off: what waited for it here goes on. */
  unblocked(connectionId: string): void {
    this.runner.unblock(connectionId);
    this.wake();
  }

  /** Something is due: whoever dispatches for this process looks now. */
  wake(): void {
    if (!this.#started) return;
    if (this.#follows) this.#transport.shared?.signal(0);
    else this.#dispatcher.wake();
  }

  /** What another process announced; a chunk is taken at once where there is room, without looking for it. */
  #notice(notice: Notice): void {
    if (notice.kind === 'joined') {
      this.runner.heartbeat.hurry();
      return;
    }
    if (notice.kind === 'steered') this.runner.steer(notice.batchId);
    else if (notice.kind === 'unblocked') this.runner.unblock(notice.connectionId);
    else if (notice.kind === 'changed') {
      this.runner.connections.changed(notice.connectionId, notice.version);
    }
    // Who dispatches for this process hears it too.
    if (!this.#started || this.#follows) return;
    if (notice.kind !== 'chunk' || !this.canTake(notice.type, notice, notice.moduleVersion)) {
      this.#dispatcher.wake();
      return;
    }
    // What its batch says, and the jobs of a small one, are asked for while it is being leased.
    if (notice.size !== undefined && notice.size <= LOADED_EARLY)
      this.#loadEarly(notice.batchId, notice.size);
    this.#plans.get(notice.batchId).catch(() => undefined);
    this.runner.accept(notice);
  }

  /** Other tokens, where a provider refuses those of an OAuth connection (E18). */
  async #rescue({ provider, connection }: BatchPlan, refresher: TokenRefresher): Promise<boolean> {
    const { connectionId, version } = connection;
    if (provider.oauth === undefined || !isStoredConnection(connectionId)) return false;
    return (await refresher.rescue(connectionId, version)) === 'renewed';
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
    this.#openConnections();
    await this.#consume();
    this.#started = true;
    await this.#keeper.start();
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
    if (this.#uncharge !== undefined) await this.runner.stop(graceMs);
    await this.#maintenance.stop();
    await this.#keeper.stop();
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
    if (!this.#started) return;
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
        limit: this.runner.room.total,
        perConnection: chunkSlotsPerConnection,
        room: (connectionId) => this.runner.room.of(connectionId),
        newcomers: this.runner.room.newcomers,
        publish: (refs) => this.#local.publish(refs),
      }),
    };
  }

  async #consume(): Promise<void> {
    const { runner } = this;
    const consumer = (fits: (place: ChunkPlace) => boolean): TransportConsumer => ({
      versions: this.#versions,
      room: () => runner.room.total,
      take: (ref) => {
        if (!fits(ref)) return false;
        runner.accept(ref);
        return true;
      },
    });
    // What this process dispatches for itself was chosen for the room that it has.
    await this.#local.consume(consumer(() => true));
    if (this.#transport === this.#local) return;
    this.#consumption = await this.#transport.consume(consumer((place) => runner.room.fits(place)));
    this.#transport.shared?.onSignal((inMs) => {
      if (this.#follows) return;
      if (inMs > 0) this.#dispatcher.wakeIn(inMs);
      else this.#dispatcher.wake();
    });
  }
}
