import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { fastify } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installErrorHandler } from '../../src/http/error-handler.ts';
import { idempotent } from '../../src/http/idempotency.ts';
import { eventually, KEY, startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

let made = 0;
const freshKey = (): string => `key-${++made}`;
const batch = (name: string) => ({ type: 'note', name, jobs: [{ to: 'a' }] });
const create = (key: string, body: unknown) => server.api('/v1/batches', body, { 'idempotency-key': key });
const named = async (name: string): Promise<number> =>
  (await server.api('/v1/batches?limit=1000')).body.items.filter(
    (item: { name: string }) => item.name === name,
  ).length;

describe('POST /v1/batches with an Idempotency-Key', () => {
  test('repeated, it does nothing and gets the same answer, marked', async () => {
    const key = freshKey();
    const first = await create(key, batch('once'));
    const second = await create(key, batch('once'));
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect([second.status, second.body]).toEqual([first.status, first.body]);
    expect(await named('once')).toBe(1);
  });

  test('repeated with another body, it is refused', async () => {
    const key = freshKey();
    await create(key, batch('mine'));
    const { status, body } = await create(key, batch('other'));
    expect([status, body.code]).toEqual([422, 'idempotency_key_reused']);
    expect(await named('other')).toBe(0);
  });

  test('repeated at another address with the same body, it is refused', async () => {
    const key = freshKey();
    const body = { type: 'note', payload: { to: 'a' } };
    await server.api('/v1/jobs', body, { 'idempotency-key': key });
    const other = await create(key, body);
    expect(other.body.code).toMatch(/^(idempotency_key_reused|invalid_request)$/);
  });

  test('ten at once make one batch, and all get its id', async () => {
    const key = freshKey();
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(key, batch('ten'))));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(9);
    expect(await named('ten')).toBe(1);
  });

  test('after an error answer the key is free again', async () => {
    const key = freshKey();
    expect((await create(key, { type: 'pigeon' })).status).toBe(422);
    expect((await create(key, '{"broken')).status).toBe(400);
    expect((await create(key, batch('mended'))).status).toBe(201);
  });

  test('without a key nothing is remembered', async () => {
    await server.api('/v1/batches', batch('twice'));
    await server.api('/v1/batches', batch('twice'));
    expect(await named('twice')).toBe(2);
  });

  test.each(['', 'a b', 'ü', 'x'.repeat(256)])('the key %.20j is refused', async (key) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const head = `host: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\nconnection: close\r\n`;
    socket.write(
      `POST /v1/jobs HTTP/1.1\r\n${head}idempotency-key: ${key}\r\ncontent-length: 2\r\n\r\n{}`,
      'latin1',
    );
    let answer = '';
    for await (const part of socket) answer += String(part);
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*"code":"invalid_idempotency_key"/s);
  });
});

test('a repeat does not wait for ever: it is told to come again', async () => {
  const key = freshKey();
  await server.engine.idempotency.reserve('default', key);
  const app = fastify();
  app.decorateRequest('tenantId', 'default');
  app.decorateRequest('idempotency', null);
  installErrorHandler(app, 1_000);
  app.post(
    '/',
    idempotent(server.engine.idempotency, async () => ({ status: 200, body: {} }), {
      timeoutMs: 200,
      pollMs: 20,
      keepMs: 1_000,
    }),
    () => ({}),
  );
  const answer = await app.inject({ method: 'POST', url: '/', headers: { 'idempotency-key': key } });
  expect([answer.statusCode, answer.json().code]).toEqual([409, 'idempotency_in_progress']);
  expect(answer.headers['retry-after']).toBe('5');
  await server.engine.idempotency.release('default', key);
  const free = await app.inject({ method: 'POST', url: '/', headers: { 'idempotency-key': key } });
  expect(free.statusCode).toBe(200);
});

test('a request gives signs of life for its key until it is answered', async () => {
  const key = freshKey();
  const signs: string[] = [];
  const app = fastify();
  installErrorHandler(app, 1_000);
  app.decorateRequest('idempotency', null);
  app.decorateRequest('tenantId', 'default');
  const store = {
    ...server.engine.idempotency,
    keep: async (_tenant: string, kept: string) => void signs.push(kept),
  };
  const wait = { timeoutMs: 200, pollMs: 20, keepMs: 5 };
  app.post(
    '/',
    idempotent(store, async () => ({ status: 200, body: {} }), wait),
    () => eventually(async () => signs.length > 3 && {}),
  );
  const answer = await app.inject({ method: 'POST', url: '/', headers: { 'idempotency-key': key } });
  expect(answer.statusCode).toBe(200);
  expect(new Set(signs)).toEqual(new Set([key]));
  const { length } = signs;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(signs).toHaveLength(length);
});

test('a process that died between storing a batch and keeping its answer makes no second batch', async () => {
  const key = freshKey();
  const body = JSON.stringify(batch('survivor'));
  await server.engine.idempotency.reserve('default', key);
  const bodyHash = createHash('sha256').update('POST /v1/batches\n').update(body).digest('hex');
  const stored = await server.engine.submit(batch('survivor'), { idempotency: { key, bodyHash } });
  const repeat = await server.api('/v1/batches', body, { 'idempotency-key': key });
  expect([repeat.status, repeat.body.id]).toEqual([201, stored.id]);
  expect((await server.api('/v1/batches', { ...batch('other') }, { 'idempotency-key': key })).status).toBe(
    422,
  );
});

test('POST /v1/jobs is repeated without a second job', async () => {
  const key = freshKey();
  const send = () =>
    server.api('/v1/jobs', { type: 'note', payload: { to: 'solo' } }, { 'idempotency-key': key });
  const [first, second] = [await send(), await send()];
  expect([second.status, second.body]).toEqual([202, first.body]);
  await eventually(async () => server.calls.includes('solo'));
  expect(server.calls.filter((to) => to === 'solo')).toHaveLength(1);
});

describe('an upload with an Idempotency-Key', () => {
  const rows = (count: number, text = 'x'): string =>
    Array.from({ length: count }, (_, n) => `${JSON.stringify({ to: `p${n}`, text })}\n`).join('');
  const total = async (id: string): Promise<number> =>
    (await server.api(`/v1/batches/${id}`)).body.counts.total;

  test('is taken once, also if it is repeated after the seal', async () => {
    const id = await server.openBatch();
    const key = { 'idempotency-key': freshKey() };
    const first = await server.upload(id, rows(3_000), key);
    const second = await server.upload(id, rows(3_000), key);
    await server.api(`/v1/batches/${id}/seal`, null);
    const third = await server.upload(id, rows(3_000), key);
    for (const { status, body } of [first, second, third])
      expect([status, body.accepted]).toEqual([200, 3_000]);
    expect(third.headers.get('idempotency-replayed')).toBe('true');
    expect(await total(id)).toBe(3_000);
  });

  test('with other rows is refused', async () => {
    const id = await server.openBatch();
    const key = { 'idempotency-key': freshKey() };
    await server.upload(id, rows(10), key);
    const { status, body } = await server.upload(id, rows(10, 'y'), key);
    expect([status, body.code]).toEqual([422, 'idempotency_key_reused']);
  });

  test('a repeat that comes meanwhile waits with its body unread, then gets the same answer', async () => {
    const id = await server.openBatch();
    const key = { 'idempotency-key': freshKey() };
    const answers = await Promise.all([
      server.upload(id, rows(20_000), key),
      server.upload(id, rows(20_000), key),
    ]);
    for (const { status, body } of answers) expect([status, body.accepted]).toEqual([200, 20_000]);
    expect(await total(id)).toBe(20_000);
  });

  test('that is cut off gives its key back', async () => {
    const id = await server.openBatch();
    const key = freshKey();
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write(
      `POST /v1/batches/${id}/jobs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\nidempotency-key: ${key}\r\n` +
        `content-type: application/x-ndjson\r\ncontent-length: 100000\r\n\r\n${rows(100)}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.destroy();
    const again = await server.upload(id, rows(100), { 'idempotency-key': key });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, null]);
    expect(await total(id)).toBe(100);
  });
});
