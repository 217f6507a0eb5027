import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { http } from '../src/http-provider.ts';
import { type Answer, ok, type Receiver, receiver } from './helpers/receiver.ts';
import { openSender, type Sender } from './helpers/session.ts';

let hook: Receiver;
let sender: Sender;
let answer: Answer = ok;

beforeAll(async () => {
  hook = await receiver((request, response) => answer(request, response));
  sender = await openSender();
});
beforeEach(() => {
  answer = ok;
  hook.received.length = 0;
});
afterAll(() => Promise.all([sender.close(), hook.close()]));

const withStatus = (status: number, headers: Record<string, string> = {}): Answer => {
  return (_request, response) => void response.writeHead(status, headers).end('body');
};

describe('a webhook call', () => {
  it('posts JSON and reports status and duration, but no body', async () => {
    const result = await sender.send({
      url: `${hook.url}/a/b?x=1#fragment`,
      body: { name: 'Ünï', list: [1, null] },
    });
    expect(result).toEqual({
      status: 'succeeded',
      data: { httpStatus: 200, durationMs: expect.any(Number) },
    });
    expect(hook.received).toEqual([
      {
        method: 'POST',
        path: '/a/b?x=1',
        body: '{"name":"Ünï","list":[1,null]}',
        headers: expect.objectContaining({
          'content-type': 'application/json',
          'user-agent': expect.stringMatching(/^BatchSender-Webhook\/\d/),
          'webhook-id': '0195f3c8-7b1a-7000-8000-000000000000.7',
        }),
      },
    ]);
  });

  it.each([
    ['GET', undefined, ''],
    ['put', { a: 1 }, '{"a":1}'],
    ['PATCH', [1], '[1]'],
    ['DELETE', undefined, ''],
    ['DELETE', { a: 1 }, '{"a":1}'],
    ['OPTIONS', undefined, ''],
    ['POST', undefined, ''],
    ['POST', null, 'null'],
    ['POST', 0, '0'],
    ['POST', '', ''],
    ['POST', 'plain text', 'plain text'],
    ['PURGE', undefined, ''],
  ])('sends %s with body %j', async (method, body, expected) => {
    const payload = body === undefined ? { url: hook.url, method } : { url: hook.url, method, body };
    expect(await sender.send(payload)).toMatchObject({ status: 'succeeded' });
    expect(hook.received[0]).toMatchObject({ method: method.toUpperCase(), body: expected });
  });

  it('sends HEAD', async () => {
    expect(await sender.send({ url: hook.url, method: 'HEAD' })).toMatchObject({ status: 'succeeded' });
    expect(hook.received[0]?.method).toBe('HEAD');
  });

  it('sends a string as text, and leaves a content type that is given', async () => {
    await sender.send({ url: hook.url, body: 'hi' });
    await sender.send({
      url: hook.url,
      body: '<a/>',
      headers: { 'Content-Type': 'application/xml', 'X-Own': 'yes' },
    });
    await sender.send({ url: hook.url });
    expect(hook.received.map(({ headers }) => headers['content-type'])).toEqual([
      'text/plain; charset=utf-8',
      'application/xml',
      undefined,
    ]);
    expect(hook.received[1]?.headers['x-own']).toBe('yes');
  });

  it('proves who sends it', async () => {
    const basic = { type: 'basic', username: 'ada', password: 'pä:ss' } as const;
    await sender.send({ url: hook.url, auth: { type: 'bearer', token: 't0ken' } });
    await sender.send({ url: hook.url, auth: basic });
    await sender.send({ url: hook.url, auth: { type: 'apiKey', name: 'X-Key', value: 'k1' } });
    await sender.send({
      url: `${hook.url}/p?a=%20b`,
      auth: { type: 'apiKey', name: 'api key', value: 'k&2', in: 'query' },
    });
    expect(hook.received.map(({ headers }) => headers.authorization ?? headers['x-key'])).toEqual([
      'Bearer t0ken',
      `Basic ${Buffer.from('ada:pä:ss').toString('base64')}`,
      'k1',
      undefined,
    ]);
    expect(hook.received[3]?.path).toBe('/p?a=%20b&api%20key=k%262');
  });

  it.each([
    [200, 'succeeded'],
    [204, 'succeeded'],
    [301, 'failed'],
    [302, 'failed'],
    [304, 'failed'],
    [400, 'failed'],
    [401, 'failed'],
    [403, 'failed'],
    [404, 'failed'],
    [408, 'retry'],
    [410, 'failed'],
    [413, 'failed'],
    [425, 'retry'],
    [429, 'retry'],
    [500, 'retry'],
    [501, 'failed'],
    [502, 'retry'],
    [503, 'retry'],
    [504, 'retry'],
    [505, 'failed'],
  ])('takes status %i for %s', async (status, expected) => {
    answer = withStatus(status, { location: `${hook.url}/elsewhere` });
    const result = await sender.send({ url: hook.url });
    expect(result.status).toBe(expected);
    if (expected !== 'succeeded') expect(result).toMatchObject({ code: `http_${status}` });
    expect(result).not.toHaveProperty('possibleDuplicate');
    expect(hook.received).toHaveLength(1);
  });

  it.each([429, 503])('is throttled by %i with Retry-After in seconds or as a date', async (status) => {
    answer = withStatus(status, { 'retry-after': '30' });
    expect(await sender.send({ url: hook.url })).toEqual({
      status: 'throttled',
      scope: 'endpoint',
      afterMs: 30_000,
      code: `http_${status}`,
    });
    answer = withStatus(status, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() });
    const dated = await sender.send({ url: hook.url });
    expect(dated).toMatchObject({ status: 'throttled' });
    expect((dated as { afterMs: number }).afterMs).toBeGreaterThan(50_000);
    expect((dated as { afterMs: number }).afterMs).toBeLessThanOrEqual(60_000);
  });

  it('succeeds only for the listed statuses', async () => {
    const payload = { url: hook.url, successStatuses: [200, 409] };
    answer = withStatus(409);
    expect(await sender.send(payload)).toMatchObject({ status: 'succeeded', data: { httpStatus: 409 } });
    answer = withStatus(202);
    expect(await sender.send(payload)).toMatchObject({ status: 'failed', code: 'http_202' });
  });

  it('succeeds only if the body says so, where that is asked', async () => {
    answer = (_request, response) => void response.end('{"status":"ok","error":null}');
    const check = (successBody: object) => sender.send({ url: hook.url, successBody });
    expect(await check({ jsonPointer: '/status', equals: 'ok' })).toMatchObject({ status: 'succeeded' });
    expect(await check({ contains: '"status":"ok"' })).toMatchObject({ status: 'succeeded' });
    expect(await check({ jsonPointer: '/status', equals: 'no' })).toMatchObject({
      status: 'failed',
      code: 'body_check_failed',
      data: { httpStatus: 200 },
    });
    answer = withStatus(500);
    expect(await check({ contains: 'body' })).toMatchObject({ status: 'retry', code: 'http_500' });
  });

  it('uses connections again', async () => {
    const before = hook.sockets;
    for (let i = 0; i < 20; i++) await sender.send({ url: hook.url, body: { i } });
    expect(hook.sockets - before).toBeLessThanOrEqual(2);
  });

  it('makes many calls at once without mixing them up', async () => {
    answer = ({ body }, response) => void response.writeHead(Number(body) % 2 === 0 ? 200 : 404).end(body);
    const results = await Promise.all(
      Array.from({ length: 300 }, (_, i) => sender.send({ url: hook.url, body: i, timeoutMs: 30_000 })),
    );
    expect(results.map(({ status }) => status)).toEqual(
      results.map((_, i) => (i % 2 === 0 ? 'succeeded' : 'failed')),
    );
  });

  it('fails a job whose rendered URL or header cannot be sent', async () => {
    expect(await sender.send({ url: 'not a url' })).toMatchObject({ status: 'failed', code: 'invalid_url' });
    expect(await sender.send({ url: 'https://user:pw@example.com/' })).toMatchObject({ code: 'invalid_url' });
    const broken = await sender.send({ url: hook.url, headers: { 'x-a': 'one\r\nx-b: two' } });
    expect(broken).toMatchObject({ status: 'failed', code: 'invalid_request' });
    expect(await sender.send({ url: hook.url, headers: { 'x-a': 'č' } })).toMatchObject({
      code: 'invalid_request',
    });
    expect(hook.received).toEqual([]);
  });
});

describe('the provider', () => {
  it('breaks circuits by origin and takes the time limit from the payload', () => {
    const endpointKey = http.endpointKey as (payload: object) => string;
    expect(endpointKey({ url: 'https://Example.com:443/a?b' })).toBe('https://example.com');
    expect(endpointKey({ url: 'nonsense' })).toBe('invalid');
    const timeoutMs = http.timeoutMs as (payload: object) => number;
    expect([timeoutMs({ url: 'x' }), timeoutMs({ url: 'x', timeoutMs: 5 })]).toEqual([10_000, 5]);
  });

  it('refuses an allow list that is broken, naming the entry', async () => {
    await expect(openSender({}, ['10.0.0.0/99'])).rejects.toThrow("'10.0.0.0/99'");
  });
});
