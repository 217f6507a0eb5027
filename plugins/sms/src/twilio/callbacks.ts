import {
  type CallbackAnswer,
  type CallbackContext,
  type CallbackRequest,
  callbackRefused,
  type Receipt,
  type Suppression,
} from '@batchsender/core/plugin';
// Of the package, this file alone: the client would take 30 MB, and no receipt needs it.
import { validateRequest } from 'twilio/lib/webhooks/webhooks.js';
import { type OptOut, optOutAnswer, optOutOf } from '../opt-out.ts';
import { parseNumber } from '../phone-number.ts';
import type { TwilioCredentials } from './credentials.ts';
import { codeOf } from './error-codes.ts';

/** Most bytes of a request that is believed to be Twilio's. A text has at most 1,600 characters. */
const MAX_BYTES = 65_536;

/** An answer to a reply: nothing is sent back. */
const EMPTY_TWIML = {
  status: 200,
  headers: { 'content-type': 'text/xml' },
  body: '<?xml version="1.0" encoding="UTF-8"?><Response></Response>',
};

/**
 * Takes the status of a message (https://www.twilio.com/docs/messaging/guides/track-outbound-message-status)
 * and replies (https://www.twilio.com/docs/messaging/guides/webhook-request).
 */
export function handle(
  request: CallbackRequest,
  { credentials }: CallbackContext<TwilioCredentials>,
): CallbackAnswer {
  const fields = genuineFields(request, credentials.authToken);
  const sid = fields.get('MessageSid') ?? fields.get('SmsSid');
  if (sid === null || sid === '') {
    throw callbackRefused(400, 'not_a_message', 'The request is genuine, but is about no message');
  }
  const status = fields.get('MessageStatus');
  if (status === null) return { ...reply(fields), response: EMPTY_TWIML };
  const jobId = request.url.searchParams.get('job');
  // A messaging service with a status URL of its own tells about messages of other programs too.
  return jobId === null ? { events: [] } : receipt({ jobId, sid, status }, fields);
}

/** The form of a request that Twilio signed. @throws what `callbackRefused` makes, if it did not. */
function genuineFields(
  { method, url, headers, body }: CallbackRequest,
  authToken: string | undefined,
): URLSearchParams {
  const signature = headers['x-twilio-signature'];
  if (signature === undefined || signature === '') {
    throw callbackRefused(401, 'signature_missing', 'The header X-Twilio-Signature is missing');
  }
  if (authToken === undefined) {
    throw callbackRefused(
      401,
      'auth_token_missing',
      'The connection has no authToken to check signatures with: set it',
    );
  }
  if (body.length > MAX_BYTES) {
    throw callbackRefused(400, 'body_too_large', `The body has more than ${MAX_BYTES} bytes`);
  }
  const form = new URLSearchParams(method === 'GET' ? '' : Buffer.from(body).toString('utf8'));
  const signed = Object.fromEntries(form.keys().map((name) => [name, fieldOf(form, name)]));
  if (!validateRequest(authToken, signature, url.href, signed)) {
    throw callbackRefused(
      401,
      'invalid_signature',
      "The signature is not of this URL, form and account's auth token",
    );
  }
  return method === 'GET' ? url.searchParams : form;
}

function fieldOf(form: URLSearchParams, name: string): string | string[] {
  const values = form.getAll(name);
  return values.length === 1 ? (values[0] as string) : values;
}

interface Status {
  readonly jobId: string;
  readonly sid: string;
  readonly status: string;
}

function receipt({ jobId, sid, status }: Status, fields: URLSearchParams): CallbackAnswer {
  // The same status of the same message is the same event, however often it is told.
  const eventId = `${sid}:${status}`;
  if (status === 'delivered') return { events: [{ jobId, kind: 'delivered', eventId }] };
  if (status !== 'undelivered' && status !== 'failed') return { events: [] };
  const twilioCode = Number(fields.get('ErrorCode') ?? Number.NaN);
  const known = Number.isInteger(twilioCode) && twilioCode > 0;
  const data = known ? { code: codeOf(twilioCode), twilioCode } : { code: 'unknown_error' };
  const event: Receipt = { jobId, kind: 'bounced', eventId, data };
  const suppress = suppressionOf(twilioCode, fields.get('To') ?? '');
  return { events: [event], ...(suppress === undefined ? {} : { suppress: [suppress] }) };
}

/**
 * Two codes say that no message will ever arrive: the number may no longer exist, and its owner said STOP.
 * The others may pass, by the pages of the codes: a handset is off, a short code is not served.
 */
function suppressionOf(twilioCode: number, to: string): Suppression | undefined {
  const recipient = parseNumber(to);
  if (typeof recipient !== 'string') return undefined;
  if (twilioCode === 30005) return { recipient, reason: 'bounced' };
  return twilioCode === 21610 ? { recipient, reason: 'unsubscribed' } : undefined;
}

/** Replies name no message that they answer, so they are no receipts; opt-outs count all the same. */
function reply(fields: URLSearchParams): CallbackAnswer {
  // With Advanced Opt-Out, Twilio knows keywords of other languages:
  // https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
  const type = fields.get('OptOutType');
  const wish = type === null ? optOutOf(fields.get('Body') ?? '') : WISHES.get(type);
  return optOutAnswer(wish, fields.get('From') ?? '');
}

const WISHES: ReadonlyMap<string, OptOut> = new Map([
  ['STOP', 'stop'],
  ['START', 'start'],
]);
