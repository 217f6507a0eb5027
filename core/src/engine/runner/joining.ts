import type { HeartbeatAnswer } from '../store.ts';

/** Between the heartbeats of a runner that joins, in milliseconds. */
export const JOIN_POLL_MS = 50;
/** Whoever gives no sign of life for so many heartbeats is not waited for: it has died, or starts no calls (E8). */
const PATIENCE = 2.5;
/** With its second sign of life a runner shows that it has read the answer to the first. */
const SIGNS = 2;

/**
 * A runner that joins waits until all others know that they have one more to share each provider's concurrency
 * with: else there would be more calls at once than the provider allows, until their next heartbeats.
 */
export class Joining {
  readonly #patienceMs: number;
  readonly #over = Promise.withResolvers<void>();
  #isOver = false;
  #since: string | undefined;
  #signs = 0;
  #givenUpAt: number | undefined;

  constructor(heartbeatMs: number) {
    this.#patienceMs = heartbeatMs * PATIENCE;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** What the next heartbeat asks about: who has given no sign of life since then. */
  get since(): string | undefined {
    return this.#isOver ? undefined : this.#since;
  }

  /** Takes the answer to a heartbeat; true if the others are to be asked for a sign of life. */
  answered({ silent, at }: Pick<HeartbeatAnswer, 'silent' | 'at'>, sentAt: number): boolean {
    if (this.#isOver) return false;
    this.#givenUpAt ??= sentAt + this.#patienceMs;
    const isFirst = this.#since === undefined;
    if (!isFirst && silent === 0) this.#signs += 1;
    if ((isFirst && silent === 0) || this.#signs === SIGNS || sentAt > this.#givenUpAt) {
      this.#isOver = true;
      this.#over.resolve();
      return false;
    }
    if (!isFirst && silent > 0) return false;
    // Nobody has heard of what was committed before this answer unless it asks after it.
    this.#since = at;
    return true;
  }
}
