import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Received, type Receiver, receiver } from './helpers/receiver.ts';
import { openSender, type Sender } from './helpers/session.ts';

let first: Receiver;
let other: Receiver;
let sender: Sender;
let status = 307;
let location: string | undefined;

beforeAll(async () => {
  first = await receiver(({ path }, response) => {
    if (path.startsWith('/final')) return void response.end('there');
    response.writeHead(status, location === undefined ? {} : { location }).end('moved');
  });
  other = await receiver();
  sender = await openSender({ signingSecret: 'a secret' }, ['127.0.0.1']);
});
beforeEach(() => {
  status = 307;
  location = '/final';
  first.received.length = 0;
  other.received.length = 0;
});
afterAll(() => Promise.all([sender.close(), first.close(), other.close()]));

const send = (more: object = {}) =>
  sender.send({ url: `${first.url}/start`, body: { a: 1 }, followRedirects: true, ...more });

describe('a redirect', () => {
  it.each([false, 0, undefined])('is not followed with followRedirects %j', async (followRedirects) => {
    const payload = { url: `${first.url}/start`, body: { a: 1 } };
    const result = await sender.send(
      followRedirects === undefined ? payload : { ...payload, followRedirects },
    );
    expect(result).toMatchObject({ status: 'failed', code: 'http_307' });
    expect(first.received).toHaveLength(1);
  });

  it.each([301, 302, 307, 308])('of status %i repeats the request as it was', async (code) => {
    status = code;
    expect(await send()).toMatchObject({ status: 'succeeded', data: { httpStatus: 200 } });
    expect(first.received.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/start', '{"a":1}'],
      ['POST', '/final', '{"a":1}'],
    ]);
    expect(first.received[1]?.headers['webhook-id']).toBe(first.received[0]?.headers['webhook-id']);
  });

  it('of status 303 is followed with GET, without the body and its type', async () => {
    status = 303;
    await send({ headers: { 'content-type': 'application/x-own' } });
    expect(first.received[1]).toMatchObject({ method: 'GET', body: '' });
    expect(first.received[1]?.headers['content-type']).toBeUndefined();
    expect(first.received[1]?.headers['webhook-signature']).not.toBe(
      first.received[0]?.headers['webhook-signature'],
    );
  });

  it('keeps credentials within the origin, and leaves them behind outside', async () => {
    const secrets = {
      headers: { 'X-Api-Key': 'k', Cookie: 'c=1', 'Content-Type': 'application/own+json' },
      auth: { type: 'bearer', token: 'tok' },
    };
    await send(secrets);
    expect(first.received[1]?.headers).toMatchObject({ authorization: 'Bearer tok', 'x-api-key': 'k' });

    location = `${other.url}/final`;
    expect(await send(secrets)).toMatchObject({ status: 'succeeded' });
    const [{ headers, body }] = other.received as [Received];
    expect(body).toBe('{"a":1}');
    expect(headers['content-type']).toBe('application/own+json');
    expect(headers['webhook-id']).toBeDefined();
    for (const name of ['authorization', 'x-api-key', 'cookie']) expect(headers).not.toHaveProperty(name);
  });

  it('is followed at most as often as allowed', async () => {
    location = '/start';
    expect(await send({ followRedirects: 2 })).toMatchObject({
      status: 'failed',
      code: 'too_many_redirects',
    });
    expect(first.received).toHaveLength(3);
    first.received.length = 0;
    expect(await send()).toMatchObject({ code: 'too_many_redirects' });
    expect(first.received).toHaveLength(6);
  });

  it.each([
    'http://127.0.0.2:1/',
    'http://10.0.0.1/',
    'http://[::1]:1/',
    'http://0x0a000001/',
    'http://169.254.169.254/latest/',
    'http://[64:ff9b::a00:1]/',
    '//192.168.1.1/',
  ])('to %s is refused for good', async (place) => {
    location = place;
    expect(await send()).toMatchObject({ status: 'failed', code: 'address_not_allowed' });
  });

  it.each([
    undefined,
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://user:pw@127.0.0.1/',
    'http://[broken',
  ])('to %j fails the job', async (place) => {
    location = place;
    expect(await send()).toMatchObject({ status: 'failed', code: 'invalid_redirect' });
  });

  it('that ends in a refused connection flags the repeat, since a request was sent before', async () => {
    location = 'http://127.0.0.1:1/';
    expect(await send()).toMatchObject({
      status: 'retry',
      code: 'connection_refused',
      possibleDuplicate: true,
    });
  });

  it('is success itself where its status is listed', async () => {
    expect(await send({ successStatuses: [307] })).toMatchObject({
      status: 'succeeded',
      data: { httpStatus: 307 },
    });
    expect(first.received).toHaveLength(1);
  });
});
