import { failed, type JobResult, type JsonObject } from '@batchsender/core/plugin';
import type { SmsPayload } from './payload.ts';
import { parseNumber } from './phone-number.ts';
import { segmentsOf } from './segments/segments.ts';
import { smartQuotes } from './segments/smart-quotes.ts';
import { parseSender, type Sender } from './sender.ts';

/** A message as it is handed to a provider. */
export interface Message {
  /** In E.164. */
  readonly to: string;
  readonly body: string;
  /** From the payload; undefined if the connection decides. */
  readonly sender: Sender | undefined;
  /** For the job's result: how the text is counted. */
  readonly data: JsonObject;
}

/** Makes the message of a payload. A result instead means that the payload was never validated. */
export function messageOf({ to, country, from, body, smartEncoding }: SmsPayload): Message | JobResult {
  const number = parseNumber(to, country);
  if (typeof number !== 'string') return failed(number.code, { message: number.message });
  const sender = from === undefined ? undefined : parseSender(from);
  if (from !== undefined && sender === undefined) {
    return failed('invalid_sender', { message: 'The payload has a sender that is none' });
  }
  const text = smartEncoding === true ? smartQuotes(body) : body;
  const { encoding, segments } = segmentsOf(text);
  return { to: number, body: text, sender, data: { encoding, segments } };
}
