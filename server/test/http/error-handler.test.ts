import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, KEY, startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

const auth = { authorization: `Bearer ${KEY}` };

/** Sends bytes as they are; answers all that comes back. */
async function raw(text: string): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.write(text);
  let answer = '';
  for await (const part of socket) answer += String(part);
  return answer;
}

test('every problem has the fields of RFC 9457, a code and the id of the request', async () => {
  const { status, headers, body } = await server.api('/nowhere');
  expect(status).toBe(404);
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(body).toEqual({
    type: 'urn:batchsender:error:route_not_found',
    title: 'There is nothing at this address',
    status: 404,
    code: 'route_not_found',
    detail: expect.any(String),
    requestId: expect.stringMatching(/^[\w-]+-\w+$/),
  });
});

test('answers are kept by no cache and keep their type', async () => {
  const { headers } = await server.api('/v1/batches');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
});

describe('routes', () => {
  test.each(['/nowhere', '/v1', '/v1/batches/x/y/z', '/docs/nowhere', '/docs/static/nowhere.js'])(
    '%s is not found, also without a key',
    async (path) => {
      const response = await fetch(server.url + path);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: 'route_not_found' });
    },
  );

  test.each([
    ['DELETE', '/v1/batches', 'GET, HEAD, POST'],
    ['GET', '/v1/batches/x/seal', 'POST'],
    ['PUT', '/v1/jobs/x.0', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
  ])('%s %s is answered by 405 and what is allowed', async (method, path, allow) => {
    const response = await fetch(server.url + path, { method, headers: auth });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
    expect(await response.json()).toMatchObject({ code: 'method_not_allowed' });
  });

  test.each(['/v1/batches/%zz', `/v1/batches/${'x'.repeat(2_000)}`])('%.30s is a problem', async (path) => {
    const answer = await raw(
      `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${auth.authorization}\r\nconnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(answer).toContain('application/problem+json');
  });

  test('bytes that are no HTTP get a problem', async () => {
    expect(await raw('HELO example.com\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*"code":"malformed_request"/s);
  });

  test('headers without end get a problem', async () => {
    const answer = await raw(`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*headers are too long/s);
  });
});

describe('bodies', () => {
  test('malformed JSON is named by line and column', async () => {
    const { status, body } = await server.api('/v1/batches', '{\n  "type": "note",\n  "jobs": [}\n}');
    expect([status, body.code, body.detail]).toEqual([
      400,
      'malformed_json',
      'The body is not valid JSON at line 3, column 12.',
    ]);
  });

  test.each([
    '{"type":"note","__proto__":{"sealed":true}}',
    '{"type":"note","defaults":{"constructor":{"prototype":{}}}}',
  ])('%s is refused', async (text) => {
    const { status, body } = await server.api('/v1/batches', text);
    expect([status, body.code]).toEqual([400, 'forbidden_key']);
  });

  test('a content type that is not accepted is named with the one that is', async () => {
    const { status, body } = await server.api('/v1/batches', 'type=note', { 'content-type': 'text/plain' });
    expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
    expect(body.detail).toContain('application/json');
  });

  test('a missing body is asked for', async () => {
    const { status, body } = await server.api('/v1/batches', null);
    expect([status, body.code]).toEqual([422, 'invalid_request']);
    expect(body.detail).toContain('JSON body');
  });

  test('a body over 16 MiB is refused, and pointed to the upload', async () => {
    const text = `{"type":"note","name":"${'x'.repeat(16 * 1024 * 1024)}"}`;
    const { status, body } = await server.api('/v1/batches', text);
    expect([status, body.code]).toEqual([413, 'body_too_large']);
    expect(body.detail).toContain('NDJSON');
  });

  test('a body of 15 MB is taken', async () => {
    const jobs = Array.from({ length: 1_000 }, (_, n) => ({ to: `p${n}`, text: 'x'.repeat(15_000) }));
    const { status } = await server.api('/v1/batches', { type: 'note', jobs, sealed: false });
    expect(status).toBe(201);
  });
});

test('a JSON body that is cut off is no error of the server', async () => {
  const { port } = new URL(server.url);
  const socket = connect(Number(port), '127.0.0.1');
  const head = `host: x\r\nauthorization: ${auth.authorization}\r\ncontent-type: application/json`;
  socket.write(`POST /v1/jobs HTTP/1.1\r\n${head}\r\ncontent-length: 1000\r\n\r\n{"type"`);
  await sleep(200);
  socket.destroy();
  await eventually(async () => /"route":"\/v1\/jobs","msg":"request cut off"/.test(server.log()));
  expect(server.log()).not.toContain('"level":50');
});

describe('curl gets the answer while it is sending hundreds of megabytes', () => {
  const run = promisify(execFile);
  const command = (path: string, type: string): string =>
    `head -c 800000000 /dev/zero | curl -sS -m 30 -X POST -H 'authorization: ${auth.authorization}' ` +
    `-H 'content-type: ${type}' -T - ${server.url}${path}`;

  test.each([
    ['/v1/batches', 'application/json', 'body_too_large'],
    ['/v1/batches', 'text/csv', 'unsupported_media_type'],
    ['/v1/nowhere', 'application/json', 'route_not_found'],
    ['/v1/batches/banana/jobs', 'application/x-ndjson', 'batch_not_found'],
  ])('POST %s as %s: %s', async (path, type, code) => {
    const { stdout } = await run('sh', ['-c', command(path, type)]);
    expect(JSON.parse(stdout)).toMatchObject({ code });
  });

  test('also if the key is wrong', async () => {
    const { stdout } = await run('sh', [
      '-c',
      command('/v1/batches', 'application/json').replace(KEY, 'bs_wrong'),
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'unauthorized' });
  });
});
