import {
  blocked,
  classifyHttp,
  failed,
  forAll,
  type IdentifiedResult,
  type Job,
  type JobResult,
  LostCallError,
  succeeded,
  throttled,
} from '@batchsender/core/plugin';
import type { JsonAnswer } from '../http/exchange-json.ts';
import { lookup } from '../lookup.ts';
import type { EmailPayload } from '../payload.ts';
import { type Fields, isFields, textAt } from '../receipts/read.ts';

/** Postmark asks to slow down and names no time (https://postmarkapp.com/developer/api/overview). */
const THROTTLE_MS = 5_000;

/** How long a connection rests during planned maintenance. */
const MAINTENANCE_MS = 60_000;

const block = (code: string, message: string) => (): JobResult => blocked(code, { message });
const fail =
  (code: string, message: string) =>
  (errorCode: number): JobResult =>
    failed(code, { message, data: { errorCode } });

/** By ErrorCode: https://postmarkapp.com/developer/api/overview#error-codes. */
const FATES: Readonly<Record<number, (errorCode: number) => JobResult>> = {
  10: block('invalid_token', 'Postmark does not know the server token'),
  100: () => throttled(MAINTENANCE_MS, { scope: 'connection', code: 'maintenance' }),
  300: fail('invalid_request', 'Postmark refused the message'),
  400: block('sender_not_verified', 'Postmark has no sender signature for this address'),
  401: block('sender_not_verified', 'The sender signature for this address is not confirmed'),
  402: fail('invalid_request', 'Postmark could not read the request'),
  403: fail('invalid_request', 'Postmark could not read the message'),
  405: block('not_allowed_to_send', 'The account has no more credits'),
  406: fail(
    'suppressed_by_provider',
    'The recipient bounced or complained before, and is inactive in Postmark',
  ),
  411: fail('attachment_refused', 'Postmark takes no attachments of this type'),
  412: block('account_pending', 'The account may send to its own domain only until Postmark approves it'),
  413: block('account_may_not_send', 'Postmark has stopped the account'),
  429: () => throttled(THROTTLE_MS, { scope: 'connection', code: 'rate_limit_exceeded' }),
};

/**
 * Reads the answer to a batch: one entry a message, in their order, with an ErrorCode each
 * (https://postmarkapp.com/developer/user-guide/send-email-with-api/batch-emails).
 * @throws LostCallError if that is not what came: nobody knows what was sent.
 */
export function judgeBatch(
  jobs: readonly Job<EmailPayload>[],
  { status, body }: JsonAnswer,
): readonly IdentifiedResult[] {
  if (status !== 200 || !Array.isArray(body) || body.length !== jobs.length) {
    throw new LostCallError('The answer is not one of Postmark', 'invalid_response');
  }
  return jobs.map(({ id }, index): IdentifiedResult => {
    const entry: unknown = body[index];
    return { ...entryResult(isFields(entry) ? entry : {}), jobId: id };
  });
}

function entryResult(entry: Fields): JobResult {
  const errorCode = entry['ErrorCode'];
  const messageId = textAt(entry, 'MessageID');
  if (typeof errorCode !== 'number') return lost();
  if (errorCode !== 0) return judgeCode(errorCode);
  if (messageId === undefined) return lost();
  // To some of several recipients it was not sent: the message says so, and names them.
  const partly = textAt(entry, 'Message') !== 'OK';
  return succeeded(messageId, partly ? { code: 'partly_suppressed' } : undefined);
}

const lost = (): JobResult => ({
  status: 'unknown',
  code: 'invalid_response',
  message: 'Postmark answered nothing about this message that makes sense',
});

/** What a refusal of one message, or of the whole call, means. */
function judgeCode(errorCode: number): JobResult {
  const fate = lookup(FATES, errorCode);
  return (
    fate?.(errorCode) ?? failed('refused', { message: 'Postmark refused the message', data: { errorCode } })
  );
}

/**
 * What an answer without success means for the jobs of its call. The README has the table.
 * @throws LostCallError where Postmark may have taken the call all the same.
 */
export function judgeRefusal(jobs: readonly Job<EmailPayload>[], answer: JsonAnswer): IdentifiedResult[] {
  const { status, body } = answer;
  const errorCode = isFields(body) ? body['ErrorCode'] : undefined;
  const coded = typeof errorCode === 'number' && errorCode !== 0;
  if (status === 401) return forAll(jobs, judgeCode(10));
  if (status === 429) return forAll(jobs, judgeCode(429));
  // Only Postmark itself can say that it is closed; a proxy may say so after it passed the call on.
  if (status === 503 && coded) return forAll(jobs, judgeCode(100));
  if (status >= 500 || status < 400) throw new LostCallError(`Postmark answered ${status}`, `http_${status}`);
  return forAll(jobs, coded ? judgeCode(errorCode) : classifyHttp(answer, { blocked: [403, 404] }));
}
