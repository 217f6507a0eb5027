import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiKey } from '../../src/http/auth.ts';
import { client, KEY, startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

const get = (path: string, authorization?: string): Promise<Response> =>
  fetch(server.url + path, { headers: authorization === undefined ? {} : { authorization } });

describe('the API', () => {
  test('without a key is refused, and says how to send one', async () => {
    const response = await get('/v1/batches');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="batchsender"');
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await response.json()).toMatchObject({ code: 'unauthorized', status: 401 });
  });

  test.each([
    'Bearer bs_wrong',
    `Bearer ${KEY}x`,
    `Bearer ${KEY.slice(0, -1)}`,
    `Basic ${Buffer.from(`x:${KEY}`).toString('base64')}`,
    KEY,
    'Bearer',
    'Bearer ',
  ])('with %s is refused', async (authorization) => {
    const response = await get('/v1/modules', authorization);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  test('takes the key, and the scheme in any case', async () => {
    expect((await get('/v1/modules', `Bearer ${KEY}`)).status).toBe(200);
    expect((await get('/v1/modules', `bearer ${KEY}`)).status).toBe(200);
  });

  test('refuses a POST before it looks at the body', async () => {
    const { status } = await client(server.url, 'bs_wrong')('/v1/batches', '{"broken');
    expect(status).toBe(401);
  });
});

test.each([
  '/',
  '/healthz',
  '/readyz',
  '/docs',
  '/docs/json',
  '/openapi.json',
  '/docs/static/swagger-ui.css',
])('%s needs no key', async (path) => {
  expect((await get(path)).status).toBe(200);
});

describe('the key', () => {
  test('is made once, and only its hash is stored', async () => {
    const first = await apiKey(undefined, server.engine.settings);
    const second = await apiKey(undefined, server.engine.settings);
    expect(first.made).toMatch(/^bs_[\w-]{32}$/);
    expect(second.made).toBeUndefined();
    expect(second.hash).toEqual(first.hash);
    const stored = JSON.stringify(await server.engine.settings.get('api_key_hash'));
    expect(stored).toMatch(/^"[0-9a-f]{64}"$/);
  });

  test('that is given counts alone, and is not stored', async () => {
    const before = await server.engine.settings.get('api_key_hash');
    const given = await apiKey('bs_given', server.engine.settings);
    expect(given.made).toBeUndefined();
    expect(given.hash).not.toEqual(Buffer.from(String(before), 'hex'));
    expect(await server.engine.settings.get('api_key_hash')).toEqual(before);
  });
});
