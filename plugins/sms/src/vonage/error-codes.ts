import type { Verdict } from '../verdict.ts';

const NO_SENDER = 'Vonage cannot send from this sender: check that it is yours and allowed in the country';
const NO_NUMBER = 'Vonage says that the recipient has no valid number';

/** Codes of the Messages API: https://developer.vonage.com/en/api-errors/messages */
const CODES: Readonly<Record<number, Verdict>> = {
  1000: { fate: 'throttled', code: 'too_many_requests', message: 'Too many calls a second' },
  1010: { fate: 'failed', code: 'invalid_parameters', message: 'Vonage misses a field' },
  1020: {
    fate: 'failed',
    code: 'invalid_parameters',
    message: 'Vonage takes a field of the message for wrong',
  },
  1040: { fate: 'failed', code: 'not_routable', message: 'Vonage has no way to the number' },
  1050: { fate: 'failed', code: 'number_barred', message: 'The number may not receive messages' },
  1060: { fate: 'blocked', code: 'account_barred', message: 'The account is barred: ask Vonage' },
  1070: { fate: 'blocked', code: 'low_balance', message: 'The account has no credit: top it up' },
  1080: { fate: 'blocked', code: 'account_not_enabled', message: 'The account may not use this API' },
  1120: { fate: 'sender', code: 'invalid_sender', message: NO_SENDER },
  1140: { fate: 'blocked', code: 'account_not_enabled', message: 'The account may not use this API' },
  1160: {
    fate: 'failed',
    code: 'recipient_not_verified',
    message: 'The number is not in the list of those that a test account may send to',
  },
  1170: { fate: 'failed', code: 'invalid_recipient', message: NO_NUMBER },
  1180: { fate: 'failed', code: 'unreachable', message: 'The handset is off or out of coverage' },
  1190: { fate: 'failed', code: 'unknown_number', message: 'The number is no longer active' },
  1200: { fate: 'failed', code: 'portability_error', message: 'The number has changed its network' },
  1210: { fate: 'failed', code: 'filtered', message: 'The network took the message for spam' },
  1220: { fate: 'failed', code: 'handset_busy', message: 'The handset was busy' },
  1230: { fate: 'failed', code: 'network_error', message: 'The network failed' },
  1240: { fate: 'failed', code: 'opted_out', message: 'The recipient has replied STOP' },
  1241: { fate: 'retry', code: 'too_many_to_number', message: 'Too many messages to this number' },
  1250: { fate: 'failed', code: 'not_routable', message: 'Vonage has no way to the number' },
  1260: { fate: 'failed', code: 'not_routable', message: 'Vonage has no way to the number' },
  1270: { fate: 'failed', code: 'age_restricted', message: 'The network asks for a grown-up' },
  1280: { fate: 'failed', code: 'blocked', message: 'The network blocks messages to the number' },
  1290: {
    fate: 'failed',
    code: 'recipient_without_credit',
    message: "The recipient's account has no credit",
  },
  1330: { fate: 'failed', code: 'unknown_error', message: 'The network gave no reason' },
  1331: { fate: 'failed', code: 'provider_error', message: 'The network is out of order' },
  1360: { fate: 'failed', code: 'expired', message: 'The message was not delivered in time' },
  1420: { fate: 'sender', code: 'invalid_sender', message: NO_SENDER },
  1430: { fate: 'failed', code: 'invalid_recipient', message: NO_NUMBER },
};

/** What follows from a code in an answer; undefined if it is not known. */
export const verdictOf = (vonageCode: number | undefined): Verdict | undefined =>
  vonageCode === undefined ? undefined : CODES[vonageCode];

/** Our stable code for a code of Vonage. */
export const codeOf = (vonageCode: number): string => CODES[vonageCode]?.code ?? `vonage_${vonageCode}`;

/**
 * The code in an error (RFC 7807): its type is a URL that ends in `#1050`, and receipts have the code as
 * their title too.
 */
export function codeIn(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { type, title } = error as { readonly type?: unknown; readonly title?: unknown };
  const found = /#(\d{3,5})$/.exec(String(type))?.[1] ?? /^\d{3,5}$/.exec(String(title))?.[0];
  return found === undefined ? undefined : Number(found);
}
