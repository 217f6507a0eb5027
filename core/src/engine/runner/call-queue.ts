import type { Guarantee } from '../../plugin/index.ts';
import type { OpenFence } from '../decisions/due.ts';
import type { PreparedJob } from './prepare.ts';

/** A call that waits for its start. */
export interface PlannedCall {
  readonly kind: 'call' | 'resolve';
  readonly jobs: readonly PreparedJob[];
  readonly endpoint: string | undefined;
  /** Its key for each rate of the provider. */
  readonly rateKeys: readonly string[];
  readonly idempotencyKey: string;
  readonly guarantee: Guarantee;
  readonly timeoutMs: number;
  /** Of the jobs to be resolved, in their order. */
  readonly fences?: readonly OpenFence[];
  /** The call of each job to be resolved, should the provider never have seen it. */
  readonly again?: readonly PlannedCall[];
}

/** Milliseconds until an endpoint may be called, 0 if now, undefined if it only lacks a slot. */
export type WaitMs = (endpoint: string | undefined) => number | undefined;

/** Calls that are made when their turn comes. */
export interface CallSupply {
  /** At most so many calls are still to come. */
  readonly left: number;
  /** The next ones; there may be none although some were left. */
  take(): readonly PlannedCall[];
}

const NO_SUPPLY: CallSupply = { left: 0, take: () => [] };

/**
 * The calls of a chunk, in a queue for each endpoint. The queues take turns, and one whose
 * endpoint cannot be called now is passed over, so that it holds up nobody else.
 */
export class CallQueue {
  #waiting = 0;
  readonly #supply: CallSupply;
  readonly #queues = new Map<string | undefined, PlannedCall[]>();
  #order: (string | undefined)[] = [];
  #cursor = 0;

  constructor(supply: CallSupply | undefined = NO_SUPPLY) {
    this.#supply = supply;
  }

  /** Calls that wait, at most. */
  get size(): number {
    return this.#waiting + this.#supply.left;
  }

  add(call: PlannedCall): void {
    this.#waiting += 1;
    const queue = this.#queues.get(call.endpoint);
    if (queue !== undefined) {
      queue.push(call);
      return;
    }
    this.#queues.set(call.endpoint, [call]);
    this.#order.push(call.endpoint);
  }

  /**
   * The next call whose endpoint has no wait. The supply is asked where nothing else is left, or where all endpoints
   * have a wait that ends by itself; beyond that only if `looks` says so: it may have calls for other endpoints.
   */
  next(waitMs: WaitMs, looks = () => false): PlannedCall | undefined {
    this.#fillIfEmpty();
    for (;;) {
      const call = this.#nextAtHand(waitMs);
      if (call !== undefined || this.#supply.left === 0) return call;
      if (this.shortestWaitMs(waitMs) === undefined && !looks()) return undefined;
      this.#fill();
    }
  }

  #nextAtHand(waitMs: WaitMs): PlannedCall | undefined {
    for (let tries = this.#order.length; tries > 0; tries--) {
      if (this.#cursor >= this.#order.length) this.#cursor = 0;
      const endpoint = this.#order[this.#cursor];
      if (waitMs(endpoint) !== 0) {
        this.#cursor += 1;
        continue;
      }
      return this.#take(endpoint, this.#cursor);
    }
    return undefined;
  }

  /** True if a call of this endpoint waits. */
  has(endpoint: string | undefined): boolean {
    this.#fillIfEmpty();
    return this.#queues.has(endpoint);
  }

  /** A call of this endpoint, out of turn. */
  nextOf(endpoint: string | undefined): PlannedCall | undefined {
    if (!this.has(endpoint)) return undefined;
    const at = this.#order.indexOf(endpoint);
    const cursor = this.#cursor;
    const call = this.#take(endpoint, at);
    // Nobody else loses a turn by it.
    this.#cursor = this.has(endpoint) || cursor <= at ? cursor : cursor - 1;
    return call;
  }

  /** The shortest wait of all endpoints; undefined if one of them only lacks a slot. */
  shortestWaitMs(waitMs: WaitMs): number | undefined {
    let shortest = Number.POSITIVE_INFINITY;
    for (const endpoint of this.#order) {
      const wait = waitMs(endpoint);
      if (wait === undefined) return undefined;
      shortest = Math.min(shortest, wait);
    }
    return shortest;
  }

  drain(): PlannedCall[] {
    while (this.#supply.left > 0) this.#fill();
    const calls = [...this.#queues.values()].flat();
    this.#queues.clear();
    this.#order = [];
    this.#waiting = 0;
    return calls;
  }

  #fillIfEmpty(): void {
    while (this.#waiting === 0 && this.#supply.left > 0) this.#fill();
  }

  #fill(): void {
    for (const call of this.#supply.take()) this.add(call);
  }

  #take(endpoint: string | undefined, at: number): PlannedCall | undefined {
    const queue = this.#queues.get(endpoint);
    // From the end: shift() on a list of hundreds is slow, and order within a chunk means nothing.
    const call = queue?.pop();
    this.#waiting -= 1;
    if (queue?.length === 0) {
      this.#queues.delete(endpoint);
      this.#order.splice(at, 1);
    } else {
      this.#cursor += 1;
    }
    return call;
  }
}
