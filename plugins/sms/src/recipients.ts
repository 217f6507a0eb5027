import type { SmsPayload } from './payload.ts';
import { parseNumber } from './phone-number.ts';

/** The number of the person in a payload, in E.164, for suppression and erasure. */
export function recipients({ to, country }: SmsPayload): string[] {
  const parsed = parseNumber(to, country);
  return typeof parsed === 'string' ? [parsed] : [];
}
