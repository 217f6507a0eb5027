import { CallTimeoutError } from '../engine/runner/active-call.ts';
import type { Call, Job, JobPayload, JsonValue } from '../plugin/index.ts';

const BATCH_ID = '00000000-0000-7000-8000-000000000000';
const TIMEOUT_MS = 10_000;
/** What the engine takes, in characters of JSON. */
const MAX_NOTE = 4_096;

/** A call for tests: it can be aborted, and keeps what was noted. */
export interface FakeCall extends Call {
  /** What the provider noted, the latest last. */
  readonly notes: readonly JsonValue[];
  /** Aborts the signal. Default reason: the engine's error at a deadline, with the code `timeout`. */
  abort(reason?: Error): void;
}

/**
 * A call with a signal that nobody aborts by himself, the idempotency key of {@link fakeJob},
 * attempt 1 and 10,000 ms. `note` refuses what the engine refuses.
 *
 * @example
 * const result = await session.process(fakeJob({ to: 'Ada' }), fakeCall({ attempt: 2 }));
 */
export function fakeCall(overrides: Partial<Call> = {}): FakeCall {
  const controller = new AbortController();
  const notes: JsonValue[] = [];
  const timeoutMs = overrides.timeoutMs ?? TIMEOUT_MS;
  const given = overrides.signal;
  const signal = given === undefined ? controller.signal : AbortSignal.any([given, controller.signal]);
  return {
    idempotencyKey: `${BATCH_ID}.0`,
    attempt: 1,
    async note(data) {
      const text = JSON.stringify(data);
      if (text === undefined || text.length > MAX_NOTE) {
        throw new Error(`A note may have ${MAX_NOTE} characters of JSON`);
      }
      notes.push(JSON.parse(text) as JsonValue);
    },
    onAbort(listener) {
      const tell = () => listener(signal.reason as Error);
      if (signal.aborted) tell();
      else signal.addEventListener('abort', tell, { once: true });
    },
    ...overrides,
    timeoutMs,
    signal,
    notes,
    abort: (reason = new CallTimeoutError(timeoutMs)) => controller.abort(reason),
  };
}

/** A job for tests: the first of a batch, on its first attempt. */
export function fakeJob<P = JobPayload>(payload: P, overrides: Partial<Job<P>> = {}): Job<P> {
  const { batchId = BATCH_ID, seq = 0 } = overrides;
  return {
    id: `${batchId}.${seq}`,
    batchId,
    seq,
    payload,
    attempt: 1,
    possibleDuplicate: false,
    ...overrides,
  };
}
