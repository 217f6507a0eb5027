import type { Settlement } from '../decisions/settle.ts';
import type { SuppressionReason } from '../suppressions.ts';

const BECAUSE: Readonly<Record<SuppressionReason, string>> = {
  bounced: 'an earlier job to it bounced',
  complained: 'its owner complained about an earlier job',
  unsubscribed: 'its owner opted out',
  manual: 'somebody put it on the suppression list',
};

/**
 * How a job ends that has a suppressed recipient: without a call. `undecided`: an earlier call may have
 * arrived, so nobody can say that it failed.
 */
export function suppressedEnd(reason: SuppressionReason, undecided: boolean): Settlement {
  const message = `Not sent: a recipient is suppressed, since ${BECAUSE[reason]}`;
  if (!undecided) return { kind: 'failed', data: { code: 'suppressed', message, reason } };
  const doubt = `${message}. An earlier call is undecided`;
  return { kind: 'unknown', data: { code: 'suppressed', message: doubt, reason } };
}
