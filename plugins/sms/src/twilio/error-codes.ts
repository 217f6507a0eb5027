import type { Verdict } from '../verdict.ts';

const NO_NUMBER = 'Twilio says that the recipient has no valid number';
const NO_SENDER =
  'Twilio cannot send from this sender: check that it is yours, can send SMS, and reaches the country';
const NO_SERVICE = 'The messaging service does not exist in this account, or has nobody who can send';
const INACTIVE = 'The account is not active: see its state and balance in the console of Twilio';
const BAD_LOGIN = 'Twilio refused the credentials: check accountSid, authToken and the API key';

/** Codes in answers to a message. Each has a page: `https://www.twilio.com/docs/api/errors/<code>`. */
const SENDING: Readonly<Record<number, Verdict>> = {
  10001: { fate: 'blocked', code: 'account_inactive', message: INACTIVE },
  14107: {
    fate: 'retry',
    code: 'too_many_to_number',
    message: 'Too many messages between two numbers in 30 seconds',
    afterMs: 30_000,
  },
  20003: { fate: 'blocked', code: 'auth_failed', message: BAD_LOGIN },
  20005: { fate: 'blocked', code: 'account_inactive', message: INACTIVE },
  20008: { fate: 'blocked', code: 'test_credentials', message: 'Test credentials cannot do this' },
  20429: { fate: 'throttled', code: 'too_many_requests', message: 'Too many calls at once', afterMs: 1_000 },
  20503: { fate: 'retry', code: 'service_unavailable', message: 'Twilio is unavailable for the moment' },
  21211: { fate: 'failed', code: 'invalid_recipient', message: NO_NUMBER },
  21212: { fate: 'sender', code: 'invalid_sender', message: NO_SENDER },
  21217: { fate: 'failed', code: 'invalid_recipient', message: NO_NUMBER },
  21408: {
    fate: 'failed',
    code: 'region_not_permitted',
    message: "The recipient's country is not enabled in the account's messaging geo permissions",
  },
  21472: { fate: 'blocked', code: 'account_inactive', message: INACTIVE },
  21601: { fate: 'sender', code: 'invalid_sender', message: NO_SENDER },
  21606: { fate: 'sender', code: 'invalid_sender', message: NO_SENDER },
  21608: {
    fate: 'failed',
    code: 'recipient_not_verified',
    message: 'A trial account sends to verified numbers only: verify the number or upgrade',
  },
  21609: {
    fate: 'blocked',
    code: 'invalid_callback_url',
    message: "Twilio cannot use the URL for receipts: check the server's public URL",
  },
  21610: { fate: 'failed', code: 'opted_out', message: 'The recipient has replied STOP to this sender' },
  21611: {
    fate: 'throttled',
    code: 'queue_full',
    message: 'The queue of this sender is full',
    afterMs: 60_000,
  },
  21612: {
    fate: 'failed',
    code: 'not_routable',
    message: 'Twilio has no way from this sender to the number',
  },
  21614: { fate: 'failed', code: 'not_a_mobile_number', message: 'The recipient has no mobile number' },
  21616: { fate: 'sender', code: 'invalid_sender', message: NO_SENDER },
  21617: { fate: 'failed', code: 'body_too_long', message: 'The text has more than 1,600 characters' },
  21635: { fate: 'failed', code: 'landline_number', message: 'The recipient has a landline number' },
  21658: { fate: 'failed', code: 'body_too_long', message: 'The text has more than 1,600 characters' },
  21659: { fate: 'sender', code: 'invalid_sender', message: NO_SENDER },
  21660: { fate: 'sender', code: 'invalid_sender', message: NO_SENDER },
  21701: { fate: 'sender', code: 'invalid_messaging_service', message: NO_SERVICE },
  21703: { fate: 'sender', code: 'invalid_messaging_service', message: NO_SERVICE },
  21705: { fate: 'sender', code: 'invalid_messaging_service', message: NO_SERVICE },
  21730: { fate: 'retry', code: 'service_unavailable', message: 'Twilio is being maintained' },
  63017: {
    fate: 'throttled',
    code: 'too_many_messages',
    message: 'Too many messages a second',
    afterMs: 1_000,
  },
  // A rolling window of 24 hours: room comes back bit by bit.
  63038: {
    fate: 'throttled',
    code: 'daily_limit',
    message: "The account's daily limit is reached",
    afterMs: 3_600_000,
  },
  90010: { fate: 'blocked', code: 'account_inactive', message: INACTIVE },
};

/** What follows from a code in an answer; undefined if it is not known. */
export const verdictOf = (twilioCode: number | undefined): Verdict | undefined =>
  twilioCode === undefined ? undefined : SENDING[twilioCode];

/** Codes in receipts. Each has a page: `https://www.twilio.com/docs/api/errors/<code>`. */
const DELIVERY: Readonly<Record<number, string>> = {
  30001: 'queue_overflow',
  30002: 'account_suspended',
  30003: 'unreachable',
  30004: 'blocked',
  30005: 'unknown_number',
  30006: 'landline_or_unreachable',
  30007: 'filtered',
  30008: 'unknown_error',
  30022: 'too_many_messages',
  30034: 'sender_not_registered',
  30036: 'expired',
  30500: 'provider_error',
};

/** Our stable code for a code of Twilio. */
export const codeOf = (twilioCode: number): string =>
  DELIVERY[twilioCode] ?? SENDING[twilioCode]?.code ?? `twilio_${twilioCode}`;
