import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { conformance, unusedPort, type VendorHooks } from '@batchsender/core/testing';
import { afterAll, describe, it } from 'vitest';
import plugin from '../src/index.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const answers = {
  taken: (_request, response) => response.writeHead(204).end(),
  refused: (request, response) =>
    response.writeHead(422).end(`${request.headers.authorization} ${request.url}`),
  throttled: (_request, response) => response.writeHead(429, { 'retry-after': '2' }).end(),
  cut: (request) => request.socket.destroy(),
  never: () => undefined,
} satisfies Record<string, Answer>;

let answer: Answer = answers.taken;
const keys: string[] = [];

const receiver = createServer(async (request, response) => {
  for await (const _part of request);
  keys.push(String(request.headers['webhook-id']));
  answer(request, response);
});
await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

const set = (next: Answer) => () => {
  answer = next;
};

const respond: VendorHooks = {
  accept: set(answers.taken),
  refuse: set(answers.refused),
  refuseOnly: ({ url }) => {
    answer = (request, response) => {
      const decide = url === `${origin}${request.url}` ? answers.refused : answers.taken;
      decide(request, response);
    };
  },
  throttle: set(answers.throttled),
  dropAfterAccept: set(answers.cut),
  hang: set(answers.never),
  calls: () => keys.length,
  keys: () => keys,
};

afterAll(() => {
  receiver.closeAllConnections();
  receiver.close();
});

describe('the provider http', async () => {
  const cases = conformance({
    plugin,
    type: 'webhook',
    provider: 'http',
    credentials: { signingSecret: 'whsec_dGhpcyBpcyBhIHRlc3Qgc2VjcmV0' },
    payloads: [
      {
        url: `${origin}/hooks/ada-lovelace`,
        body: { greeting: 'Dear Ada' },
        headers: { 'x-customer': 'customer-4711' },
      },
      {
        url: `${origin}/hooks/grace-hopper`,
        method: 'PUT',
        body: 'Dear Grace',
        auth: { type: 'bearer', token: 'token-91f2c7' },
      },
    ],
    respond,
    unreachable: { payload: { url: `http://127.0.0.1:${await unusedPort()}/hooks` } },
    harmless: ['bearer'],
  });
  for (const { name, skip, run } of cases) {
    it(name, (context) => (skip === undefined ? run() : context.skip(skip)));
  }
});
