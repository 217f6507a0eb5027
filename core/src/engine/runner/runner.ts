import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from '../../plugin/index.ts';
import type { RetryPolicy, Tuning } from '../api.ts';
import { mergeRetry } from '../decisions/backoff.ts';
import type { ChunkLease, RunnerStore, RunStore } from '../store.ts';
import type { ChunkRef } from '../transport.ts';
import { ShutdownError } from './active-call.ts';
import { loadChunk } from './chunk-load.ts';
import { ChunkRun, type ChunkRunEnv } from './chunk-run.ts';
import { ConnectionGate } from './gate.ts';
import { Heartbeat } from './heartbeat.ts';
import { isPluginMistake } from './lost.ts';
import type { PlanCache } from './plan-cache.ts';
import type { BatchPlan } from './prepare.ts';
import { InvalidCredentialsError, type SessionCache } from './session-cache.ts';

export interface RunnerOptions {
  readonly runnerId: string;
  readonly store: RunStore;
  readonly rows: RunnerStore;
  readonly plans: PlanCache;
  readonly sessions: SessionCache;
  readonly tuning: Tuning;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  readonly versions: Record<string, number>;
  /** Something will be due after `inMs`. */
  onDue(inMs: number): void;
  /** A slot became free. */
  onRoom(): void;
}

const TICK_MS = 50;
const DEFAULT_CONCURRENCY = 10;
const SAME_THROWS = 10;
/** A connection is asked again after a day at the latest, whatever patience its provider asked for. */
const MAX_THROTTLE_MS = 86_400_000;
/** A session that could not be opened is tried again after this time. */
const REOPEN_MS = 5_000;

/** The plugin whose code is running, so that a rejection nobody awaited can be charged to it (E22). */
export const runningPlugin = new AsyncLocalStorage<string>();

/** Leases chunks and works on them. One a process. */
export class Runner {
  readonly heartbeat: Heartbeat;
  readonly #options: RunnerOptions;
  readonly #runs = new Map<number, ChunkRun>();
  /** Chunks whose lease or load is under way, with their connection. */
  readonly #starting = new Map<number, string>();
  readonly #hintedAgain = new Map<number, ChunkRef>();
  /** Chunks whose lease was not answered: if it was granted, nothing has been called under it. */
  readonly #unheard = new Set<number>();
  readonly #gates = new Map<string, ConnectionGate>();
  readonly #work = new Set<Promise<void>>();
  #ticker: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    const { rows, runnerId, versions, tuning } = options;
    this.heartbeat = new Heartbeat({
      beat: () => rows.heartbeat(runnerId, versions, tuning.leaseMs),
      giveBack: (chunkId, epoch) => rows.giveBack(runnerId, chunkId, epoch, !this.#unheard.delete(chunkId)),
      holds: (chunkId) => this.#runs.has(chunkId) || this.#starting.has(chunkId),
      runs: () => this.#runs,
      onShare: (position, runners) => this.#share(position, runners),
      onBlocked: (blocked) => this.#blocked(blocked),
      intervalMs: tuning.heartbeatMs,
      leaseMs: tuning.leaseMs,
      logger: options.logger,
    });
  }

  async start(): Promise<void> {
    await this.heartbeat.start();
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  /** How many more chunks of a connection this runner would take now. */
  room(connectionId: string): number {
    const gate = this.#gates.get(connectionId);
    if (this.#stopping || gate?.blocked === true || gate?.limit === 0) return 0;
    const { chunkSlotsPerConnection } = this.#options.tuning;
    // With all call slots taken, further chunks would only wait; a few make sure that tenants take turns.
    const most = gate?.saturated === true ? Math.ceil(chunkSlotsPerConnection / 2) : chunkSlotsPerConnection;
    return most - this.#busy(connectionId);
  }

  /** How many more chunks this runner would take now, of whatever connection. */
  get totalRoom(): number {
    if (this.#stopping || !this.heartbeat.fresh(performance.now())) return 0;
    let busy = this.#starting.size;
    for (const run of this.#runs.values()) if (!run.draining) busy += 1;
    return this.#options.tuning.chunkSlots - busy;
  }

  /** Takes a hint. Never throws: what goes wrong is logged, and the chunk comes back by its lease. */
  accept(ref: ChunkRef): void {
    if (this.#stopping) return;
    if (this.#starting.has(ref.chunkId) || this.#runs.has(ref.chunkId)) {
      // Given back a moment ago and hinted again before its run has ended here.
      this.#hintedAgain.set(ref.chunkId, ref);
      return;
    }
    this.#starting.set(ref.chunkId, ref.connectionId);
    const work = this.#take(ref)
      .catch((error: Error) => this.#options.logger.error({ err: error, chunkId: ref.chunkId }, 'chunk failed'))
      .finally(() => {
        this.#starting.delete(ref.chunkId);
        this.#runs.delete(ref.chunkId);
        this.#work.delete(work);
        const again = this.#hintedAgain.get(ref.chunkId);
        this.#hintedAgain.delete(ref.chunkId);
        if (again === undefined) this.#options.onRoom();
        else this.accept(again);
      });
    this.#work.add(work);
  }

  /** Batches that were paused or cancelled here stop at once; in other processes by their heartbeat (E17). */
  steer(batchId: string): void {
    for (const run of this.#runs.values()) if (run.lease.batchId === batchId) run.stop('steered');
  }

  unblock(connectionId: string): void {
    const gate = this.#gates.get(connectionId);
    if (gate === undefined) return;
    gate.blocked = false;
    gate.throttledUntil = 0;
    gate.throws.count = 0;
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const run of this.#runs.values()) run.stop('shutdown');
    await this.#settle(graceMs);
    for (const run of this.#runs.values()) run.abort(new ShutdownError());
    await this.#settle(1_000);
    for (const run of this.#runs.values()) run.loseAll();
    await this.#settle(5_000);
    clearInterval(this.#ticker);
    await this.heartbeat.stop();
    await this.#options.rows.forget(this.#options.runnerId).catch(() => undefined);
  }

  async #settle(withinMs: number): Promise<void> {
    if (this.#work.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    await Promise.race([Promise.allSettled(this.#work), late]);
    clearTimeout(timer);
  }

  async #take(ref: ChunkRef): Promise<void> {
    this.#unheard.add(ref.chunkId);
    const lease = await this.#options.store.lease(ref.chunkId, this.#options.runnerId);
    this.#unheard.delete(ref.chunkId);
    if (lease === undefined) return;
    const dueInMs = await this.#workOn(lease).catch((error: Error) => {
      this.#options.logger.error({ err: error, chunkId: lease.chunkId }, 'a chunk could not be worked on; it is tried again');
      return this.#returnUnused(lease, REOPEN_MS);
    });
    if (dueInMs !== undefined) this.#options.onDue(dueInMs);
  }

  async #workOn(lease: ChunkLease): Promise<number | undefined> {
    const plan = await this.#options.plans.get(lease.batchId);
    const gate = this.#gate(plan);
    return runningPlugin.run(plan.pluginName, () => this.#run(lease, plan, gate));
  }

  async #run(lease: ChunkLease, plan: BatchPlan, gate: ConnectionGate): Promise<number | undefined> {
    const { store, tuning } = this.#options;
    const session = await this.#open(plan, gate);
    if (session === undefined) return this.#returnUnused(lease, REOPEN_MS);
    const policy = mergeRetry(this.#options.retry, plan.batch.retry);
    const work = await loadChunk(store, plan, lease, policy);
    const env: ChunkRunEnv = {
      store,
      tuning,
      plan,
      policy,
      gate,
      session,
      random: Math.random,
      now: () => performance.now(),
      leaseFresh: (now) => this.heartbeat.fresh(now),
      persist: (action) => this.heartbeat.persist(action),
      violation: (message) => this.#options.logger.error({ plugin: plan.pluginName }, `Plugin ${plan.pluginName}: ${message}`),
      threw: (error) => this.#threw(plan, gate, error),
      blocked: (result) => this.#block(plan, gate, result.code, result.message ?? null),
      throttled: (forMs) => this.#throttle(plan, gate, forMs),
    };
    const run = new ChunkRun(lease, env);
    this.#runs.set(lease.chunkId, run);
    this.#starting.delete(lease.chunkId);
    if (this.#stopping) run.stop('shutdown');
    return run.run(work);
  }

  async #returnUnused(lease: ChunkLease, dueInMs: number): Promise<number> {
    const nothing = { succeeded: 0, failed: 0, unknown: 0, cancelled: 0, retried: 0, postponed: 0 };
    const end = { kind: 'giveBack', dueInMs } as const;
    await this.#options.store.flush({ lease, flushNo: lease.flushNo, events: [], tallies: nothing, end });
    return dueInMs;
  }

  async #open(plan: BatchPlan, gate: ConnectionGate) {
    if (gate.blocked) return undefined;
    try {
      return await this.#options.sessions.get(plan);
    } catch (error) {
      if (error instanceof InvalidCredentialsError) this.#block(plan, gate, 'invalid_credentials', error.message);
      else this.#threw(plan, gate, error);
      return undefined;
    }
  }

  #threw(plan: BatchPlan, gate: ConnectionGate, error: unknown): void {
    if (!isPluginMistake(error)) return;
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const { throws } = gate;
    throws.count = throws.text === text ? throws.count + 1 : 1;
    throws.text = text;
    if (throws.count === 1) {
      this.#options.logger.error({ plugin: plan.pluginName, error: text.slice(0, 300) }, `Plugin ${plan.pluginName} threw`);
    }
    if (throws.count >= SAME_THROWS) this.#block(plan, gate, 'provider_error', text.slice(0, 300));
  }

  #block(plan: BatchPlan, gate: ConnectionGate, code: string, message: string | null): void {
    if (gate.blocked) return;
    gate.blocked = true;
    const { connectionId } = plan.batch;
    this.#options.logger.warn({ connectionId, code }, `Connection ${connectionId} is blocked: ${code}. Its batches wait until it is unblocked`);
    void this.heartbeat.persist(() => this.#options.store.block(connectionId, { code, message }));
  }

  #throttle(plan: BatchPlan, gate: ConnectionGate, askedMs: number): void {
    const forMs = Math.min(askedMs, MAX_THROTTLE_MS);
    const until = performance.now() + forMs;
    if (until <= gate.throttledUntil + 100) return;
    gate.throttledUntil = until;
    this.#options.onDue(forMs);
    void this.heartbeat.persist(() => this.#options.store.throttle(plan.batch.connectionId, forMs));
  }

  #gate(plan: BatchPlan): ConnectionGate {
    const { connectionId } = plan.batch;
    let gate = this.#gates.get(connectionId);
    if (gate === undefined) {
      gate = new ConnectionGate(this.heartbeat.share(plan.provider.concurrency ?? DEFAULT_CONCURRENCY));
      this.#gates.set(connectionId, gate);
      this.#concurrency.set(connectionId, plan.provider.concurrency ?? DEFAULT_CONCURRENCY);
    }
    return gate;
  }

  readonly #concurrency = new Map<string, number>();

  #share(_position: number, _runners: number): void {
    for (const [connectionId, gate] of this.#gates) {
      gate.limit = this.heartbeat.share(this.#concurrency.get(connectionId) ?? DEFAULT_CONCURRENCY);
    }
  }

  #blocked(blocked: ReadonlySet<string>): void {
    for (const [connectionId, gate] of this.#gates) {
      if (gate.blocked && !blocked.has(connectionId)) this.unblock(connectionId);
      else if (blocked.has(connectionId)) gate.blocked = true;
    }
  }

  #busy(connectionId: string): number {
    let busy = 0;
    for (const id of this.#starting.values()) if (id === connectionId) busy += 1;
    for (const run of this.#runs.values()) {
      if (!run.draining && run.connectionId === connectionId) busy += 1;
    }
    return busy;
  }

  #tick(): void {
    const now = performance.now();
    for (const run of this.#runs.values()) runningPlugin.run(run.pluginName, () => run.tick(now));
  }
}
