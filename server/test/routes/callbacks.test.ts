import { request as httpRequest } from 'node:http';
import type { CallbackRequest } from '@batchsender/core/plugin';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Answer, eventually, startApp, type TestApp } from '../helpers/app.ts';
import { type LetterCallback, letterPlugin, SIGNING_SECRET, signatureOf } from '../helpers/letter-plugin.ts';
import { notePlugin } from '../helpers/note-plugin.ts';

const PUBLIC_URL = 'https://send.example/batch';
const PATH = '/v1/callbacks/letter/postman/letter.postman';

const requests: CallbackRequest[] = [];
/** Errors of the engine. */
const logged: object[] = [];
const nothing = (): void => undefined;
let server: TestApp;
beforeAll(async () => {
  server = await startApp({
    plugins: [letterPlugin(requests), notePlugin()],
    credentials: (type) => (type === 'letter' ? { signingSecret: SIGNING_SECRET } : undefined),
    publicUrl: PUBLIC_URL,
    logger: { debug: nothing, info: nothing, warn: nothing, error: (fields) => void logged.push(fields) },
  });
});
afterAll(() => server.stop());
beforeEach(() => {
  requests.length = 0;
});

/** A callback as the provider sends it: signed over the public address, without an API key. */
async function call(
  body: string | undefined,
  options: { path?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { path = PATH, headers = {} } = options;
  const response = await fetch(server.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body === undefined ? {} : { body }),
    headers: { 'x-signature': signatureOf(PUBLIC_URL + path, body ?? ''), ...headers },
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

const report = (content: LetterCallback) => call(JSON.stringify(content));

async function sent(payload: object): Promise<string> {
  const { body } = await server.api('/v1/jobs', { type: 'letter', payload });
  await server.untilState(body.batchId, 'completed');
  return body.id;
}

const auditOf = async (action: string): Promise<Answer['body']> =>
  (await server.api(`/v1/audit-log?action=${action}`)).body.items;

test('a genuine callback is recorded before it is answered', async () => {
  const id = await sent({ to: 'Ada' });
  const answer = await report({ events: [{ jobId: id, kind: 'delivered', eventId: 'a-1' }] });
  expect([answer.status, answer.body]).toEqual([204, '']);
  const { body: job } = await server.api(`/v1/jobs/${id}`);
  expect(job).toMatchObject({ state: 'succeeded', delivery: 'delivered' });
  expect(job.events.at(-1)).toMatchObject({ kind: 'delivered', attempt: 1 });
  const { body: page } = await server.api(`/v1/batches/${job.batchId}/jobs`);
  expect(page.items[0].delivery).toBe('delivered');
});

test('a replay is answered like the first one, and recorded once', async () => {
  const id = await sent({ to: 'Ada' });
  const content = { events: [{ jobId: id, kind: 'delivered', eventId: 'r-1' }] };
  for (let n = 0; n < 3; n++) expect((await report(content)).status).toBe(204);
  const { body: job } = await server.api(`/v1/jobs/${id}`);
  expect(job.events.filter(({ kind }: { kind: string }) => kind === 'delivered')).toHaveLength(1);
});

test('a receipt settles a job whose outcome is unknown', async () => {
  const id = await sent({ to: 'Ada', isLost: true });
  const { body: before } = await server.api(`/v1/jobs/${id}`);
  expect(before.state).toBe('unknown');
  await report({ events: [{ jobId: id, kind: 'opened', eventId: 'u-1' }] });
  const { body: batch } = await server.api(`/v1/batches/${before.batchId}`);
  expect(batch.counts).toMatchObject({ succeeded: 1, unknown: 0 });
});

test.each([
  ['a missing signature', { 'x-signature': undefined }, 'The header x-signature is missing'],
  ['a wrong signature', { 'x-signature': 'v1,x' }, 'The signature is wrong'],
])('%s is a 401 and an audit entry', async (_name, headers, detail) => {
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  const response = await fetch(server.url + PATH, {
    method: 'POST',
    body: '{}',
    headers: given as Record<string, string>,
  });
  expect(response.status).toBe(401);
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(await response.json()).toMatchObject({ code: 'callback_refused', detail });
  const code = detail.includes('missing') ? 'missing_signature' : 'invalid_signature';
  const entries = await eventually(async () => {
    const items = await auditOf('callback.refused');
    return items.some((item: { data: { code: string } }) => item.data.code === code) && items;
  });
  expect(entries).toContainEqual(
    expect.objectContaining({
      actor: 'provider',
      target: 'letter.postman',
      count: 1,
      data: { code, message: detail },
    }),
  );
});

test('the body and all headers come as they were sent, whatever their type', async () => {
  for (const contentType of [
    'application/json',
    'text/plain; charset=latin1',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'nonsense',
  ]) {
    const answer = await call('{}', {
      headers: { 'content-type': contentType },
    });
    expect([contentType, answer.status]).toEqual([contentType, 204]);
  }
  expect(requests).toHaveLength(5);
  const [status, text] = await rawPost(
    PATH,
    ['x-signature', signatureOf(PUBLIC_URL + PATH, '{}'), 'x-twice', 'one', 'X-Twice', 'two'],
    '{}',
  );
  expect([status, text]).toEqual([204, '']);
  expect(requests.at(-1)?.headers['x-twice']).toBe('one, two');
  expect(Buffer.from(requests.at(-1)?.body ?? []).toString()).toBe('{}');
});

test('a GET has its query, and the public address', async () => {
  const path = `${PATH}?job=a.0&status=sent%20to`;
  const answer = await call(undefined, { path });
  expect([answer.status, answer.body]).toEqual([200, 'hello']);
  expect(requests[0]?.url.href).toBe(PUBLIC_URL + path);
  expect(requests[0]?.method).toBe('GET');
});

test('a fault of the handler is a 500, and nothing of the body is logged', async () => {
  const answer = await report({ fails: true });
  expect([answer.status, answer.body.code]).toEqual([500, 'internal_error']);
  expect(logged).toEqual([expect.objectContaining({ provider: 'letter.postman', threw: 'Error' })]);
  expect(server.log() + JSON.stringify(logged)).not.toContain('ann@example.com');
});

test('a body of 10 MB is refused without being read into memory', async () => {
  const megabytes = function* (): Generator<Uint8Array> {
    for (let n = 0; n < 10; n++) yield new Uint8Array(1024 * 1024);
  };
  const chunked = await server.stream(PATH, megabytes(), {});
  expect(chunked.status).toBe(413);
  const whole = await call('x'.repeat(10 * 1024 * 1024));
  expect(whole.status).toBe(413);
  expect(whole.body).toMatchObject({ code: 'body_too_large', detail: 'A body may have 1048576 bytes here.' });
  expect(requests).toEqual([]);
});

test.each([
  '/v1/callbacks/letter/postman/letter.none',
  '/v1/callbacks/letter/other/letter.postman',
  '/v1/callbacks/note/local/note.local',
])('%s is not found', async (path) => {
  const answer = await call('{}', { path });
  expect([answer.status, answer.body.code]).toEqual([404, 'callback_not_found']);
});

test('another method is not taken', async () => {
  const response = await fetch(server.url + PATH, { method: 'PUT', body: '{}' });
  expect(response.status).toBe(405);
});

test('an address that a callback reports is not sent to any more', async () => {
  const id = await sent({ to: 'ann' });
  await report({
    events: [{ jobId: id, kind: 'complained', eventId: 's-1' }],
    suppress: [{ recipient: 'ann', reason: 'complained' }],
  });
  const { body } = await server.api('/v1/jobs', { type: 'letter', payload: { to: 'ann' } });
  expect(body.suppressed).toBe(true);
  await server.untilState(body.batchId, 'completed');
  const { body: job } = await server.api(`/v1/jobs/${body.id}`);
  expect(job).toMatchObject({ state: 'failed', code: 'suppressed' });
});

/** POST with header lines as they are given. */
function rawPost(
  path: string,
  headers: readonly string[],
  body: string,
): Promise<[number | undefined, string]> {
  const { promise, resolve, reject } = Promise.withResolvers<[number | undefined, string]>();
  const { hostname, port, host } = new URL(server.url);
  const lines = ['host', host, 'content-length', `${Buffer.byteLength(body)}`, ...headers];
  const request = httpRequest({ hostname, port, path, method: 'POST', headers: lines }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => resolve([response.statusCode, text]));
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}
