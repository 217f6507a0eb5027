import { createEngine } from '@batchsender/core';
import { afterAll, expect, test } from 'vitest';
import { testDatabase } from '../../../core/test/helpers/postgres.ts';
import { client, eventually, startApp } from '../helpers/app.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';

const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

test('health and readiness need no key', async () => {
  const server = await startApp();
  closers.push(server.stop);
  expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: 'ok' });
  const ready = await fetch(`${server.url}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toEqual({ status: 'ok', database: true, runner: true, transport: true });
});

test('without a running runner the server is not ready', async () => {
  const database = await testDatabase();
  const engine = createEngine({ database: database.url, plugins: [] });
  const { buildApp } = await import('../../src/app.ts');
  const app = buildApp({ engine, apiKey: { hash: Buffer.alloc(32) }, version: '0' });
  closers.push(async () => {
    await app.close();
    await engine.stop();
    await database.drop();
  });
  const answer = await app.inject('/readyz');
  expect([answer.statusCode, answer.json().code]).toEqual([503, 'runner_not_ready']);
});

test('while the database is away: alive, not ready, 503 with Retry-After; then it goes on', async () => {
  const database = await testDatabase();
  const target = new URL(database.url);
  const proxy = await startTcpProxy(Number(target.port));
  target.port = String(proxy.port);
  const server = await startApp({ database: target.href });
  closers.push(async () => {
    await server.stop();
    await proxy.pull();
    await database.drop();
  });
  const api = client(server.url);
  expect((await api('/v1/batches')).status).toBe(200);

  await proxy.pull();
  expect((await api('/healthz')).status).toBe(200);
  for (const path of ['/readyz', '/v1/batches']) {
    const { status, headers, body } = await api(path);
    expect([path, status, body.code]).toEqual([path, 503, 'database_unavailable']);
    expect(headers.get('retry-after')).toMatch(/^\d+$/);
  }

  await proxy.plug();
  await eventually(async () => (await api('/readyz')).status === 200);
  expect((await api('/v1/batches', { type: 'note', jobs: [{ to: 'after' }] })).status).toBe(201);
});
