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
  return calls.flatMap((call) => {
    const data: Record<string, unknown> = {};
    if (kind === 'attempted' && call.jobs.length > 1) data['call'] = call.idempotencyKey;
    if (note !== undefined) data['note'] = note;
    const text = Object.keys(data).length === 0 ? null : JSON.stringify(data);
    return call.jobs.map(({ job }): NewEvent => ({ seq: job.seq, kind, data: text }));
  });
}
