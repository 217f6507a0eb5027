import {
  blocked,
  failed,
  type JobResult,
  type JsonObject,
  throttled,
  unknown,
} from '@batchsender/core/plugin';
import { judgeByCode, waitMs } from '../verdict.ts';
import { verdictOf } from './error-codes.ts';

/** An answer that is no success. */
export interface Refusal {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly vonageCode: number | undefined;
  /** True if the payload named the sender. */
  readonly ownSender: boolean;
}

/**
 * What an answer of Vonage means. The status goes first: 401, 402 and 429 are about the account
 * (https://developer.vonage.com/en/api/messages), and after a 5xx nobody knows what was taken.
 */
export function judgeRefusal({ status, retryAfterMs, vonageCode, ownSender }: Refusal): JobResult {
  const data: JsonObject = { httpStatus: status, ...(vonageCode === undefined ? {} : { vonageCode }) };
  if (status >= 500) {
    return unknown(`http_${status}`, { message: 'Vonage failed, and may have taken the message', data });
  }
  if (status === 429) {
    return throttled(waitMs(retryAfterMs), { code: 'too_many_requests', scope: 'connection' });
  }
  if (status === 401) return blocked('auth_failed', { message: 'Vonage refused the credentials' });
  if (status === 402) return blocked('low_balance', { message: 'The account has no credit: top it up' });
  const verdict = verdictOf(vonageCode);
  if (verdict !== undefined) return judgeByCode(verdict, { ownSender, retryAfterMs, data });
  const detail = vonageCode === undefined ? `HTTP ${status}` : `error ${vonageCode}`;
  if (status === 403) return blocked('forbidden', { message: `The credentials may not send (${detail})` });
  if (status < 400 || status === 404) {
    return blocked('api_not_found', { message: `The API is not there (${detail}): check baseUrl` });
  }
  const code = vonageCode === undefined ? `http_${status}` : `vonage_${vonageCode}`;
  return failed(code, { message: `Vonage refused the message (${detail})`, data });
}
