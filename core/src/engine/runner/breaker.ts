import type { CircuitState } from '../observer.ts';

/** Settings of a circuit breaker. */
export interface BreakerSettings {
  /** Calls in the window before the ratio means anything. */
  readonly minimumVolume: number;
  /** Failures by calls from which the circuit opens. */
  readonly failureRatio: number;
  readonly windowMs: number;
  /** How long the circuit stays open at first; doubles with each failed probe. */
  readonly openMs: number;
  readonly maxOpenMs: number;
}

export const DEFAULT_BREAKER: BreakerSettings = {
  minimumVolume: 10,
  failureRatio: 0.5,
  windowMs: 10_000,
  openMs: 5_000,
  maxOpenMs: 300_000,
};

/** Told of each change; `failing` is false where the circuit opened only because the endpoint asked for patience. */
export type CircuitListener = (state: CircuitState, failing: boolean) => void;

/** A circuit breaker for one endpoint (E19). Times are of the monotonic clock, in milliseconds. */
export class Breaker {
  #calls = 0;
  #failures = 0;
  #windowEnd = 0;
  #openUntil = 0;
  #openForMs = 0;
  #probing = false;
  /** Opened by failures, and not only because the endpoint asked for patience. */
  #failing = false;
  readonly #settings: BreakerSettings;
  readonly #onChange: CircuitListener | undefined;
  /** The last state that `onChange` was told. */
  #told: CircuitState = 'closed';

  constructor(settings: BreakerSettings = DEFAULT_BREAKER, onChange?: CircuitListener) {
    this.#settings = settings;
    this.#onChange = onChange;
  }

  /** 0 if a call may start now, else the milliseconds until it may. A half-open circuit lets one probe through. */
  waitMs(now: number): number {
    if (this.#openForMs === 0) return 0;
    if (now < this.#openUntil) return this.#openUntil - now;
    return this.#probing ? Math.max(1, Math.min(1_000, this.#openForMs)) : 0;
  }

  /** Told when a call starts. */
  started(now: number): void {
    if (this.#openForMs === 0 || now < this.#openUntil) return;
    this.#probing = true;
    this.#tell();
  }

  /** Told when a call ends; a probe decides alone. */
  ended(success: boolean, now: number): void {
    if (this.#openForMs > 0) {
      if (!this.#probing) return;
      this.#probing = false;
      if (success) this.#close();
      else this.#fail(now, Math.min(this.#openForMs * 2, this.#settings.maxOpenMs));
      return;
    }
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + this.#settings.windowMs;
      this.#calls = 0;
      this.#failures = 0;
    }
    this.#calls += 1;
    if (!success) this.#failures += 1;
    if (this.#calls < this.#settings.minimumVolume) return;
    if (this.#failures / this.#calls >= this.#settings.failureRatio) this.#fail(now, this.#settings.openMs);
  }

  /** A probe that was let through never started. */
  notStarted(): void {
    this.#probing = false;
  }

  /** Opens the circuit, for example because the endpoint asked for patience. */
  open(now: number, forMs: number): void {
    this.#openUntil = Math.max(this.#openUntil, now + forMs);
    this.#openForMs = Math.max(1, forMs);
    this.#probing = false;
    this.#tell();
  }

  /** Nothing is remembered that a new breaker would not know. */
  get idle(): boolean {
    return this.#openForMs === 0;
  }

  /** Somebody says that the endpoint works again: calls start as if nothing had been. */
  reset(): void {
    if (this.#openForMs > 0) this.#close();
  }

  get state(): CircuitState {
    if (this.#openForMs === 0) return 'closed';
    return this.#probing ? 'half-open' : 'open';
  }

  #fail(now: number, forMs: number): void {
    this.#failing = true;
    this.open(now, forMs);
  }

  #close(): void {
    this.#openForMs = 0;
    this.#openUntil = 0;
    this.#calls = 0;
    this.#failures = 0;
    this.#windowEnd = 0;
    this.#tell();
    this.#failing = false;
  }

  #tell(): void {
    const { state } = this;
    if (state === this.#told) return;
    this.#told = state;
    this.#onChange?.(state, this.#failing);
  }
}
