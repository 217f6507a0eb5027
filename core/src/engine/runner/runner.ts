import type { Logger } from '../../plugin/index.ts';
import type { RetryPolicy } from '../api.ts';
import { NO_TALLIES } from '../decisions/tallies.ts';
import type { IsolatedChunk, IsolationEnd } from '../isolation.ts';
import type { Activity, EngineObserver } from '../observer.ts';
import type { ChunkLease, RunnerStore, RunStore } from '../store.ts';
import type { SuppressionCheck } from '../suppression/check.ts';
import type { ChunkRef } from '../transport.ts';
import type { Tuning } from '../tuning.ts';
import { Watch, type WatchedChunk } from '../watch/watch.ts';
import { ShutdownError } from './active-call.ts';
import type { ChunkRun } from './chunk-run.ts';
import type { ConnectionCache } from './connection-cache.ts';
import { ConnectionGates } from './connection-gates.ts';
import type { ConnectionGate } from './gate.ts';
import { Heartbeat } from './heartbeat.ts';
import { Isolation } from './isolation.ts';
import { openChunk } from './open-chunk.ts';
import type { PlanCache } from './plan-cache.ts';
import type { BatchPlan } from './prepare.ts';
import { type ChunkPlace, RunnerRoom } from './room.ts';
import { RunnerConnections } from './runner-connections.ts';
import { runningPlugin } from './running-plugin.ts';
import type { SessionCache } from './session-cache.ts';

export interface RunnerOptions {
  readonly runnerId: string;
  readonly store: RunStore;
  readonly rows: RunnerStore;
  readonly plans: PlanCache;
  readonly sessions: SessionCache;
  /** Who must not be sent to. */
  readonly suppression: SuppressionCheck;
  readonly credentials: ConnectionCache;
  /** Tries to mend a connection that its provider refuses. True if it has new credentials. */
  rescue(plan: BatchPlan): Promise<boolean>;
  readonly tuning: Tuning;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  readonly versions: Record<string, number>;
  readonly observer?: EngineObserver | undefined;
  /** Something will be due after `inMs`. */
  onDue(inMs: number): void;
  /** A slot became free. */
  onRoom(): void;
  /** Runs a chunk that a process died with in one of its own (E21). */
  readonly isolate?: ((chunk: IsolatedChunk) => Promise<IsolationEnd>) | undefined;
}

const TICK_MS = 50;
/** A session that could not be opened is tried again after this time. */
const REOPEN_MS = 5_000;
/** Chunks of a connection whose block is not in the database yet come back after this time. */
const BLOCKED_MS = 1_000;

/** Leases chunks and works on them. One a process. */
export class Runner {
  readonly heartbeat: Heartbeat;
  /** Which chunks it would take now. */
  readonly room: RunnerRoom;
  readonly connections: RunnerConnections;
  readonly #options: RunnerOptions;
  readonly #runs = new Map<number, ChunkRun>();
  /** Chunks whose lease or load is under way. */
  readonly #starting = new Map<number, ChunkPlace>();
  readonly #hintedAgain = new Map<number, ChunkRef>();
  /** Chunks whose calls may have been made and whose end is not in the log. Under any other lease nobody was called. */
  readonly #called = new Set<number>();
  readonly #gates: ConnectionGates;
  readonly #watch: Watch;
  readonly #work = new Set<Promise<void>>();
  readonly #isolation: Isolation | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    const { rows, runnerId, versions, tuning } = options;
    this.heartbeat = new Heartbeat({
      beat: (joining) => rows.heartbeat(runnerId, versions, tuning.leaseMs, this.connections.ask(), joining),
      announce: () => rows.announce(runnerId),
      giveBack: (chunkId, epoch) => rows.giveBack(runnerId, chunkId, epoch, this.#called.delete(chunkId)),
      holds: (chunkId) =>
        this.#runs.has(chunkId) || this.#starting.has(chunkId) || this.#isolation?.holds(chunkId) === true,
      runs: () => this.#runs,
      onJoined: () => options.onRoom(),
      onShare: () => this.#gates.share(),
      onConnections: (blocked, current) => {
        this.connections.answer(current);
        this.#gates.setBlocked(blocked);
      },
      intervalMs: tuning.heartbeatMs,
      leaseMs: tuning.leaseMs,
      logger: options.logger,
    });
    const { store, logger, retry, onDue, isolate, observer } = options;
    if (isolate !== undefined) this.#isolation = new Isolation({ runnerId, store, retry, logger, isolate });
    this.#watch = new Watch(store, observer);
    const onCircuit = this.#watch.circuit.bind(this.#watch);
    const { heartbeat } = this;
    const { rescue } = options;
    this.#gates = new ConnectionGates({ store, heartbeat, logger, tuning, onDue, onCircuit, rescue });
    this.connections = new RunnerConnections({
      ...options,
      gates: this.#gates,
      runs: () => this.#runs.values(),
    });
    this.room = new RunnerRoom({
      gates: this.#gates,
      tuning,
      isOpen: () => !this.#stopping && this.heartbeat.hasJoined && this.heartbeat.fresh(performance.now()),
      starting: this.#starting,
      runs: this.#runs,
    });
  }

  async start(): Promise<void> {
    await this.heartbeat.start();
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Takes a hint. Never throws: what goes wrong is logged, and the chunk comes back by its lease. */
  accept(ref: ChunkRef): void {
    if (this.#stopping) return;
    if (this.#starting.has(ref.chunkId) || this.#runs.has(ref.chunkId)) {
      // Given back a moment ago and hinted again before its run has ended here.
      this.#hintedAgain.set(ref.chunkId, ref);
      return;
    }
    this.#begin(ref.chunkId, ref, () => this.#take(ref));
  }

  /** Works on a chunk that is under a lease of this runner already. */
  work(lease: ChunkLease, place: ChunkPlace): void {
    this.#begin(lease.chunkId, place, () =>
      this.#stopping ? this.#returnUnused(lease, 0) : this.#workOff(lease),
    );
  }

  /** Takes a chunk over from another runner, and works on it alone (E21). Undefined if it was not there. */
  async workAlone({ chunkId, runnerId, epoch }: IsolatedChunk): Promise<{ dueInMs?: number } | undefined> {
    const { store, runnerId: own } = this.#options;
    await this.heartbeat.joined;
    const lease = await store.takeOver(chunkId, { runnerId, epoch }, own);
    if (lease === undefined) return undefined;
    let dueInMs: number | undefined;
    this.#begin(chunkId, { connectionId: '' }, async () => {
      dueInMs = await this.#workOff(lease);
    });
    await Promise.allSettled(this.#work);
    return dueInMs === undefined ? {} : { dueInMs };
  }

  /** Chunks that this runner holds, or is about to. */
  get held(): number {
    return this.#starting.size + this.#runs.size;
  }

  activity(): Activity {
    const now = performance.now();
    const heartbeatAgeMs = this.heartbeat.ageMs(now);
    return { chunksHeld: this.held, heartbeatAgeMs, providers: this.#gates.activity(now) };
  }

  #begin(chunkId: number, { connectionId, tenantId }: ChunkPlace, start: () => Promise<unknown>): void {
    this.#starting.set(chunkId, { connectionId, tenantId });
    const work: Promise<void> = start()
      .then(() => undefined)
      .catch((error: Error) => this.#options.logger.error({ err: error, chunkId }, 'chunk failed'))
      .finally(() => {
        this.#starting.delete(chunkId);
        this.#runs.delete(chunkId);
        this.#work.delete(work);
        const again = this.#hintedAgain.get(chunkId);
        this.#hintedAgain.delete(chunkId);
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
    this.#gates.unblock(connectionId);
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
    const lease = await this.#watch.lease(ref.chunkId, this.#options.runnerId);
    if (lease !== undefined) await this.#workOff(lease);
  }

  async #workOff(lease: ChunkLease): Promise<number | undefined> {
    const dueInMs = await this.#workOn(lease).catch((error: Error) => {
      this.#options.logger.error(
        { err: error, chunkId: lease.chunkId },
        'a chunk could not be worked on; it is tried again',
      );
      return this.#returnUnused(lease, REOPEN_MS);
    });
    if (dueInMs !== undefined) this.#options.onDue(dueInMs);
    return dueInMs;
  }

  async #workOn(lease: ChunkLease): Promise<number | undefined> {
    const plan = await this.connections.plan(lease.batchId);
    if (plan === undefined) return this.#returnUnused(lease, BLOCKED_MS);
    if (lease.deaths > 0 && this.#isolation !== undefined) {
      const left = this.#isolation.take(lease, plan);
      // It works elsewhere, and takes no slot here.
      this.#starting.delete(lease.chunkId);
      return left;
    }
    return runningPlugin.run(plan.pluginName, () => this.#run(lease, plan, this.#gates.of(plan)));
  }

  async #run(lease: ChunkLease, plan: BatchPlan, gate: ConnectionGate): Promise<number | undefined> {
    const held = await this.connections.open(plan, gate);
    if (held === undefined) return this.#returnUnused(lease, gate.blocked ? BLOCKED_MS : REOPEN_MS);
    const watched = this.#watch.chunk(lease, plan, held.session);
    try {
      return await this.#runWatched(lease, plan, gate, watched);
    } finally {
      watched.end();
      held.release();
    }
  }

  async #runWatched(
    lease: ChunkLease,
    plan: BatchPlan,
    gate: ConnectionGate,
    watched: WatchedChunk,
  ): Promise<number | undefined> {
    const { heartbeat } = this;
    const host = { ...this.#options, heartbeat, gates: this.#gates };
    const run = await openChunk(host, lease, plan, gate, watched);
    this.#runs.set(lease.chunkId, run);
    this.#starting.delete(lease.chunkId);
    this.#called.add(lease.chunkId);
    if (this.#stopping) run.stop('shutdown');
    const dueInMs = await run.run();
    if (run.kept) this.#called.delete(lease.chunkId);
    return dueInMs;
  }

  async #returnUnused(lease: ChunkLease, dueInMs: number): Promise<number> {
    const end = { kind: 'giveBack', dueInMs } as const;
    await this.#options.store.flush({ lease, flushNo: lease.flushNo, events: [], tallies: NO_TALLIES, end });
    return dueInMs;
  }

  #tick(): void {
    const now = performance.now();
    for (const run of this.#runs.values()) runningPlugin.run(run.plan.pluginName, () => run.tick(now));
  }
}
