import type { JobResult } from '../../plugin/index.ts';
import type { LateEvent, NewEvent } from '../store.ts';
import type { PlannedCall } from './call-queue.ts';

/** Results that came after their call had been taken for lost (E12). */
export function lateEvents(call: PlannedCall, results: readonly (JobResult | undefined)[]): LateEvent[] {
  return call.jobs.flatMap(({ job }, index): LateEvent[] => {
    const result = results[index];
    if (result === undefined) return [];
    const { status } = result;
    const ref = 'ref' in result && typeof result.ref === 'string' ? { ref: result.ref.slice(0, 256) } : {};
    const code =
      'code' in result && typeof result.code === 'string' ? { code: result.code.slice(0, 100) } : {};
    return [
      { seq: job.seq, data: JSON.stringify({ status, ...ref, ...code }), success: status === 'succeeded' },
    ];
  });
}

/** Events that could not be written since their lease was lost. */
export function lateFromUnwritten(events: readonly NewEvent[]): LateEvent[] {
  return events.flatMap(({ seq, kind, data }): LateEvent[] => {
    if (kind === 'attempted' || kind === 'released') return [];
    const fields = data === null ? {} : (JSON.parse(data) as object);
    return [{ seq, data: JSON.stringify({ ...fields, status: kind }), success: kind === 'succeeded' }];
  });
}
