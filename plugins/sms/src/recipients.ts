import type { SmsPayload } from './payload.ts';
import { parseNumber } from './phone-number.ts';

/** The number of the person in a payload, in E.164, for suppression and erasure. */
export function recipients({ to, country }: SmsPayload): string[] {
  const parsed = parseNumber(to, country);
  return typeof parsed === 'string' ? [parsed] : [];
}

/** A number as people write it and providers report it, in E.164; undefined for a national one and what is none. */
export function normalizeRecipient(text: string): string | undefined {
  const parsed = parseNumber(text.trim());
  return typeof parsed === 'string' ? parsed : undefined;
}
