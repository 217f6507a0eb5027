import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, unusedPort, type VendorHooks } from '@batchsender/core/testing';
import { afterAll, describe, it } from 'vitest';
import plugin from '../src/index.ts';
import { can, cut, rawServer, type Script, silence } from './helpers/raw-server.ts';

const samples = [
  {
    to: 'ada.lovelace@example.com',
    from: { address: 'news@sender.example', name: 'Newsletter of April' },
    subject: 'Dear Ada, good news',
    html: '<p>Dear Ada</p>',
    headers: { 'X-Customer': 'customer-4711' },
    listUnsubscribe: { url: 'https://sender.example/unsubscribe/ada-91f2c7' },
  },
  {
    to: [{ address: 'grace.hopper@example.com', name: 'Grace Hopper' }, 'hidden.figures@example.com'],
    from: 'orders@sender.example',
    subject: 'Order 4712',
    text: 'Dear Grace',
    attachments: [{ filename: 'order-4712.txt', content: 'T3JkZXIgNDcxMg==' }],
  },
];

const offers = can('PIPELINING', 'AUTH PLAIN');
const server = await rawServer({ ehlo: offers });
const set = (script: Script) => () => {
  server.script = { ehlo: offers, ...script };
};

/** Refuses everybody with the words of a server that repeats what it was told. */
const refusal = '550 5.1.1 <ada.lovelace@example.com> grace.hopper@example.com: Recipient address rejected';

const respond: VendorHooks = {
  accept: set({}),
  refuse: set({ rcpt: refusal }),
  throttle: set({ mail: '451 4.7.0 Slow down, news@sender.example' }),
  authFailure: set({ auth: '535 5.7.8 smtp-user smtp-password-91f2c7: wrong' }),
  dropAfterAccept: set({ dot: cut }),
  hang: set({ dot: silence }),
  garbage: set({ dot: '<html>200 fine ada.lovelace@example.com</html>' }),
  calls: () => server.messages.length,
  keys: () => server.messages.map((message) => /^Message-ID: (.*)/im.exec(message)?.[1] ?? ''),
};

const credentials = {
  host: '127.0.0.1',
  port: server.port,
  user: 'smtp-user',
  password: 'smtp-password-91f2c7',
  tls: 'none',
};

const folder = await mkdtemp(join(tmpdir(), 'sandbox-'));
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe('the provider smtp', async () => {
  const cases = conformance({
    plugin,
    type: 'email',
    provider: 'smtp',
    credentials,
    payloads: samples,
    respond,
    unreachable: { credentials: { ...credentials, port: await unusedPort() } },
  });
  for (const { name, skip, run } of cases) {
    it(name, (context) => (skip === undefined ? run() : context.skip(skip)));
  }
});

describe('the provider sandbox', () => {
  const cases = conformance({
    plugin,
    type: 'email',
    provider: 'sandbox',
    credentials: { folder, latencyMs: 0 },
    payloads: samples,
    respond: { accept: () => undefined },
  });
  for (const { name, skip, run } of cases) {
    it(name, (context) => (skip === undefined ? run() : context.skip(skip)));
  }
});
