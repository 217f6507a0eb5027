import type { JobResult } from '../../plugin/index.ts';
import { isResolution, isResult } from '../runner/results.ts';

/**
 * How a call ended: the status of its results; `mixed` if they differ; `absent` and `undecided` of a
 * question; `invalid` if the answer breaks the contract; `threw`; `timeout` at its deadline;
 * `aborted` since the process stopped.
 */
export type CallStatus =
  | JobResult['status']
  | 'absent'
  | 'undecided'
  | 'mixed'
  | 'invalid'
  | 'threw'
  | 'timeout'
  | 'aborted';

/** The status of what `process` answered. */
export const resultStatus = (answer: unknown): CallStatus => (isResult(answer) ? answer.status : 'invalid');

/** The status of what `processBatch` answered. */
export const batchStatus = (answer: unknown): CallStatus => commonStatus(answer, isResult);

/** The status of what `resolve` answered. */
export const resolveStatus = (answer: unknown): CallStatus => commonStatus(answer, isResolution);

function commonStatus(
  answer: unknown,
  valid: (value: unknown) => value is { readonly status: CallStatus },
): CallStatus {
  if (!Array.isArray(answer) || answer.length === 0) return 'invalid';
  let common: CallStatus | undefined;
  for (const item of answer) {
    if (!valid(item)) return 'invalid';
    common ??= item.status;
    if (item.status !== common) return 'mixed';
  }
  return common ?? 'invalid';
}
