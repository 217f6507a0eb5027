import type { Call, JsonValue } from '../../plugin/index.ts';
import type { PlannedCall } from './call-queue.ts';

/** Writes a note of a call under the lease; false if the lease is lost. */
export type WriteNote = (call: PlannedCall, data: JsonValue) => Promise<boolean>;

type AbortListener = (reason: Error) => void;

const NONE: readonly AbortListener[] = [];

const MAX_NOTE = 4_096;

/**
 * The call as a provider sees it. The signal is made when it is first asked for: most no-op
 * and in-memory providers never do, and it costs more than the rest of the call.
 */
export class ActiveCall implements Call {
  readonly idempotencyKey: string;
  readonly attempt: number;
  readonly timeoutMs: number;
  /** By the monotonic clock. */
  readonly deadline: number;
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  /** Mostly one at most: a list for each call, and a closure to fill it, cost a tenth of a webhook. */
  #listener: AbortListener | undefined;
  #others = NONE;
  #noted: JsonValue | undefined;
  readonly #planned: PlannedCall;
  readonly #note: WriteNote;

  constructor(planned: PlannedCall, attempt: number, now: number, note: WriteNote) {
    this.idempotencyKey = planned.idempotencyKey;
    this.attempt = attempt;
    this.timeoutMs = planned.timeoutMs;
    this.deadline = now + planned.timeoutMs;
    this.#planned = planned;
    this.#note = note;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  onAbort(listener: AbortListener): void {
    if (this.#reason !== undefined) listener(this.#reason);
    else if (this.#listener === undefined) this.#listener = listener;
    else this.#others = [...this.#others, listener];
  }

  /** Why the call was aborted, if it was. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /** The last note that was committed. */
  get noted(): JsonValue | undefined {
    return this.#noted;
  }

  abort(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    if (this.#listener !== undefined) tell(this.#listener, reason);
    for (const listener of this.#others) tell(listener, reason);
  }

  /** A getter, so that a provider may take it out of the call: `async process(job, { note })`. */
  get note(): (data: JsonValue) => Promise<void> {
    return (data) => this.#write(data);
  }

  async #write(data: JsonValue): Promise<void> {
    if (JSON.stringify(data).length > MAX_NOTE)
      throw new Error(`A note may have ${MAX_NOTE} characters of JSON`);
    if (!(await this.#note(this.#planned, data)))
      throw new Error('The lease is lost: another runner has taken over');
    this.#noted = data;
  }
}

/** What a listener throws is no reason to keep the abort from the others: it is charged as what nobody awaits (E22). */
function tell(listener: AbortListener, reason: Error): void {
  try {
    listener(reason);
  } catch (error) {
    void Promise.reject(error);
  }
}

/** The reason of an abort at the deadline. */
export class CallTimeoutError extends Error {
  override readonly name = 'TimeoutError';
  readonly code = 'timeout';

  constructor(timeoutMs: number) {
    super(`The call did not end within ${timeoutMs} ms`);
  }
}

/** The reason of an abort when the process stops. */
export class ShutdownError extends Error {
  override readonly name = 'AbortError';
  readonly code = 'shutdown';

  constructor() {
    super('The process stops, and the call did not end within the grace period');
  }
}
