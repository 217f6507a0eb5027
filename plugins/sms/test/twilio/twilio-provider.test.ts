import { fakeCall, fakeJob } from '@batchsender/core/testing';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { TwilioCredentials } from '../../src/twilio/credentials.ts';
import { twilio } from '../../src/twilio/twilio-provider.ts';
import { type Answer, cut, garbage, json, silence } from '../helpers/http-server.ts';
import { JOB_ID, openSender, SMS } from '../helpers/session.ts';
import {
  ACCOUNT_SID,
  AUTH_TOKEN,
  formOf,
  refusal,
  SERVICE_SID,
  twilioServer,
} from '../helpers/twilio-server.ts';

const server = await twilioServer();
const credentials = { accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN, baseUrl: server.url };

afterEach(() => {
  server.mood = undefined;
});
afterAll(() => server.close());

async function sendWith(
  overrides: Partial<TwilioCredentials> = {},
  payload: Parameters<Awaited<ReturnType<typeof openSender>>['send']>[0] = {},
) {
  const sender = await openSender(twilio, { ...credentials, ...overrides });
  try {
    return await sender.send(payload);
  } finally {
    await sender.close();
  }
}

const opened = () => openSender(twilio, credentials);
const lastForm = () => formOf(server.seen.at(-1) ?? { body: '' });

describe('a message', () => {
  it('is made by one request in the form of the Messages resource', async () => {
    const before = server.seen.length;
    const result = await sendWith();
    expect(result).toEqual({
      status: 'succeeded',
      ref: server.taken.at(-1)?.sid,
      data: { encoding: 'GSM-7', segments: 1 },
    });
    expect(server.seen).toHaveLength(before + 1);
    expect(server.seen.at(-1)).toMatchObject({
      method: 'POST',
      path: `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(lastForm()).toEqual({
      To: '+4915123456789',
      From: '+12025550188',
      Body: 'Your code is 1234',
      StatusCallback: `https://batchsender.example/v1/callbacks/test?job=${JOB_ID}`,
    });
  });

  it('goes to the number in E.164, with all its characters', async () => {
    const body = 'Grüße & Küsse + 100% „你好” 👍\nBye';
    await sendWith({}, { to: '0151 234-56789', country: 'DE', body });
    expect(lastForm()).toMatchObject({ To: '+4915123456789', Body: body });
  });

  it('is smart-encoded if the payload says so, and counted as it is sent', async () => {
    const result = await sendWith({}, { body: 'It’s “here”', smartEncoding: true });
    expect(lastForm()['Body']).toBe('It\'s "here"');
    expect(result).toMatchObject({ data: { encoding: 'GSM-7', segments: 1 } });
    expect(await sendWith({}, { body: 'It’s “here”' })).toMatchObject({ data: { encoding: 'UCS-2' } });
  });

  it.each<[string, Partial<TwilioCredentials>, string | undefined, object]>([
    ["the payload's number", { from: '+12025550199' }, '+12025550188', { From: '+12025550188' }],
    ["the payload's name", {}, 'Example', { From: 'Example' }],
    ["the payload's service", { from: 'Shop' }, SERVICE_SID, { MessagingServiceSid: SERVICE_SID }],
    [
      "the connection's service",
      { messagingServiceSid: SERVICE_SID },
      undefined,
      { MessagingServiceSid: SERVICE_SID },
    ],
    ["the connection's number", { from: '+12025550199' }, undefined, { From: '+12025550199' }],
  ])('is from %s', async (_name, overrides, from, form) => {
    const sender = await openSender(twilio, { ...credentials, ...overrides });
    const { from: _from, ...rest } = SMS;
    await sender.session.process(fakeJob(from === undefined ? rest : { ...rest, from }), fakeCall());
    await sender.close();
    expect(lastForm()).toMatchObject(form);
    expect(Object.keys(lastForm()).filter((name) => /From|Service/.test(name))).toHaveLength(1);
  });

  it('asks for no receipts where the host has no public URL', async () => {
    const sender = await openSender(twilio, credentials, { callbackUrl: () => undefined });
    await sender.send();
    await sender.close();
    expect(lastForm()).not.toHaveProperty('StatusCallback');
  });

  it('can be sent with an API key', async () => {
    const apiKey = `SK${'a'.repeat(32)}`;
    const keyed = await twilioServer(`${apiKey}:key-secret-1`);
    const result = await sendWith({ apiKey, apiKeySecret: 'key-secret-1', baseUrl: keyed.url });
    await keyed.close();
    expect(result).toMatchObject({ status: 'succeeded' });
    expect(keyed.seen[0]?.path).toContain(ACCOUNT_SID);
  });
});

describe('an error of Twilio', () => {
  it.each<[status: number, code: number, result: object]>([
    [
      400,
      21211,
      { status: 'failed', code: 'invalid_recipient', data: { httpStatus: 400, twilioCode: 21211 } },
    ],
    [400, 21217, { status: 'failed', code: 'invalid_recipient' }],
    [400, 21408, { status: 'failed', code: 'region_not_permitted' }],
    [400, 21608, { status: 'failed', code: 'recipient_not_verified' }],
    [400, 21610, { status: 'failed', code: 'opted_out' }],
    [400, 21612, { status: 'failed', code: 'not_routable' }],
    [400, 21614, { status: 'failed', code: 'not_a_mobile_number' }],
    [400, 21617, { status: 'failed', code: 'body_too_long' }],
    [400, 21635, { status: 'failed', code: 'landline_number' }],
    [400, 21606, { status: 'failed', code: 'invalid_sender' }],
    [400, 21660, { status: 'failed', code: 'invalid_sender' }],
    [404, 21701, { status: 'failed', code: 'invalid_messaging_service' }],
    [400, 29999, { status: 'failed', code: 'twilio_29999' }],
    [401, 20003, { status: 'blocked', code: 'auth_failed' }],
    [401, 20999, { status: 'blocked', code: 'auth_failed' }],
    [403, 20005, { status: 'blocked', code: 'account_inactive' }],
    [400, 90010, { status: 'blocked', code: 'account_inactive' }],
    [403, 20403, { status: 'blocked', code: 'forbidden' }],
    [404, 20404, { status: 'blocked', code: 'account_not_found' }],
    [400, 21609, { status: 'blocked', code: 'invalid_callback_url' }],
    [429, 20429, { status: 'throttled', afterMs: 1_000, scope: 'connection', code: 'too_many_requests' }],
    [400, 21611, { status: 'throttled', afterMs: 60_000, code: 'queue_full' }],
    [429, 63017, { status: 'throttled', afterMs: 1_000 }],
    [429, 63038, { status: 'throttled', afterMs: 3_600_000, code: 'daily_limit' }],
    [400, 14107, { status: 'retry', afterMs: 30_000, code: 'too_many_to_number' }],
    [503, 20503, { status: 'retry', code: 'service_unavailable' }],
    [500, 20500, { status: 'unknown', code: 'http_500' }],
    [502, 0, { status: 'unknown', code: 'http_502' }],
    [503, 0, { status: 'unknown', code: 'http_503' }],
    [301, 0, { status: 'blocked', code: 'redirected' }],
  ])('%i with the code %i', async (status, code, result) => {
    server.mood = refusal(status, code);
    const before = server.seen.length;
    expect(await sendWith()).toMatchObject(result);
    expect(server.seen).toHaveLength(before + 1);
  });

  it('waits as long as Twilio says', async () => {
    server.mood = refusal(429, 20429, 'Too many', { 'retry-after': '7' });
    expect(await sendWith()).toMatchObject({ status: 'throttled', afterMs: 7_000 });
    server.mood = refusal(429, 20429, 'Too many', { 'retry-after': '0' });
    expect(await sendWith()).toMatchObject({ status: 'throttled', afterMs: 1_000 });
  });

  it("blocks the connection if the sender is the connection's own", async () => {
    server.mood = refusal(400, 21606);
    const sender = await openSender(twilio, { ...credentials, from: '+12025550199' });
    const { from: _from, ...rest } = SMS;
    expect(await sender.session.process(fakeJob(rest), fakeCall())).toMatchObject({
      status: 'blocked',
      code: 'invalid_sender',
    });
    await sender.close();
  });

  it('suppresses the number of one who has replied STOP, and no other', async () => {
    const sender = await opened();
    server.mood = refusal(400, 21614);
    await sender.send();
    expect(sender.context.reported).toEqual([]);
    server.mood = refusal(400, 21610);
    await sender.send();
    await sender.close();
    expect(sender.context.reported).toEqual([
      { events: [], suppress: [{ recipient: '+4915123456789', reason: 'unsubscribed' }] },
    ]);
  });

  it('never brings the words of Twilio, which quote the number', async () => {
    server.mood = refusal(400, 21211);
    expect(JSON.stringify(await sendWith())).not.toMatch(/4915123456789|1234/);
  });

  it('is understood without a body', async () => {
    server.mood = (_seen, response) => void response.writeHead(404).end();
    expect(await sendWith()).toMatchObject({ status: 'blocked', code: 'account_not_found' });
    server.mood = (_seen, response) => void response.writeHead(400).end('<html>');
    expect(await sendWith()).toMatchObject({ status: 'failed', code: 'http_400' });
  });
});

describe('a call without an answer', () => {
  it('is unknown if the connection is cut after the request, and is made once', async () => {
    server.mood = cut;
    const before = server.seen.length;
    expect(await sendWith()).toMatchObject({ status: 'unknown', code: 'connection_reset' });
    expect(server.seen).toHaveLength(before + 1);
  });

  it('is unknown if the answer is cut half-way', async () => {
    server.mood = (_seen, response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'content-length': '500' });
      response.write('{"sid":"SM');
      setImmediate(() => response.socket?.destroy());
    };
    expect(await sendWith()).toMatchObject({ status: 'unknown', code: 'connection_reset' });
  });

  it.each<[string, Answer]>([
    ['HTML', garbage],
    ['JSON that is no object', (_seen, response) => void response.writeHead(201).end('"SM1"')],
    ['null', (_seen, response) => void response.writeHead(201).end('null')],
    ['nothing', (_seen, response) => void response.writeHead(201).end()],
    ['an object without a SID', (_seen, response) => json(response, 201, { status: 'queued' })],
    ['a SID that is none', (_seen, response) => json(response, 201, { sid: '+4915123456789' })],
  ])('is unknown if the answer of success is %s', async (_name, mood) => {
    server.mood = mood;
    const result = await sendWith();
    expect(result).toMatchObject({ status: 'unknown', code: 'invalid_response' });
    expect(JSON.stringify(result)).not.toMatch(/4915123456789|html/);
  });

  it('is unknown if the answer never ends', async () => {
    server.mood = (_seen, response) => {
      response.writeHead(201);
      const part = 'x'.repeat(100_000);
      const more = () => {
        while (!response.destroyed && response.write(part));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    expect(await sendWith()).toMatchObject({ status: 'unknown', code: 'response_too_large' });
  });

  it('is unknown after its deadline', async () => {
    server.mood = silence;
    const sender = await opened();
    const result = await sender.send({}, { signal: AbortSignal.timeout(200) });
    await sender.close();
    expect(result).toMatchObject({ status: 'unknown', code: 'timeout' });
  });

  it('is tried again if nobody listens', async () => {
    const closed = await twilioServer();
    await closed.close();
    expect(await sendWith({ baseUrl: closed.url })).toMatchObject({
      status: 'retry',
      code: 'connection_refused',
    });
  });

  it('blocks the connection if its address is not public', async () => {
    const before = server.seen.length;
    const sender = await openSender(twilio, credentials, { network: { allow: [] } });
    expect(await sender.send()).toMatchObject({ status: 'blocked', code: 'address_not_allowed' });
    await sender.close();
    expect(server.seen).toHaveLength(before);
  });
});

describe('settings', () => {
  it.each<[string, Partial<TwilioCredentials>, RegExp]>([
    ['no way to log in', { authToken: undefined as never }, /authToken, or apiKey/],
    ['half of an API key', { apiKey: `SK${'a'.repeat(32)}` }, /half of an API key/],
    ['two senders', { from: 'Shop', messagingServiceSid: SERVICE_SID }, /two senders/],
    ['a sender that is none', { from: '+1' }, /from is no number/],
  ])('with %s block the connection, and say why', async (_name, overrides, message) => {
    const before = server.seen.length;
    const blocked = { code: 'invalid_settings', message: expect.stringMatching(message) };
    expect(await sendWith(overrides)).toMatchObject({ status: 'blocked', ...blocked });
    const sender = await openSender(twilio, { ...credentials, ...overrides });
    expect(await sender.session.health?.(new AbortController().signal)).toMatchObject(blocked);
    expect(server.seen).toHaveLength(before);
  });

  it('without a sender block the connection when a job names none', async () => {
    const { from: _from, ...rest } = SMS;
    const sender = await opened();
    expect(await sender.session.process(fakeJob(rest), fakeCall())).toMatchObject({
      status: 'blocked',
      code: 'sender_missing',
    });
    await sender.close();
  });

  it('set the pace and the number of calls at once', () => {
    const { rates, concurrency } = twilio;
    if (typeof rates !== 'function' || typeof concurrency !== 'function')
      throw new Error('they are functions');
    expect(rates({ ...credentials, messagesPerSecond: 3 })).toEqual([
      { per: 'job', max: 3, windowMs: 1_000 },
    ]);
    expect(rates(credentials)).toEqual([]);
    expect([concurrency(credentials), concurrency({ ...credentials, concurrency: 5 })]).toEqual([20, 5]);
  });
});

describe('health', () => {
  const healthOf = async (overrides: Partial<TwilioCredentials> = {}) => {
    const sender = await openSender(twilio, { ...credentials, ...overrides });
    const health = await sender.session.health?.(new AbortController().signal);
    await sender.close();
    return health;
  };

  it('is well with the right credentials, and sends nothing', async () => {
    const before = server.taken.length;
    expect(await healthOf()).toBeUndefined();
    expect(server.seen.at(-1)).toMatchObject({ method: 'GET', path: expect.stringContaining('PageSize=1') });
    expect(server.taken).toHaveLength(before);
  });

  it('says what is wrong', async () => {
    expect(await healthOf({ authToken: 'wrong-token' })).toMatchObject({ code: 'auth_failed' });
    expect(await healthOf({ accountSid: `AC${'f'.repeat(32)}` })).toMatchObject({ code: 'auth_failed' });
    server.mood = refusal(503, 20503);
    expect(await healthOf()).toMatchObject({ code: 'service_unavailable' });
    server.mood = refusal(429, 20429);
    expect(await healthOf()).toMatchObject({ code: 'too_many_requests' });
  });

  it('takes test credentials, which may send and nothing else', async () => {
    server.mood = refusal(403, 20008);
    expect(await healthOf()).toBeUndefined();
  });
});
