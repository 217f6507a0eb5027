import type { JsonObject } from '@batchsender/core/plugin';
import type { SmsPayload } from './payload.ts';
import { parseNumber } from './phone-number.ts';
import { segmentsOf } from './segments/segments.ts';
import { smartQuotes } from './segments/smart-quotes.ts';

/**
 * The number as it will be sent to, and what the text takes; where `smartEncoding` would make it
 * cheaper, also what that would do.
 */
export function preview({ to, country, body, smartEncoding = false }: SmsPayload): JsonObject {
  const number = parseNumber(to, country);
  const sent = segmentsOf(body, { smartEncoding });
  const smart = segmentsOf(body, { smartEncoding: true });
  return {
    ...(typeof number === 'string' ? { to: number } : {}),
    ...sent,
    ...(smart.segments < sent.segments ? { withSmartEncoding: { ...smart, body: smartQuotes(body) } } : {}),
  };
}
