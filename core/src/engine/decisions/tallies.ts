import type { EventKind, Tallies } from '../store.ts';

export const NO_TALLIES: Tallies = {
  succeeded: 0,
  failed: 0,
  unknown: 0,
  cancelled: 0,
  retried: 0,
  postponed: 0,
};

/** Tallies that can be counted up. */
export type MutableTallies = { -readonly [K in keyof Tallies]: number };

/** True for the kinds that close an attempt (E1). */
export function closesAttempt(kind: EventKind): kind is keyof Tallies {
  return Object.hasOwn(NO_TALLIES, kind);
}

export function addTallies(a: Tallies, b: Tallies): Tallies {
  return {
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    unknown: a.unknown + b.unknown,
    cancelled: a.cancelled + b.cancelled,
    retried: a.retried + b.retried,
    postponed: a.postponed + b.postponed,
  };
}

/** Jobs whose attempt is closed. */
export function closedJobs(t: Tallies): number {
  return t.succeeded + t.failed + t.unknown + t.cancelled + t.retried + t.postponed;
}
