import type { HeartbeatAnswer, JoiningQuestion } from '../store.ts';

/** Between the heartbeats of a runner that joins, in milliseconds. */
export const JOIN_POLL_MS = 50;
/**
 * Whoever gave no sign of life for so many heartbeats is not waited for: it has died, or is about to start no calls
 * (E8). One that lives gives a sign each heartbeat, and when it is asked.
 */
const PATIENCE = 2;
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

  /** What the next heartbeat asks about; nothing when it is over. */
  get question(): JoiningQuestion | undefined {
    return this.#isOver ? undefined : { since: this.#since, withinMs: this.#patienceMs };
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
