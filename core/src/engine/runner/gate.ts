import { Breaker, type CircuitListener, DEFAULT_BREAKER } from './breaker.ts';
import { type GateClient, OTHERS_TURN, Turns } from './turns.ts';

interface Endpoint {
  inFlight: number;
  readonly breaker: Breaker;
}

/** Told when the circuit of an endpoint changes. */
export type EndpointListener = (endpoint: string, ...change: Parameters<CircuitListener>) => void;

/** Endpoints that are remembered before quiet ones are forgotten. */
const MAX_ENDPOINTS = 10_000;
/** A connection is brisk if each of its slots ends so many calls a second. */
const BRISK_CALLS = 10;
const RATE_WINDOW_MS = 250;
/** Share of the free slots that one endpoint may take; the rest is kept for the others (E16). */
const ENDPOINT_SHARE = 0.8;

/**
 * The call slots of one connection in this process, and its circuit breakers. One endpoint
 * never takes the last slots, so a hung one leaves room for the others; slots that become free
 * go round the tenants and batches that wait.
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
  /** Until when tokens of the connection's rates count as scarce: some were refused, or none were asked for yet. */
  scarceUntil = Number.POSITIVE_INFINITY;
  /** Throws in a row with the same text (E18). */
  readonly throws = { text: '', count: 0 };
  readonly #turns = new Turns();
  readonly #endpoints = new Map<string, Endpoint>();
  #ended = 0;
  #countedFrom = 0;
  #callsPerSecond = 0;
  #isWaking = false;
  readonly #alone: boolean;
  readonly #onCircuit: EndpointListener | undefined;

  /** `alone`: all calls go to one endpoint, so that it has nobody to leave slots for. */
  constructor(limit: number, alone = false, onCircuit?: EndpointListener) {
    this.limit = limit;
    this.#alone = alone;
    this.#onCircuit = onCircuit;
  }

  /** Every slot is taken, and somebody waits for one. */
  get saturated(): boolean {
    return this.starved && this.inFlight >= this.limit;
  }

  /**
   * Somebody waits for a slot, and calls end fast: further chunks would only share the slots with
   * those at work, each with flushes of its own, and nobody waits long for its turn.
   */
  brisk(now: number): boolean {
    const sinceMs = now - this.#countedFrom;
    if (sinceMs >= RATE_WINDOW_MS) {
      this.#callsPerSecond = (this.#ended * 1_000) / sinceMs;
      this.#ended = 0;
      this.#countedFrom = now;
    }
    return this.starved && this.#callsPerSecond >= BRISK_CALLS * this.limit;
  }

  join(client: GateClient): void {
    this.#turns.join(client);
  }

  leave(client: GateClient): void {
    this.#turns.leave(client);
  }

  /** A call to some endpoint could start. */
  hasRoom(now: number): boolean {
    return this.inFlight < this.limit && now >= this.throttledUntil;
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
    return known === undefined || known.inFlight < this.#most(known) ? 0 : undefined;
  }

  /** Slots that an endpoint may have beside what the others have now. */
  #most(endpoint: Endpoint): number {
    if (this.#alone) return this.limit;
    const others = this.inFlight - endpoint.inFlight;
    return Math.max(1, Math.floor((this.limit - others) * ENDPOINT_SHARE));
  }

  acquire(endpoint: string | undefined, now: number): void {
    this.inFlight += 1;
    if (endpoint === undefined) return;
    const known = this.#endpoint(endpoint);
    known.inFlight += 1;
    known.breaker.started(now);
  }

  /** The call ended, and its slot is free; `success` says whether the endpoint works. */
  release(endpoint: string | undefined, success: boolean, now: number): void {
    this.ended(endpoint, success, now);
    this.vacate(endpoint);
  }

  /** The call ended. Its slot stays taken until it is handed over or vacated. */
  ended(endpoint: string | undefined, success: boolean, now: number): void {
    this.#ended += 1;
    if (endpoint !== undefined) this.#endpoint(endpoint).breaker.ended(success, now);
  }

  /** The slot of a call that ended is free. */
  vacate(endpoint: string | undefined): void {
    this.inFlight -= 1;
    if (endpoint !== undefined) this.#endpoint(endpoint).inFlight -= 1;
  }

  /**
   * The slot of a call that ended passes to another call of the same chunk and endpoint. False if
   * it must be vacated: other batches or chunks are in turn, or nothing may start now.
   */
  handOver(endpoint: string | undefined, now: number): boolean {
    if (this.blocked || now < this.throttledUntil || this.inFlight > this.limit) return false;
    if (this.#turns.shared || this.#ended % OTHERS_TURN === 0) return false;
    if (endpoint === undefined) return true;
    const known = this.#endpoint(endpoint);
    if (known.breaker.waitMs(now) > 0 || known.inFlight > this.#most(known)) return false;
    known.breaker.started(now);
    return true;
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

  /** Somebody says that all endpoints work again. */
  closeCircuits(): void {
    for (const { breaker } of this.#endpoints.values()) breaker.reset();
  }

  /** Endpoints that must not be called now, and those that one call may try. */
  circuits(now: number): { readonly open: number; readonly halfOpen: number } {
    let open = 0;
    let halfOpen = 0;
    for (const { breaker } of this.#endpoints.values()) {
      if (breaker.idle) continue;
      // An endpoint that nobody calls any more stays half-open for ever: it is not known to be broken.
      if (breaker.state === 'open' && breaker.waitMs(now) > 0) open += 1;
      else halfOpen += 1;
    }
    return { open, halfOpen };
  }

  /** Slots are free: gives them to the next in turn that have a use for them. */
  wake(): void {
    while (this.starved) {
      this.starved = false;
      const isTaken = this.#turns.offer((client) => {
        const before = this.inFlight;
        client.pump();
        return this.inFlight > before;
      });
      if (!isTaken) return;
      // Those that were not asked may still wait, and the next slot is theirs.
      this.starved = true;
      if (this.inFlight >= this.limit) return;
    }
  }

  /**
   * As `wake`, but once for all slots that become free in this turn of the event loop, if one batch alone wants them:
   * requests that go out together cost less than one by one, at both ends. Where several take turns, each slot is
   * given away for its own.
   */
  wakeSoon(): void {
    if (!this.starved || this.#isWaking) return;
    if (this.#turns.shared) {
      this.wake();
      return;
    }
    this.#isWaking = true;
    setImmediate(() => {
      this.#isWaking = false;
      this.wake();
    });
  }

  #endpoint(key: string): Endpoint {
    let known = this.#endpoints.get(key);
    if (known === undefined) {
      if (this.#endpoints.size >= MAX_ENDPOINTS) this.#forgetQuiet();
      const onChange: CircuitListener = (...change) => this.#onCircuit?.(key, ...change);
      known = { inFlight: 0, breaker: new Breaker(DEFAULT_BREAKER, onChange) };
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
