import type { Guarantee, JobResult } from '../../plugin/index.ts';
import { reason, repeatSameCall, type SettleContext, type Settlement } from './settle.ts';

/** True where one key stands for all jobs of a call, so that they can only be repeated together. */
export const coversCall = (guarantee: Guarantee): boolean =>
  guarantee.kind === 'keyed' && guarantee.scope === 'call';

/** What the results of a call under one key come to. */
export interface WholeCall {
  /** How all of its jobs are settled, where they share one fate. */
  readonly same?: Settlement;
  readonly results: readonly JobResult[];
}

const PUT_OFF = new Set(['retry', 'throttled', 'blocked']);

/**
 * Looks at the results of a call whose key covers all of its jobs. `context` is that of any of
 * them. A repeat that was put off as a whole says nothing of the call before it, which only the
 * same key can clear up: it is made once more. A doubt about some of the jobs stays one, since
 * they cannot be repeated without the others.
 */
export function judgeWholeCall(results: readonly JobResult[], context: SettleContext): WholeCall {
  if (context.fences > 1 && results.every(({ status }) => PUT_OFF.has(status))) {
    return { same: putOffAgain(results, context), results };
  }
  if (results.every(inDoubt)) return { results };
  return { results: results.map((result) => (inDoubt(result) ? { ...result, status: 'unknown' } : result)) };
}

function putOffAgain(results: readonly JobResult[], context: SettleContext): Settlement {
  const refused = results.find((result) => result.status === 'retry');
  if (refused !== undefined) return repeatSameCall(reason(refused), context);
  const waits = results.map((result) => (result.status === 'throttled' ? result.afterMs : 0));
  return { kind: 'open', data: null, checkAfterMs: Math.max(0, ...waits) };
}

const inDoubt = (result: JobResult): result is Extract<JobResult, { status: 'retry' }> =>
  result.status === 'retry' && result.possibleDuplicate === true;
