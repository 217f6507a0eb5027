import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { handle } from '../../src/twilio/callbacks.ts';
import {
  CALLBACK,
  callbackContext,
  callbackRequest,
  type RequestOptions,
  refusalOf,
} from '../helpers/callback.ts';
import { ACCOUNT_SID, AUTH_TOKEN } from '../helpers/twilio-server.ts';

const credentials = { accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN };
const JOB_ID = '0195f3c8-7b1a-7000-8000-000000000000.7';
const STATUS_URL = `${CALLBACK}?job=${JOB_ID}`;
const SID = `SM${'ab'.repeat(16)}`;

/** As Twilio sends it: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status */
const status = (fields: Record<string, string> = {}) => ({
  SmsSid: SID,
  SmsStatus: fields['MessageStatus'] ?? 'delivered',
  MessageStatus: 'delivered',
  To: '+4915123456789',
  MessageSid: SID,
  AccountSid: ACCOUNT_SID,
  From: '+12025550188',
  ApiVersion: '2010-04-01',
  ...fields,
});

const inbound = (fields: Record<string, string> = {}) => ({
  ToCountry: 'US',
  SmsMessageSid: SID,
  NumMedia: '0',
  SmsSid: SID,
  SmsStatus: 'received',
  FromCountry: 'DE',
  To: '+12025550188',
  NumSegments: '1',
  MessageSid: SID,
  AccountSid: ACCOUNT_SID,
  From: '+4915123456789',
  ApiVersion: '2010-04-01',
  Body: 'Hello',
  ...fields,
});

/** A request that Twilio's own code has signed. */
function signed(fields: Record<string, string>, options: RequestOptions & { token?: string } = {}) {
  const { url = STATUS_URL, token = AUTH_TOKEN } = options;
  const signature = twilio.getExpectedTwilioSignature(token, url, fields);
  const headers = { 'x-twilio-signature': signature, ...options.headers };
  return callbackRequest(new URLSearchParams(fields).toString(), { ...options, url, headers });
}

const handled = (request: ReturnType<typeof signed>) => handle(request, callbackContext(credentials));
const refused = (request: ReturnType<typeof signed>, using: typeof credentials | object = credentials) =>
  refusalOf(() => handle(request, callbackContext(using as typeof credentials)));

describe('a status', () => {
  it('of delivery is a receipt of the job in the URL', () => {
    expect(handled(signed(status()))).toEqual({
      events: [{ jobId: JOB_ID, kind: 'delivered', eventId: `${SID}:delivered` }],
    });
  });

  it.each<[status: string, errorCode: string | undefined, data: object]>([
    ['undelivered', '30003', { code: 'unreachable', twilioCode: 30003 }],
    ['undelivered', '30006', { code: 'landline_or_unreachable', twilioCode: 30006 }],
    ['failed', '30007', { code: 'filtered', twilioCode: 30007 }],
    ['failed', '30001', { code: 'queue_overflow', twilioCode: 30001 }],
    ['failed', '39999', { code: 'twilio_39999', twilioCode: 39999 }],
    ['failed', undefined, { code: 'unknown_error' }],
    ['failed', 'x', { code: 'unknown_error' }],
  ])('%s with the code %s is a bounce', (MessageStatus, ErrorCode, data) => {
    const fields = status({ MessageStatus, ...(ErrorCode === undefined ? {} : { ErrorCode }) });
    expect(handled(signed(fields))).toEqual({
      events: [{ jobId: JOB_ID, kind: 'bounced', eventId: `${SID}:${MessageStatus}`, data }],
    });
  });

  it.each(['accepted', 'queued', 'sending', 'sent', 'canceled', 'a-new-one'])(
    '%s is none',
    (MessageStatus) => {
      expect(handled(signed(status({ MessageStatus })))).toEqual({ events: [] });
    },
  );

  it.each([
    ['30005', 'bounced'],
    ['21610', 'unsubscribed'],
  ])('with the code %s suppresses the number', (ErrorCode, reason) => {
    expect(handled(signed(status({ MessageStatus: 'undelivered', ErrorCode }))).suppress).toEqual([
      { recipient: '+4915123456789', reason },
    ]);
  });

  it('is the same event when it comes again, and another one when it changes', () => {
    const ids = [status(), status(), status({ MessageStatus: 'undelivered' })].map(
      (fields) => handled(signed(fields)).events[0]?.eventId,
    );
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  it('of a message of another program is nothing', () => {
    expect(handled(signed(status(), { url: CALLBACK }))).toEqual({ events: [] });
  });

  it('may come by GET', () => {
    const url = `${STATUS_URL}&${new URLSearchParams(status())}`;
    const signature = twilio.getExpectedTwilioSignature(AUTH_TOKEN, url, {});
    const request = callbackRequest('', { url, method: 'GET', headers: { 'x-twilio-signature': signature } });
    expect(handled(request).events).toMatchObject([{ jobId: JOB_ID, kind: 'delivered' }]);
  });
});

describe('a reply', () => {
  const twiml = {
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body: expect.stringMatching(/<Response>/),
  };
  const replied = (fields: Record<string, string>) => handled(signed(inbound(fields), { url: CALLBACK }));

  it.each(['STOP', ' stop ', 'Unsubscribe'])('%j suppresses its sender', (Body) => {
    expect(replied({ Body })).toEqual({
      events: [],
      suppress: [{ recipient: '+4915123456789', reason: 'unsubscribed' }],
      response: twiml,
    });
  });

  it('START lifts it again', () => {
    expect(replied({ Body: 'start' })).toEqual({ events: [], lift: ['+4915123456789'], response: twiml });
  });

  it('is judged by Twilio where it knows more keywords', () => {
    expect(replied({ Body: 'ARRET', OptOutType: 'STOP' })).toHaveProperty('suppress');
    expect(replied({ Body: 'OUI', OptOutType: 'START' })).toHaveProperty('lift');
    expect(replied({ Body: 'STOP', OptOutType: 'HELP' })).toEqual({ events: [], response: twiml });
    expect(replied({ Body: 'x', OptOutType: 'constructor' })).toEqual({ events: [], response: twiml });
  });

  it('that says something else is answered by nothing', () => {
    expect(replied({ Body: 'Please stop calling me' })).toEqual({ events: [], response: twiml });
    expect(replied({ Body: 'STOP', From: '12345' })).toEqual({ events: [], response: twiml });
  });
});

describe('a request that is not to be believed', () => {
  const genuine = signed(status());

  it('lacks the signature', () => {
    const { headers: _headers, ...rest } = genuine;
    expect(refused({ ...rest, headers: {} })).toMatchObject({ status: 401, code: 'signature_missing' });
    expect(refused({ ...rest, headers: { 'x-twilio-signature': '' } })).toMatchObject({ status: 401 });
  });

  it.each<[string, () => ReturnType<typeof signed>]>([
    ['has a signature that is none', () => ({ ...genuine, headers: { 'x-twilio-signature': 'v1,x' } })],
    ['is signed with another token', () => signed(status(), { token: 'another-token' })],
    [
      'has another body',
      () => ({ ...genuine, body: Buffer.from(`${Buffer.from(genuine.body)}&ErrorCode=1`) }),
    ],
    ["names another tenant's job", () => ({ ...genuine, url: new URL(STATUS_URL.replace('.7', '.8')) })],
    ['goes to another connection', () => ({ ...genuine, url: new URL(STATUS_URL.replace('00c?', '00d?')) })],
    ['is of another server', () => ({ ...genuine, url: new URL(STATUS_URL.replace('sms.', 'evil.')) })],
  ])('%s', (_name, request) => {
    expect(refused(request())).toMatchObject({ status: 401, code: 'invalid_signature' });
  });

  it('comes to a connection without the auth token, which says what is missing', () => {
    expect(refused(genuine, { accountSid: ACCOUNT_SID })).toMatchObject({
      status: 401,
      code: 'auth_token_missing',
      message: expect.stringContaining('authToken'),
    });
  });

  it('has 10 MB', () => {
    const body = Buffer.alloc(10_000_000, 'a');
    expect(refused({ ...genuine, body })).toMatchObject({ status: 400, code: 'body_too_large' });
  });

  it('is genuine, but about no message', () => {
    expect(refused(signed({ AccountSid: ACCOUNT_SID }))).toMatchObject({
      status: 400,
      code: 'not_a_message',
    });
  });

  it('is refused in words that quote nothing', () => {
    const { message } = refused(signed(status(), { token: 'another-token' }));
    expect(message).not.toMatch(/4915123456789|token-91f2c7d3/);
  });
});

it('takes a field that comes twice as Twilio signs it', () => {
  const fields = { ...status(), Extra: ['b', 'a'] };
  const signature = twilio.getExpectedTwilioSignature(AUTH_TOKEN, STATUS_URL, fields);
  const body = `${new URLSearchParams(status())}&Extra=b&Extra=a`;
  const request = callbackRequest(body, { url: STATUS_URL, headers: { 'x-twilio-signature': signature } });
  expect(handled(request).events).toHaveLength(1);
});
