import type { NewEvent } from '../store.ts';
import type { PlannedCall } from './call-queue.ts';

/**
 * The events that fence calls, or take their fences back. Where several jobs share a call, the
 * fence says which, so that it can be repeated for exactly the same jobs.
 */
export function fenceEvents(
  calls: readonly PlannedCall[],
  kind: 'attempted' | 'released',
  note: unknown,
): NewEvent[] {
  const events: NewEvent[] = [];
  for (const call of calls) {
    const shared = kind === 'attempted' && call.jobs.length > 1 ? call.idempotencyKey : undefined;
    const data = shared === undefined && note === undefined ? null : JSON.stringify({ call: shared, note });
    for (const { job } of call.jobs) events.push({ seq: job.seq, kind, data });
  }
  return events;
}
