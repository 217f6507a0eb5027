import { conformance, unusedPort, type VendorHooks } from '@batchsender/core/testing';
import { afterAll, describe, it } from 'vitest';
import plugin from '../src/index.ts';
import { parseNumber } from '../src/phone-number.ts';
import { type Answer, cut, garbage, type HttpServer, json, silence } from './helpers/http-server.ts';
import * as twilio from './helpers/twilio-server.ts';
import * as vonage from './helpers/vonage-server.ts';

const payloads = [
  { to: '+4915123456789', from: 'ExampleShop', body: 'Dear Ada, your order 4711 is on its way' },
  {
    to: '(202) 555-0123',
    country: 'US',
    from: '+12025550188',
    body: 'Dear Grace: “it’s here”',
    smartEncoding: true,
  },
];

const nobody = `http://127.0.0.1:${await unusedPort()}`;

type Vendor = HttpServer & { mood: Answer | undefined };

const hooks = (server: Vendor, answers: Moods): VendorHooks => {
  const set = (mood: Answer | undefined) => () => {
    server.mood = mood;
  };
  return {
    accept: set(undefined),
    refuse: set(answers.refused),
    refuseOnly: (payload) => {
      const { to, country } = payload as { to: string; country?: string };
      // Both vendors' requests hold the number, one with its plus sign encoded.
      const digits = String(parseNumber(to, country)).slice(1);
      server.mood = (seen, response) => {
        const decide = seen.body.includes(digits) ? answers.refused : answers.taken;
        decide(seen, response);
      };
    },
    throttle: set(answers.busy),
    authFailure: set(answers.locked),
    dropAfterAccept: set(cut),
    hang: set(silence),
    garbage: set(garbage),
    calls: () => server.seen.length,
  };
};

interface Moods {
  readonly taken: Answer;
  readonly refused: Answer;
  readonly busy: Answer;
  readonly locked: Answer;
}

const twilioServer = await twilio.twilioServer();
const vonageServer = await vonage.vonageServer();
afterAll(() => Promise.all([twilioServer.close(), vonageServer.close()]));

const twilioLogin = { accountSid: twilio.ACCOUNT_SID, authToken: twilio.AUTH_TOKEN };
const vonageLogin = { apiKey: vonage.API_KEY, apiSecret: vonage.API_SECRET };

const providers: Record<string, Omit<Parameters<typeof conformance>[0], 'plugin' | 'type' | 'provider'>> = {
  twilio: {
    credentials: { ...twilioLogin, baseUrl: twilioServer.url },
    payloads,
    respond: hooks(twilioServer, {
      taken: (_seen, response) => json(response, 201, { sid: `SM${'0'.repeat(32)}` }),
      refused: twilio.refusal(400, 21211, 'Invalid number'),
      busy: twilio.refusal(429, 20429, 'Too many requests', { 'retry-after': '2' }),
      locked: twilio.refusal(401, 20003, 'Authenticate'),
    }),
    unreachable: { credentials: { ...twilioLogin, baseUrl: nobody } },
  },
  vonage: {
    credentials: { ...vonageLogin, baseUrl: vonageServer.url },
    payloads,
    respond: hooks(vonageServer, {
      taken: (_seen, response) => json(response, 202, { message_uuid: 'aaaaaaaa-bbbb-cccc' }),
      refused: vonage.refusal(422, 1170, 'Invalid number'),
      busy: vonage.refusal(429, 1000, 'Rate Limit Hit', { 'retry-after': '2' }),
      locked: vonage.unauthorized,
    }),
    unreachable: { credentials: { ...vonageLogin, baseUrl: nobody } },
  },
  sandbox: { credentials: { latencyMs: 0 }, payloads, respond: { accept: () => undefined } },
};

describe.each(Object.entries(providers))('the provider %s', (provider, options) => {
  for (const { name, skip, run } of conformance({ plugin, type: 'sms', provider, ...options })) {
    it(name, (context) => (skip === undefined ? run() : context.skip(skip)));
  }
});
