import { phoneLibrary } from './phone-library.ts';

/** Who a message is from. */
export type Sender =
  | { readonly kind: 'number'; readonly value: string }
  | { readonly kind: 'shortCode'; readonly value: string }
  | { readonly kind: 'name'; readonly value: string }
  | { readonly kind: 'messagingService'; readonly value: string };

const MESSAGING_SERVICE = /^MG[0-9a-f]{32}$/;
const SHORT_CODE = /^\d{3,8}$/;
// https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
const NAME = /^(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}$/;

/** Reads a payload's or connection's sender; undefined if it is none. */
export function parseSender(from: string): Sender | undefined {
  const text = from.trim();
  if (MESSAGING_SERVICE.test(text)) return { kind: 'messagingService', value: text };
  if (SHORT_CODE.test(text)) return { kind: 'shortCode', value: text };
  if (NAME.test(text)) return { kind: 'name', value: text };
  const number = text.startsWith('+')
    ? phoneLibrary().parsePhoneNumberFromString(text, { extract: false })
    : undefined;
  return number?.isValid() === true ? { kind: 'number', value: number.number } : undefined;
}
