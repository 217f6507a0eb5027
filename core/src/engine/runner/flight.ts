import { type ActiveCall, CallTimeoutError } from './active-call.ts';
import type { PlannedCall } from './call-queue.ts';

/** A call that was started. */
export interface Flight {
  readonly call: PlannedCall;
  readonly active: ActiveCall;
  /** Its outcome is decided; what comes now is late. */
  done: boolean;
}

/** After an abort a provider has this long to say what happened, in milliseconds. */
const ABORT_GRACE_MS = 1_000;

/** Aborts a call at its deadline. True if it did not end even then: it is taken for lost. */
export function isOverdue({ active, done }: Flight, now: number): boolean {
  if (now < active.deadline) return false;
  active.abort(new CallTimeoutError(active.timeoutMs));
  return !done && now >= active.deadline + ABORT_GRACE_MS;
}
