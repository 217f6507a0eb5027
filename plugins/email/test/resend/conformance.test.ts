import { conformance, unusedPort, type VendorHooks } from '@batchsender/core/testing';
import { afterAll, describe, it } from 'vitest';
import plugin from '../../src/index.ts';
import type { EmailPayload } from '../../src/payload.ts';
import { resendError, resendServer } from '../helpers/resend-server.ts';
import { SAMPLES } from '../helpers/samples.ts';

const apiKey = 're_canary_91f2c7';
const server = await resendServer(apiKey);
afterAll(() => server.close());

const become = (change: Partial<Pick<typeof server, 'trouble' | 'refuse' | 'cutAfterwards'>>) => () => {
  Object.assign(server, { trouble: undefined, refuse: undefined, cutAfterwards: false, ...change });
};

/** Resend's words, with the request quoted in it. */
const words = 'Invalid `to` field: ada.lovelace@example.com Dear Ada, good news';

const respond: VendorHooks = {
  accept: become({}),
  refuse: become({ refuse: () => words }),
  refuseOnly: (payload) => {
    const { subject } = payload as unknown as EmailPayload;
    become({ refuse: (mail) => (mail.subject === subject ? words : undefined) })();
  },
  throttle: become({
    trouble: () => resendError(429, 'rate_limit_exceeded', words, { 'retry-after': '2' }),
  }),
  authFailure: become({ trouble: () => resendError(403, 'invalid_api_key', `API key ${apiKey} is invalid`) }),
  dropAfterAccept: become({ cutAfterwards: true }),
  hang: become({ trouble: () => 'silence' }),
  garbage: become({ trouble: () => ({ status: 200, text: `<html>${words}</html>` }) }),
  calls: () => server.requests.length,
  keys: () => server.keys,
};

describe('the provider resend', async () => {
  const credentials = { apiKey, baseUrl: server.url };
  const cases = conformance({
    plugin,
    type: 'email',
    provider: 'resend',
    credentials,
    payloads: SAMPLES,
    respond,
    unreachable: { credentials: { ...credentials, baseUrl: `http://127.0.0.1:${await unusedPort()}` } },
  });
  for (const { name, skip, run } of cases) {
    it(name, (context) => (skip === undefined ? run() : context.skip(skip)));
  }
});
