import type { Resolution } from '../../plugin/index.ts';
import type { OpenFence } from '../decisions/due.ts';
import { type SettleContext, type Settlement, settle } from '../decisions/settle.ts';

const FIRST_CHECK_MS = 1_000;
const LAST_CHECK_MS = 60_000;

/**
 * What `resolve` said of a job whose call left no result. `call`: the provider never saw it and
 * the time to settle is over, so it is called again. No answer: asked again later, less and less
 * often, until the job is too old.
 */
export function resolutionSettlement(
  answer: Resolution | undefined,
  context: SettleContext,
  fence: OpenFence | undefined,
): Settlement | 'call' {
  const ageMs = fence?.ageMs ?? 0;
  if (answer === undefined) return askAgain(context, ageMs);
  switch (answer.status) {
    case 'absent':
      return absent(context, ageMs);
    case 'undecided':
      return {
        kind: 'unknown',
        data: { code: 'undecided', message: 'The provider cannot tell whether it took the job' },
      };
    case 'pending':
      // The same reference again is no news: nothing is written, the chunk only waits.
      if (answer.ref === fence?.ref)
        return { kind: 'open', data: null, checkAfterMs: Math.max(0, answer.checkAfterMs) };
      return settle(answer, context);
    case 'throttled':
    case 'blocked':
      // The question was refused, not the job: its fence stays open.
      return {
        kind: 'open',
        data: null,
        checkAfterMs: answer.status === 'throttled' ? answer.afterMs : FIRST_CHECK_MS,
      };
    default:
      return settle(answer, context);
  }
}

function absent(context: SettleContext, ageMs: number): Settlement | 'call' {
  const settleMs = context.guarantee.kind === 'reconcilable' ? context.guarantee.settleMs : 0;
  if (ageMs < settleMs) return { kind: 'open', data: null, checkAfterMs: settleMs - ageMs };
  if (context.fences < context.policy.maxAttempts) return 'call';
  return {
    kind: 'failed',
    data: { code: 'absent', message: 'The provider never took it, in any of the calls', exhausted: true },
  };
}

function askAgain(context: SettleContext, ageMs: number): Settlement {
  if (context.ageMs >= context.policy.maxAgeMs) {
    return {
      kind: 'unknown',
      data: { code: 'expired', message: 'The provider gave no answer about an undecided call' },
    };
  }
  return {
    kind: 'open',
    data: null,
    checkAfterMs: Math.min(LAST_CHECK_MS, Math.max(FIRST_CHECK_MS, ageMs / 4)),
  };
}
