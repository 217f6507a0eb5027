import { Breaker } from './breaker.ts';

/** A chunk at work that waits for slots. */
export interface GateClient {
  /** Starts what may start; called when a slot is free or a wait is over. */
  pump(): void;
}

interface Endpoint {
  inFlight: number;
  readonly breaker: Breaker;
}

/** Endpoints that are remembered before quiet ones are forgotten. */
const MAX_ENDPOINTS = 10_000;
/** Share of the free slots that one endpoint may take; the rest is kept for the others (E16). */
const ENDPOINT_SHARE = 0.8;

/**
 * The call slots of one connection in this process, and its circuit breakers. One endpoint
 * never takes the last slots, so a hung one leaves room for the others; slots that become free
 * go round the chunks that wait.
 */
export class ConnectionGate {
  inFlight = 0;
  /** Slots of this process: its share of the provider's concurrency. */
  limit: number;
  blocked = false;
  /** A chunk lacks a slot: whoever frees one wakes it. */
  starved = false;
  /** By the monotonic clock. */
  throttledUntil = 0;
  /** Until when calls of a rate's key wait, since the provider asked for patience with it. */
  readonly rateKeys = new Map<string, number>();
  /** Throws in a row with the same text (E18). */
  readonly throws = { text: '', count: 0 };
  readonly #clients: GateClient[] = [];
  readonly #endpoints = new Map<string, Endpoint>();
  #cursor = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Every slot is taken, and somebody waits for one. */
  get saturated(): boolean {
    return this.starved && this.inFlight >= this.limit;
  }

  join(client: GateClient): void {
    this.#clients.push(client);
  }

  leave(client: GateClient): void {
    const index = this.#clients.indexOf(client);
    if (index < 0) return;
    this.#clients.splice(index, 1);
    if (this.#cursor > index) this.#cursor -= 1;
  }

  /** 0 if a call may start, `undefined` if there is no slot now, else milliseconds to wait. */
  waitMs(endpoint: string | undefined, now: number): number | undefined {
    if (now < this.throttledUntil) return this.throttledUntil - now;
    const known = endpoint === undefined ? undefined : this.#endpoints.get(endpoint);
    if (known !== undefined) {
      const wait = known.breaker.waitMs(now);
      if (wait > 0) return wait;
    }
    if (this.inFlight >= this.limit) return undefined;
    if (known === undefined) return 0;
    const others = this.inFlight - known.inFlight;
    const most = Math.max(1, Math.floor((this.limit - others) * ENDPOINT_SHARE));
    return known.inFlight < most ? 0 : undefined;
  }

  acquire(endpoint: string | undefined, now: number): void {
    this.inFlight += 1;
    if (endpoint === undefined) return;
    const known = this.#endpoint(endpoint);
    known.inFlight += 1;
    known.breaker.started(now);
  }

  /** The call ended; `success` says whether the endpoint works. */
  release(endpoint: string | undefined, success: boolean, now: number): void {
    this.inFlight -= 1;
    if (endpoint === undefined) return;
    const known = this.#endpoint(endpoint);
    known.inFlight -= 1;
    known.breaker.ended(success, now);
  }

  /** A slot that was taken for a call that did not start. */
  giveUp(endpoint: string | undefined): void {
    this.inFlight -= 1;
    if (endpoint === undefined) return;
    const known = this.#endpoint(endpoint);
    known.inFlight -= 1;
    known.breaker.notStarted();
  }

  openCircuit(endpoint: string, forMs: number, now: number): void {
    this.#endpoint(endpoint).breaker.open(now, forMs);
  }

  /** Lets the chunks that wait start their calls, in turn. */
  wake(): void {
    if (!this.starved) return;
    this.starved = false;
    for (let left = this.#clients.length; left > 0 && this.inFlight < this.limit; left--) {
      if (this.#cursor >= this.#clients.length) this.#cursor = 0;
      const client = this.#clients[this.#cursor];
      this.#cursor += 1;
      client?.pump();
    }
  }

  #endpoint(key: string): Endpoint {
    let known = this.#endpoints.get(key);
    if (known === undefined) {
      if (this.#endpoints.size >= MAX_ENDPOINTS) this.#forgetQuiet();
      known = { inFlight: 0, breaker: new Breaker() };
      this.#endpoints.set(key, known);
    }
    return known;
  }

  #forgetQuiet(): void {
    for (const [key, endpoint] of this.#endpoints) {
      if (endpoint.inFlight === 0 && endpoint.breaker.idle) this.#endpoints.delete(key);
    }
  }
}
