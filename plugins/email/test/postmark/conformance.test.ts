import { conformance, unusedPort, type VendorHooks } from '@batchsender/core/testing';
import { afterAll, describe, it } from 'vitest';
import plugin from '../../src/index.ts';
import type { EmailPayload } from '../../src/payload.ts';
import { postmarkError, postmarkServer } from '../helpers/postmark-server.ts';
import { SAMPLES } from '../helpers/samples.ts';

const serverToken = 'canary-token-91f2c7';
const server = await postmarkServer(serverToken);
afterAll(() => server.close());

const become = (change: Partial<Pick<typeof server, 'trouble' | 'refuse' | 'cutAfterwards'>>) => () => {
  Object.assign(server, { trouble: undefined, refuse: undefined, cutAfterwards: false, ...change });
};

/** Postmark's words, which name the recipient. */
const inactive = {
  ErrorCode: 406,
  Message: 'Found inactive addresses: ada.lovelace@example.com, grace.hopper@example.com.',
};

const respond: VendorHooks = {
  accept: become({}),
  refuse: become({ refuse: () => inactive }),
  refuseOnly: (payload) => {
    const { subject } = payload as unknown as EmailPayload;
    become({ refuse: (mail) => (mail.Subject === subject ? inactive : undefined) })();
  },
  throttle: become({ trouble: () => postmarkError(429, 429, inactive.Message) }),
  authFailure: become({ trouble: () => postmarkError(401, 10, `No server has the token ${serverToken}`) }),
  dropAfterAccept: become({ cutAfterwards: true }),
  hang: become({ trouble: () => 'silence' }),
  garbage: become({ trouble: () => ({ status: 200, text: `<html>${inactive.Message}</html>` }) }),
  calls: () => server.requests.length,
};

describe('the provider postmark', async () => {
  const credentials = { serverToken, baseUrl: server.url };
  const cases = conformance({
    plugin,
    type: 'email',
    provider: 'postmark',
    credentials,
    payloads: SAMPLES,
    respond,
    unreachable: { credentials: { ...credentials, baseUrl: `http://127.0.0.1:${await unusedPort()}` } },
  });
  for (const { name, skip, run } of cases) {
    it(name, (context) => (skip === undefined ? run() : context.skip(skip)));
  }
});
