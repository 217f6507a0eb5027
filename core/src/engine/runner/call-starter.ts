import { setImmediate } from 'node:timers/promises';
import type { ChunkLease, NewEvent, RunStore } from '../store.ts';
import type { PlannedCall } from './call-queue.ts';
import { fenceEvents } from './fence-events.ts';
import {
  countLateStarts,
  grantsAreStale,
  type LimiterEnv,
  type Start,
  takeTokens,
  tokensArePlentiful,
} from './limiter.ts';
import { holdsSlot, needsFence } from './prepare.ts';

/** What the chunk does for its starter. */
export interface StarterHost {
  /** Gives the slots of these calls back; they wait again. */
  putBack(calls: readonly PlannedCall[]): void;
  /** Commits the fences of calls that start next (E7). False if the lease is lost. */
  fence(events: readonly NewEvent[]): Promise<boolean>;
  start(call: PlannedCall, now: number): void;
  waitForTokens(waitMs: number): void;
  /** False if the chunk must start nothing more: paused, stopped, its lease too old. */
  mayStart(now: number): boolean;
  /** The lease is lost, or something went wrong that the chunk cannot mend. */
  onLost(error?: unknown): void;
  /** All reserved calls were started or put back. */
  onIdle(): void;
}

export interface StarterEnv extends LimiterEnv {
  readonly store: RunStore;
}

/** A start that took longer lets what it has to send go out before the next one. */
const LONG_START_MS = 0.5;

/**
 * Takes tokens and fences for calls that have their slots, for all of them at once (E7), and
 * then starts them. What comes together while a statement runs goes into the next one.
 */
export class CallStarter {
  readonly #lease: ChunkLease;
  readonly #env: StarterEnv;
  readonly #host: StarterHost;
  #reserved: PlannedCall[] = [];
  #busy = false;

  constructor(lease: ChunkLease, env: StarterEnv, host: StarterHost) {
    this.#lease = lease;
    this.#env = env;
    this.#host = host;
  }

  /** Nothing is reserved or on its way. */
  get idle(): boolean {
    return !this.#busy && this.#reserved.length === 0;
  }

  reserve(call: PlannedCall): void {
    this.#reserved.push(call);
  }

  /** Works on what is reserved, unless it does so already. */
  async run(): Promise<void> {
    if (this.#busy || this.#reserved.length === 0) return;
    this.#busy = true;
    // Calls that end in the same moment are told of one by one: those that follow them share a fence.
    await setImmediate();
    while (this.#reserved.length > 0) {
      const pending = new Set(this.#reserved);
      this.#reserved = [];
      try {
        await this.#startTogether(pending);
      } catch (error) {
        // Whatever went wrong, the jobs of what was not started stay with the chunk.
        this.#putBack(pending, [...pending]);
        this.#host.onLost(error);
      }
    }
    this.#busy = false;
    this.#host.onIdle();
  }

  /** Writes events of calls that are in flight already, or takes fences back. False if the lease is lost. */
  async write(
    calls: readonly PlannedCall[],
    kind: 'attempted' | 'released',
    note?: unknown,
  ): Promise<boolean> {
    const events = fenceEvents(calls, kind, note);
    return (await this.#env.persist(() => this.#env.store.fence(this.#lease, events))) === true;
  }

  /** Starts them or puts them back; what is left in `pending` is neither. */
  async #startTogether(pending: Set<PlannedCall>): Promise<void> {
    const askedAt = this.#env.now();
    const all = [...pending];
    // Where all had their tokens of late, the fences are written meanwhile: two waits become one.
    const early = tokensArePlentiful(this.#env) ? this.#fence(all, all) : undefined;
    const { go, wait, waitMs } = await takeTokens(this.#env, all);
    const held = await (early ?? this.#fence(go, wait));
    if (early === undefined) this.#putBack(pending, wait);
    if (wait.length > 0) this.#host.waitForTokens(waitMs);
    if (!held) {
      this.#putBack(pending, [...pending]);
      this.#host.onLost();
      return;
    }
    await this.#startAll(go, askedAt, pending);
    const left = [...pending];
    // A fence that was open before stays open: its earlier call is still undecided.
    const unused = left.filter(
      (call) => needsFence(call.guarantee) && call.jobs.every((job) => job.fences === 0),
    );
    if (unused.length > 0) await this.write(unused, 'released');
    this.#putBack(pending, left);
  }

  #putBack(pending: Set<PlannedCall>, calls: readonly PlannedCall[]): void {
    for (const call of calls) pending.delete(call);
    this.#host.putBack(calls);
  }

  /** Starts one after the other, as long as they may start. */
  async #startAll(calls: readonly PlannedCall[], askedAt: number, pending: Set<PlannedCall>): Promise<void> {
    const started: Start[] = [];
    for (const call of calls) {
      const now = this.#env.now();
      const lateMs = now - askedAt;
      if (grantsAreStale(this.#env, lateMs) || !this.#host.mayStart(now)) break;
      pending.delete(call);
      started.push({ call, lateMs });
      this.#host.start(call, now);
      // Making a request of a hundred jobs takes a while, and it goes out when this process does nothing else.
      if (this.#env.now() - now > LONG_START_MS) await setImmediate();
    }
    void countLateStarts(this.#env, started);
  }

  /** A slot that is given back may be that of a call whose outcome is not written yet: that comes first. */
  #fence(calls: readonly PlannedCall[], wait: readonly PlannedCall[]): Promise<boolean> | boolean {
    const fenced = calls.filter((call) => needsFence(call.guarantee));
    const isNeeded = fenced.length > 0 || wait.some((call) => holdsSlot(call.guarantee));
    return isNeeded ? this.#host.fence(fenceEvents(fenced, 'attempted', undefined)) : true;
  }
}
