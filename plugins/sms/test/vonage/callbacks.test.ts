import { createHash, createHmac, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { handle } from '../../src/vonage/callbacks.ts';
import type { VonageCredentials } from '../../src/vonage/credentials.ts';
import { CALLBACK, callbackContext, callbackRequest, refusalOf } from '../helpers/callback.ts';
import { API_KEY } from '../helpers/vonage-server.ts';

const SECRET = 'signature-secret-of-32-characters';
const credentials: VonageCredentials = { apiKey: API_KEY, signatureSecret: SECRET };
const JOB_ID = '0195f3c8-7b1a-7000-8000-000000000000.7';
const STATUS_URL = `${CALLBACK}?job=${JOB_ID}`;
const ID = 'aaaaaaaa-bbbb-cccc-dddd-0123456789ab';

/** As Vonage sends it: https://developer.vonage.com/en/messages/concepts/sms-status-callbacks */
const status = (fields: object = {}) => ({
  message_uuid: ID,
  to: '4915123456789',
  from: '12025550188',
  timestamp: '2026-11-29T09:00:00.000Z',
  status: 'delivered',
  client_ref: JOB_ID,
  channel: 'sms',
  destination: { network_code: '26201' },
  usage: { currency: 'EUR', price: '0.0333' },
  sms: { count_total: '2' },
  ...fields,
});

const rejected = (code: number, fields: object = {}) =>
  status({
    status: 'rejected',
    error: {
      type: `https://developer.vonage.com/api-errors/messages#${code}`,
      title: code,
      detail: 'Rejected 4915123456789',
      instance: 'bf0ca0bf927b3b52e3cb03217e1a1ddf',
    },
    ...fields,
  });

const inbound = (fields: object = {}) => ({
  channel: 'sms',
  message_uuid: ID,
  to: '12025550188',
  from: '4915123456789',
  timestamp: '2026-11-29T09:00:00.000Z',
  message_type: 'text',
  text: 'Hello',
  sms: { num_messages: '1', keyword: 'HELLO' },
  usage: { currency: 'EUR', price: '0.0333' },
  ...fields,
});

interface TokenOptions {
  readonly secret?: string;
  readonly header?: object;
  /** Claims that take the place of the usual ones; undefined takes one away. */
  readonly claims?: Record<string, unknown>;
}

function tokenFor(body: string, { secret = SECRET, header, claims }: TokenOptions = {}): string {
  const all = {
    iat: Math.floor(Date.now() / 1_000),
    jti: randomUUID(),
    iss: 'Vonage',
    payload_hash: createHash('sha256').update(body).digest('hex'),
    api_key: API_KEY,
    application_id: '78d335fa-323d-0114-9c3d-d6f0d48968cf',
    ...claims,
  };
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const content = `${encode(header ?? { alg: 'HS256', typ: 'JWT' })}.${encode(all)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

function signed(fields: object, options: TokenOptions & { url?: string } = {}) {
  const body = JSON.stringify(fields);
  const headers = { authorization: `Bearer ${tokenFor(body, options)}` };
  return callbackRequest(body, { url: options.url ?? STATUS_URL, headers });
}

const handled = (request: ReturnType<typeof signed>) => handle(request, callbackContext(credentials));
const refused = (request: ReturnType<typeof signed>, using = credentials) =>
  refusalOf(() => handle(request, callbackContext(using)));

const AT = new Date('2026-11-29T09:00:00.000Z');

describe('a status', () => {
  it('of delivery is a receipt of the job in the URL', () => {
    expect(handled(signed(status()))).toEqual({
      events: [{ jobId: JOB_ID, kind: 'delivered', eventId: `${ID}:delivered`, at: AT }],
    });
  });

  it('is of the job that the message refers to where the URL names none', () => {
    expect(handled(signed(status(), { url: CALLBACK })).events).toMatchObject([{ jobId: JOB_ID }]);
    expect(handled(signed(status({ client_ref: undefined }), { url: CALLBACK }))).toEqual({ events: [] });
  });

  it.each<[code: number, ours: string]>([
    [1180, 'unreachable'],
    [1210, 'filtered'],
    [1360, 'expired'],
    [1999, 'vonage_1999'],
  ])('rejected with the code %i is a bounce', (code, ours) => {
    expect(handled(signed(rejected(code)))).toEqual({
      events: [
        {
          jobId: JOB_ID,
          kind: 'bounced',
          eventId: `${ID}:rejected`,
          at: AT,
          data: { code: ours, vonageCode: code },
        },
      ],
    });
  });

  it('undeliverable is a bounce, also without a code and a time', () => {
    const fields = status({ status: 'undeliverable', timestamp: 'soon', error: null });
    expect(handled(signed(fields)).events).toEqual([
      { jobId: JOB_ID, kind: 'bounced', eventId: `${ID}:undeliverable`, data: { code: 'unknown_error' } },
    ]);
  });

  it.each(['submitted', 'read', 'a-new-one'])('%s is none', (value) => {
    expect(handled(signed(status({ status: value })))).toEqual({ events: [] });
  });

  it.each([
    [1190, 'bounced'],
    [1240, 'unsubscribed'],
  ])('with the code %i suppresses the number', (code, reason) => {
    expect(handled(signed(rejected(code))).suppress).toEqual([{ recipient: '+4915123456789', reason }]);
  });

  it('is the same event when it comes again', () => {
    const ids = [status(), status(), rejected(1180)].map(
      (fields) => handled(signed(fields)).events[0]?.eventId,
    );
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });
});

describe('a reply', () => {
  const replied = (fields: object) => handled(signed(inbound(fields), { url: CALLBACK }));

  it('STOP suppresses its sender, and START lifts it again', () => {
    expect(replied({ text: 'Stop' })).toEqual({
      events: [],
      suppress: [{ recipient: '+4915123456789', reason: 'unsubscribed' }],
    });
    expect(replied({ text: 'START' })).toEqual({ events: [], lift: ['+4915123456789'] });
  });

  it('that says something else is nothing', () => {
    expect(replied({})).toEqual({ events: [] });
    expect(replied({ text: undefined })).toEqual({ events: [] });
    expect(replied({ text: 'STOP', from: 'Example' })).toEqual({ events: [] });
  });
});

describe('a request that is not to be believed', () => {
  it.each([undefined, '', 'Bearer', 'Basic abc', 'v1,x'])('has %j for a token', (authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    const request = callbackRequest(JSON.stringify(status()), { url: STATUS_URL, headers });
    expect(refused(request)).toMatchObject({ status: 401, code: 'signature_missing' });
  });

  it.each<[string, TokenOptions]>([
    ['with another secret', { secret: 'another-secret' }],
    ['by no algorithm', { header: { alg: 'none' } }],
    ['by another algorithm', { header: { alg: 'RS256', typ: 'JWT' } }],
    ['under a header that is none', { header: [] }],
  ])('is signed %s', (_name, options) => {
    expect(refused(signed(status(), options))).toMatchObject({ status: 401, code: 'invalid_signature' });
  });

  it.each(['x', 'a.b', 'a.b.c', 'a.b.c.d', `${'a'.repeat(10_000)}.b.`])('has the token %.20s', (token) => {
    const headers = { authorization: `Bearer ${token}` };
    const request = callbackRequest(JSON.stringify(status()), { url: STATUS_URL, headers });
    expect(refused(request)).toMatchObject({ status: 401, code: 'invalid_signature' });
  });

  it.each<[string, (nowS: number) => Record<string, unknown>]>([
    ['too old', (nowS) => ({ iat: nowS - 330 })],
    ['of the future', (nowS) => ({ iat: nowS + 120 })],
    ['expired', (nowS) => ({ exp: nowS - 30 })],
  ])('has a token that is %s', (_name, claims) => {
    const request = signed(status(), { claims: claims(Math.floor(Date.now() / 1_000)) });
    expect(refused(request)).toMatchObject({ status: 401, code: 'stale_signature' });
  });

  it('is taken within five minutes, though it was sent before', () => {
    const iat = Math.floor(Date.now() / 1_000) - 200;
    expect(handled(signed(status(), { claims: { iat } })).events).toHaveLength(1);
  });

  it.each([{ iat: undefined }, { iat: '1800000000' }, { jti: undefined }, { jti: '' }])(
    'has a token with %j',
    (claims) => {
      expect(refused(signed(status(), { claims }))).toMatchObject({ status: 401, code: 'invalid_token' });
    },
  );

  it('has a token of another account', () => {
    const request = signed(status(), { claims: { api_key: 'ffff0000' } });
    expect(refused(request)).toMatchObject({ status: 401, code: 'wrong_account' });
  });

  it.each([undefined, '', 'ab', 'A'.repeat(64)])('has %j for the hash of its body', (hash) => {
    const request = signed(status(), { claims: { payload_hash: hash } });
    expect(refused(request)).toMatchObject({ status: 401, code: 'invalid_payload_hash' });
  });

  it('has another body than was signed', () => {
    const genuine = signed(status());
    const body = Buffer.from(JSON.stringify(rejected(1190)));
    expect(refused({ ...genuine, body })).toMatchObject({ status: 401, code: 'invalid_payload_hash' });
  });

  it('comes to a connection without the secret, which says what is missing', () => {
    expect(refused(signed(status()), { apiKey: API_KEY })).toMatchObject({
      status: 401,
      code: 'signature_secret_missing',
      message: expect.stringContaining('signatureSecret'),
    });
  });

  it('has 10 MB', () => {
    const request = { ...signed(status()), body: Buffer.alloc(10_000_000, 'a') };
    expect(refused(request)).toMatchObject({ status: 400, code: 'body_too_large' });
  });

  it.each([[[]], [{}], [{ message_uuid: 7 }], [{ message_uuid: 'a'.repeat(200) }]])(
    'is genuine, but about no message: %.30j',
    (fields) => {
      expect(refused(signed(fields))).toMatchObject({ status: 400, code: 'not_a_message' });
    },
  );

  it('is genuine, but no JSON', () => {
    const headers = { authorization: `Bearer ${tokenFor('<html>')}` };
    const request = callbackRequest('<html>', { url: STATUS_URL, headers });
    expect(refused(request)).toMatchObject({ status: 400, code: 'not_a_message' });
  });
});
