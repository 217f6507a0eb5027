import {
  blocked,
  classifyHttp,
  failed,
  type JobResult,
  LostCallError,
  parseRetryAfter,
  throttled,
  unknown,
} from '@batchsender/core/plugin';
import type { JsonAnswer } from '../http/exchange-json.ts';
import { lookup } from '../lookup.ts';
import { isFields, textAt } from '../receipts/read.ts';

/** How long a connection rests after a 429 without a hint: the limit is one a second. */
const THROTTLE_MS = 1_000;

/** How often a connection looks whether its daily quota is there again. */
const QUOTA_MS = 3_600_000;

const GARBAGE = 'The answer is not one of Resend';

/** By the name of the error: https://resend.com/docs/api-reference/errors, where nothing else is said. */
const FATES: Readonly<Record<string, (name: string) => JobResult>> = {
  missing_api_key: (name) => blocked(name, { message: 'Resend got no API key' }),
  invalid_api_key: (name) => blocked(name, { message: 'Resend does not know the API key' }),
  restricted_api_key: (name) => blocked(name, { message: 'The API key may not send' }),
  monthly_quota_exceeded: (name) => blocked(name, { message: 'The quota of this month is spent' }),
  daily_quota_exceeded: (code) => throttled(QUOTA_MS, { scope: 'connection', code }),
  not_found: (name) => blocked(name, { message: 'There is no Resend at baseUrl' }),
  method_not_allowed: (name) => blocked(name, { message: 'There is no Resend at baseUrl' }),
  // The key was used with another body, so a call came through of which the answer is not known.
  invalid_idempotent_request: () =>
    unknown('idempotency_conflict', { message: 'Resend got another request with the same key before' }),
  security_error: (name) => failed(name, { message: 'Resend found the message unsafe' }),
};

/**
 * What an answer without success means for the jobs of its call. The README has the table.
 * @throws LostCallError where Resend may have taken the call all the same: it is made again with its key.
 */
export function judgeRefusal(answer: JsonAnswer): JobResult {
  const { status, headers } = answer;
  const name = isFields(answer.body) ? textAt(answer.body, 'name') : undefined;
  if (status >= 500) throw new LostCallError(`Resend answered ${status}`, `http_${status}`);
  if (status < 400) throw new LostCallError(GARBAGE, 'invalid_response');
  if (name === 'concurrent_idempotent_requests') {
    throw new LostCallError('An earlier call with the same key is still at work', name);
  }
  const fate = lookup(FATES, name);
  if (name !== undefined && fate !== undefined) return fate(name);
  if (status === 429) return tooMany(headers);
  // `validation_error` has several statuses: 401 is about the key, 403 about the sender.
  if (name === 'validation_error' && status === 401) return blocked('invalid_api_key', { message: KEY });
  if (name !== undefined && status === 403) return blocked('sender_not_verified', { message: SENDER });
  if (name !== undefined && REFUSED.has(name)) {
    return failed(name, { message: 'Resend refused the request', data: { httpStatus: status } });
  }
  // A page of a proxy.
  return classifyHttp(answer, { blocked: [401, 403, 404], throttles: 'connection' });
}

function tooMany(headers: JsonAnswer['headers']): JobResult {
  const after = headers['retry-after'];
  const afterMs = parseRetryAfter(typeof after === 'string' ? after : undefined, Date.now()) ?? THROTTLE_MS;
  return throttled(Math.max(afterMs, THROTTLE_MS), { scope: 'connection', code: 'rate_limit_exceeded' });
}

const KEY = 'Resend does not know the API key';
const SENDER = 'Resend does not let this account send from this address: verify its domain, or unblock it';

const REFUSED: ReadonlySet<string> = new Set([
  'validation_error',
  'invalid_idempotency_key',
  'invalid_attachment',
  'invalid_from_address',
  'invalid_access',
  'invalid_parameter',
  'invalid_region',
  'missing_required_field',
]);
