import type { PayloadProblem } from '@batchsender/core/plugin';
import { MAX_BODY, type SmsPayload } from './payload.ts';
import { parseNumber } from './phone-number.ts';
import { segmentsOf } from './segments/segments.ts';
import { parseSender } from './sender.ts';

/**
 * Most segments of a message. A text of 1,600 characters in the alphabet of SMS has 11, which nobody means
 * to pay for by accident; one with an emoji would have 24.
 */
const MAX_SEGMENTS = 10;

/** What the schema cannot say about a payload. Answers every problem, with its place and the remedy. */
export function validate(payload: SmsPayload): readonly PayloadProblem[] {
  return [...recipientProblems(payload), ...senderProblems(payload), ...bodyProblems(payload)];
}

function* recipientProblems({ to, country }: SmsPayload): Generator<PayloadProblem> {
  const parsed = parseNumber(to, country);
  if (typeof parsed === 'string') return;
  yield { path: `/${parsed.field}`, code: parsed.code, message: parsed.message };
}

function* senderProblems({ from }: SmsPayload): Generator<PayloadProblem> {
  if (from === undefined || parseSender(from) !== undefined) return;
  yield {
    path: '/from',
    code: 'invalid_sender',
    message:
      'from must be a number such as +12025550123, a short code, 1 to 11 letters, digits and spaces with at least one letter, or the SID of a messaging service (MG…)',
  };
}

function* bodyProblems({ body, smartEncoding = false }: SmsPayload): Generator<PayloadProblem> {
  if (body.trim() === '') {
    yield { path: '/body', code: 'no_content', message: 'the text is empty: write one' };
    return;
  }
  const { segments, encoding } = segmentsOf(body, { smartEncoding });
  if (segments <= MAX_SEGMENTS && body.length <= MAX_BODY) return;
  yield {
    path: '/body',
    code: 'too_many_segments',
    message: `the text takes ${segments} messages in ${encoding}, and at most ${MAX_SEGMENTS} are sent: shorten it${encoding === 'UCS-2' ? ', or use characters of the SMS alphabet only' : ''}`,
  };
}
