import { fakeCall, fakeJob } from '@batchsender/core/testing';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { SmsPayload } from '../../src/payload.ts';
import type { VonageCredentials } from '../../src/vonage/credentials.ts';
import { vonage } from '../../src/vonage/vonage-provider.ts';
import { type Answer, cut, garbage, json, silence } from '../helpers/http-server.ts';
import { JOB_ID, openSender, SMS } from '../helpers/session.ts';
import { SERVICE_SID } from '../helpers/twilio-server.ts';
import {
  API_KEY,
  API_SECRET,
  APPLICATION_ID,
  bodyOf,
  claimsOf,
  PRIVATE_KEY,
  refusal,
  unauthorized,
  vonageServer,
} from '../helpers/vonage-server.ts';

const server = await vonageServer();
const credentials: VonageCredentials = {
  apiKey: API_KEY,
  applicationId: APPLICATION_ID,
  privateKey: PRIVATE_KEY,
  baseUrl: server.url,
};

afterEach(() => {
  server.mood = undefined;
});
afterAll(() => server.close());

async function sendWith(overrides: Partial<VonageCredentials> = {}, payload: Partial<SmsPayload> = {}) {
  return (await openSender(vonage, { ...credentials, ...overrides })).send(payload);
}

/** Sends a payload that names no sender. */
async function sendNameless(overrides: Partial<VonageCredentials>) {
  const { session } = await openSender(vonage, { ...credentials, ...overrides });
  const { from: _from, ...rest } = SMS;
  return session.process(fakeJob(rest), fakeCall());
}

const lastBody = () => bodyOf(server.seen.at(-1) ?? { body: '{}' });

describe('a message', () => {
  it('is made by one request in the form of the Messages API', async () => {
    const before = server.seen.length;
    expect(await sendWith()).toEqual({
      status: 'succeeded',
      ref: server.taken.at(-1)?.id,
      data: { encoding: 'GSM-7', segments: 1 },
    });
    expect(server.seen).toHaveLength(before + 1);
    expect(server.seen.at(-1)).toMatchObject({ method: 'POST', path: '/v1/messages' });
    expect(lastBody()).toEqual({
      message_type: 'text',
      channel: 'sms',
      to: '4915123456789',
      from: '12025550188',
      text: 'Your code is 1234',
      client_ref: JOB_ID,
      webhook_url: `https://batchsender.example/v1/callbacks/test?job=${JOB_ID}`,
      webhook_version: 'v1',
    });
  });

  it('brings a token that the application has signed, the same for many calls', async () => {
    const sender = await openSender(vonage, credentials);
    await sender.send();
    await sender.send();
    const [first, second] = server.seen.slice(-2).map(({ headers }) => headers.authorization);
    expect(first).toBe(second);
    const claims = claimsOf(first);
    expect(claims).toMatchObject({ application_id: APPLICATION_ID, jti: expect.any(String) });
    expect(Number(claims?.['exp']) - Number(claims?.['iat'])).toBe(900);
  });

  it('takes a key whose line breaks were lost on the way', async () => {
    expect(await sendWith({ privateKey: PRIVATE_KEY.replaceAll('\n', '\\n') })).toMatchObject({
      status: 'succeeded',
    });
  });

  it('can be sent with key and secret of the account', async () => {
    const { applicationId: _id, privateKey: _key, ...rest } = credentials;
    const sender = await openSender(vonage, { ...rest, apiSecret: API_SECRET });
    expect(await sender.send()).toMatchObject({ status: 'succeeded' });
    expect(server.seen.at(-1)?.headers.authorization).toMatch(/^Basic /);
  });

  it("is from the payload's sender, or from the connection's", async () => {
    await sendWith({ from: 'Shop' }, { from: 'Example' });
    expect(lastBody()['from']).toBe('Example');
    await sendNameless({ from: '+12025550199' });
    expect(lastBody()['from']).toBe('12025550199');
  });

  it('is not sent if it is longer than Vonage takes', async () => {
    const before = server.seen.length;
    expect(await sendWith({}, { body: 'a'.repeat(1_001) })).toMatchObject({
      status: 'failed',
      code: 'body_too_long',
    });
    expect(server.seen).toHaveLength(before);
    expect(await sendWith({}, { body: 'a'.repeat(1_000) })).toMatchObject({ status: 'succeeded' });
  });

  it('cannot be from a messaging service', async () => {
    expect(await sendWith({}, { from: SERVICE_SID })).toMatchObject({
      status: 'failed',
      code: 'invalid_sender',
    });
  });
});

describe('an error of Vonage', () => {
  it.each<[status: number, code: number, result: object]>([
    [
      422,
      1020,
      { status: 'failed', code: 'invalid_parameters', data: { httpStatus: 422, vonageCode: 1020 } },
    ],
    [422, 1040, { status: 'failed', code: 'not_routable' }],
    [422, 1050, { status: 'failed', code: 'number_barred' }],
    [422, 1160, { status: 'failed', code: 'recipient_not_verified' }],
    [422, 1170, { status: 'failed', code: 'invalid_recipient' }],
    [422, 1240, { status: 'failed', code: 'opted_out' }],
    [422, 1420, { status: 'failed', code: 'invalid_sender' }],
    [400, 1999, { status: 'failed', code: 'vonage_1999' }],
    [422, 1060, { status: 'blocked', code: 'account_barred' }],
    [422, 1070, { status: 'blocked', code: 'low_balance' }],
    [402, 0, { status: 'blocked', code: 'low_balance' }],
    [401, 0, { status: 'blocked', code: 'auth_failed' }],
    [403, 0, { status: 'blocked', code: 'forbidden' }],
    [404, 0, { status: 'blocked', code: 'api_not_found' }],
    [302, 0, { status: 'blocked', code: 'api_not_found' }],
    [429, 1000, { status: 'throttled', afterMs: 1_000, scope: 'connection', code: 'too_many_requests' }],
    [422, 1000, { status: 'throttled', afterMs: 1_000, code: 'too_many_requests' }],
    [422, 1241, { status: 'retry', code: 'too_many_to_number' }],
    [500, 1000, { status: 'unknown', code: 'http_500' }],
    [503, 0, { status: 'unknown', code: 'http_503' }],
  ])('%i with the code %i', async (status, code, result) => {
    server.mood = refusal(status, code);
    const before = server.seen.length;
    expect(await sendWith()).toMatchObject(result);
    expect(server.seen).toHaveLength(before + 1);
  });

  it('waits as long as Vonage says', async () => {
    server.mood = refusal(429, 1000, 'Rate Limit Hit', { 'retry-after': '3' });
    expect(await sendWith()).toMatchObject({ status: 'throttled', afterMs: 3_000 });
  });

  it("blocks the connection if the sender is the connection's own", async () => {
    server.mood = refusal(422, 1120);
    expect(await sendNameless({ from: 'Shop' })).toMatchObject({ status: 'blocked', code: 'invalid_sender' });
  });

  it('suppresses the number of one who has replied STOP', async () => {
    server.mood = refusal(422, 1240);
    const sender = await openSender(vonage, credentials);
    await sender.send();
    expect(sender.context.reported).toEqual([
      { events: [], suppress: [{ recipient: '+4915123456789', reason: 'unsubscribed' }] },
    ]);
  });

  it('never brings the words of Vonage, which quote the message', async () => {
    server.mood = refusal(422, 1170);
    expect(JSON.stringify(await sendWith())).not.toMatch(/4915123456789|1234/);
  });

  it('blocks the connection if the credentials are refused', async () => {
    server.mood = unauthorized;
    expect(await sendWith()).toMatchObject({ status: 'blocked', code: 'auth_failed' });
  });
});

describe('a call without an answer', () => {
  it('is unknown if the connection is cut after the request, and is made once', async () => {
    server.mood = cut;
    const before = server.seen.length;
    expect(await sendWith()).toMatchObject({ status: 'unknown', code: 'connection_reset' });
    expect(server.seen).toHaveLength(before + 1);
  });

  it.each<[string, Answer]>([
    ['HTML', garbage],
    ['JSON that is no object', (_seen, response) => void response.writeHead(202).end('"x"')],
    ['null', (_seen, response) => void response.writeHead(202).end('null')],
    ['nothing', (_seen, response) => void response.writeHead(204).end()],
    ['an object without an id', (_seen, response) => json(response, 202, {})],
    ['an id that is none', (_seen, response) => json(response, 202, { message_uuid: '+4915123456789' })],
  ])('is unknown if the answer of success is %s', async (_name, mood) => {
    server.mood = mood;
    const result = await sendWith();
    expect(result).toMatchObject({ status: 'unknown', code: 'invalid_response' });
    expect(JSON.stringify(result)).not.toMatch(/4915123456789|html/);
  });

  it('is unknown if the answer never ends', async () => {
    server.mood = (_seen, response) => {
      response.writeHead(202);
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(100_000)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    expect(await sendWith()).toMatchObject({ status: 'unknown', code: 'response_too_large' });
  });

  it('is unknown after its deadline', async () => {
    server.mood = silence;
    const sender = await openSender(vonage, credentials);
    expect(await sender.send({}, { signal: AbortSignal.timeout(200) })).toMatchObject({
      status: 'unknown',
      code: 'timeout',
    });
  });

  it('is tried again if nobody listens', async () => {
    const closed = await vonageServer();
    await closed.close();
    expect(await sendWith({ baseUrl: closed.url })).toMatchObject({
      status: 'retry',
      code: 'connection_refused',
    });
  });

  it('blocks the connection if its address is not public', async () => {
    const sender = await openSender(vonage, credentials, { network: { allow: [] } });
    expect(await sender.send()).toMatchObject({ status: 'blocked', code: 'address_not_allowed' });
  });
});

describe('settings', () => {
  it.each<[string, VonageCredentials, RegExp]>([
    ['no way to log in', { apiKey: API_KEY }, /applicationId and privateKey, or apiSecret/],
    ['half of an application', { apiKey: API_KEY, applicationId: 'a' }, /half of an application/],
    [
      'a key that is none',
      { apiKey: API_KEY, applicationId: 'a', privateKey: 'key' },
      /no private key in PEM/,
    ],
    ['a sender that is none', { ...credentials, from: SERVICE_SID }, /from is no number or name/],
  ])('with %s block the connection, and say why', async (_name, wrong, message) => {
    const sender = await openSender(vonage, wrong);
    const blocked = { code: 'invalid_settings', message: expect.stringMatching(message) };
    expect(await sender.send()).toMatchObject({ status: 'blocked', ...blocked });
    expect(await sender.session.health?.(new AbortController().signal)).toMatchObject(blocked);
  });

  it('without a sender block the connection when a job names none', async () => {
    expect(await sendNameless({})).toMatchObject({ status: 'blocked', code: 'sender_missing' });
  });

  it('set the pace, which is that of an account by default', () => {
    const { rates, concurrency } = vonage;
    if (typeof rates !== 'function' || typeof concurrency !== 'function')
      throw new Error('they are functions');
    expect(rates(credentials)).toEqual([{ per: 'job', max: 30, windowMs: 1_000 }]);
    expect(rates({ ...credentials, messagesPerSecond: 200 })).toMatchObject([{ max: 200 }]);
    expect([concurrency(credentials), concurrency({ ...credentials, concurrency: 50 })]).toEqual([10, 50]);
  });
});

describe('health', () => {
  const healthOf = async (overrides: Partial<VonageCredentials> = {}) =>
    (await openSender(vonage, { ...credentials, ...overrides })).session.health?.(
      new AbortController().signal,
    );

  it('is well with the right credentials, and sends nothing', async () => {
    const before = server.taken.length;
    expect(await healthOf()).toBeUndefined();
    expect(server.taken).toHaveLength(before);
  });

  it('says what is wrong', async () => {
    expect(await healthOf({ applicationId: 'another' })).toMatchObject({ code: 'auth_failed' });
    server.mood = refusal(402, 0);
    expect(await healthOf()).toMatchObject({ code: 'low_balance' });
    server.mood = refusal(429, 1000);
    expect(await healthOf()).toMatchObject({ code: 'too_many_requests' });
  });
});
