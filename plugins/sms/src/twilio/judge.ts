import {
  blocked,
  failed,
  type JobResult,
  type JsonObject,
  retry,
  throttled,
  unknown,
} from '@batchsender/core/plugin';
import { unreadable } from '../judge-lost.ts';
import { judgeByCode, type Verdict, waitMs } from '../verdict.ts';
import type { TwilioAnswer } from './client.ts';
import { verdictOf } from './error-codes.ts';

/** What an answer that is no success comes to. */
export interface Refusal extends TwilioAnswer {
  /** Twilio's own code of the error. */
  readonly twilioCode: number | undefined;
  /** True if the payload named the sender. */
  readonly ownSender: boolean;
}

/**
 * What an answer of Twilio means. The status goes first where it tells whether the message was taken:
 * https://www.twilio.com/docs/api/errors/20500 says that a message may have been sent in spite of a 500,
 * https://www.twilio.com/docs/api/errors/20429 that nothing was done in spite of a 429.
 */
export function judgeRefusal(refusal: Refusal): JobResult {
  const { status, twilioCode } = refusal;
  if (status < 300) return unreadable();
  const data: JsonObject = { httpStatus: status, ...(twilioCode === undefined ? {} : { twilioCode }) };
  const verdict = verdictOf(twilioCode);
  if (status >= 500) return judgeServerError(status, verdict, data);
  if (verdict !== undefined) return judgeByCode(verdict, { ...refusal, data });
  if (status === 429) {
    return throttled(waitMs(refusal.retryAfterMs), { code: 'too_many_requests', scope: 'connection' });
  }
  const detail = twilioCode === undefined ? `HTTP ${status}` : `error ${twilioCode}`;
  if (status === 401)
    return blocked('auth_failed', { message: `Twilio refused the credentials (${detail})` });
  if (status === 403) return blocked('forbidden', { message: `The credentials may not send (${detail})` });
  if (status === 404)
    return blocked('account_not_found', { message: `There is no such account (${detail})` });
  if (status < 400)
    return blocked('redirected', { message: `The API is elsewhere (${detail}): check baseUrl` });
  const code = twilioCode === undefined ? `http_${status}` : `twilio_${twilioCode}`;
  return failed(code, { message: `Twilio refused the message (${detail})`, data });
}

function judgeServerError(status: number, verdict: Verdict | undefined, data: JsonObject): JobResult {
  // Its page asks to try again, so nothing was taken.
  if (verdict?.fate === 'retry') return retry(verdict.code, { message: verdict.message, data });
  return unknown(`http_${status}`, { message: 'Twilio failed, and may have taken the message', data });
}
