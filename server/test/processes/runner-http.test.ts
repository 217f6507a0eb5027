import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { healthPages, plainHttp } from '../../src/processes/runner-http.ts';

let database = true;
let runner = true;
let transport = true;
const server = plainHttp({
  ...healthPages(async () => ({ database, runner, transport })),
  '/broken': () => Promise.reject(new Error('with a secret')),
});
let url = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

test('a process without an API tells that it is alive, and whether its runner works', async () => {
  expect(await (await fetch(`${url}/healthz?now`)).json()).toEqual({ status: 'ok' });
  expect(await (await fetch(`${url}/readyz`)).json()).toEqual({
    status: 'ok',
    database: true,
    runner: true,
    transport: true,
  });
  transport = false;
  const cutOff = await fetch(`${url}/readyz`);
  expect([cutOff.status, ((await cutOff.json()) as { code: string }).code]).toEqual([
    503,
    'nats_unavailable',
  ]);
  runner = false;
  const waiting = await fetch(`${url}/readyz`);
  expect([waiting.status, ((await waiting.json()) as { code: string }).code]).toEqual([
    503,
    'runner_not_ready',
  ]);
  database = false;
  const away = await fetch(`${url}/readyz`);
  expect([away.status, ((await away.json()) as { code: string }).code]).toEqual([
    503,
    'database_unavailable',
  ]);
});

test('it knows no other path and no other method, and shows no error', async () => {
  expect((await fetch(`${url}/v1/batches`)).status).toBe(404);
  expect((await fetch(`${url}/healthz`, { method: 'POST' })).status).toBe(405);
  const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  const broken = await fetch(`${url}/broken`);
  expect([broken.status, await broken.text()]).toEqual([500, '{"status":500,"code":"internal_error"}']);
});
