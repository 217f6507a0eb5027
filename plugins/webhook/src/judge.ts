import {
  classifyHttp,
  classifyNetworkError,
  failed,
  type JobResult,
  networkResult,
  retry,
  succeeded,
} from '@batchsender/core/plugin';
import { bodyProblem } from './body-check.ts';
import type { Delivery } from './deliver.ts';
import type { Answer } from './exchange.ts';
import type { WebhookPayload } from './payload.ts';

/** Duplicates are accepted: a receiver that minds them looks at `webhook-id`. */
export const GUARANTEE = { kind: 'at-least-once' } as const;

export interface Timing {
  readonly durationMs: number;
  /** Time that was allowed for the call. */
  readonly timeoutMs: number;
}

/** What became of a job, from how its call ended. The README has the table. */
export function judge(delivery: Delivery, payload: WebhookPayload, timing: Timing): JobResult {
  switch (delivery.kind) {
    case 'answer':
      return judgeAnswer(delivery, payload, timing);
    case 'refused':
      return failed(delivery.code, { message: delivery.message });
    case 'aborted':
      return judgeAborted(delivery.sent, timing);
    case 'broken':
      return networkResult(classifyNetworkError(delivery.error, { bytesWritten: delivery.sent }), GUARANTEE);
  }
}

function judgeAnswer(answer: Answer, payload: WebhookPayload, { durationMs }: Timing): JobResult {
  const data = { httpStatus: answer.status, durationMs: Math.round(durationMs) };
  const { successStatuses, successBody } = payload;
  const result = classifyHttp(answer, successStatuses === undefined ? {} : { success: successStatuses });
  if (result.status === 'succeeded') {
    const message = successBody === undefined ? undefined : bodyProblem(answer, successBody);
    return message === undefined
      ? succeeded(undefined, data)
      : failed('body_check_failed', { message, data });
  }
  return result.status === 'failed' || result.status === 'retry' ? { ...result, data } : result;
}

/** The signal knows two reasons: the deadline, and a process that stops. The clock tells them apart. */
function judgeAborted(sent: boolean, { durationMs, timeoutMs }: Timing): JobResult {
  const late = durationMs >= timeoutMs * 0.95;
  if (!sent) {
    return late
      ? retry('connect_timeout', { message: `No connection was made within ${timeoutMs} ms` })
      : retry('aborted', { message: 'The process stopped before the call was made' });
  }
  const possibleDuplicate = true;
  return late
    ? retry('timeout', { message: `No complete answer came within ${timeoutMs} ms`, possibleDuplicate })
    : retry('aborted', { message: 'The process stopped during the call', possibleDuplicate });
}
