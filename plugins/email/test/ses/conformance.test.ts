import { conformance, unusedPort, type VendorHooks } from '@batchsender/core/testing';
import { afterAll, describe, it } from 'vitest';
import plugin from '../../src/index.ts';
import type { EmailPayload } from '../../src/payload.ts';
import { SAMPLES } from '../helpers/samples.ts';
import { sesError, sesServer } from '../helpers/ses-server.ts';

const accessKeyId = 'AKIDTEST91F2C7';
const secretAccessKey = 'canary-secret-91f2c7';
const server = await sesServer({ accessKeyId, secretAccessKey });
afterAll(() => server.close());

const become = (change: Partial<Pick<typeof server, 'trouble' | 'refuse' | 'cutAfterwards'>>) => () => {
  Object.assign(server, { trouble: undefined, refuse: undefined, cutAfterwards: false, ...change });
};

/** One message is refused by an error, an entry of many by its status. */
const refusal = ({ raw }: { raw?: unknown }) => (raw === undefined ? 'MESSAGE_REJECTED' : 'MessageRejected');
const words = 'ada.lovelace@example.com is not verified';

const respond: VendorHooks = {
  accept: become({}),
  refuse: become({ refuse: refusal }),
  refuseOnly: (payload) => {
    const { subject } = payload as unknown as EmailPayload;
    become({ refuse: (mail) => (mail.subject === subject ? refusal(mail) : undefined) })();
  },
  throttle: become({ trouble: () => sesError(429, 'TooManyRequestsException', words) }),
  authFailure: become({
    trouble: () => sesError(403, 'SignatureDoesNotMatch', `${secretAccessKey} does not match`),
  }),
  dropAfterAccept: become({ cutAfterwards: true }),
  hang: become({ trouble: () => 'silence' }),
  garbage: become({ trouble: () => ({ status: 200, text: `<html>${words}</html>` }) }),
  calls: () => server.requests.length,
};

describe('the provider ses', async () => {
  const credentials = { region: 'eu-west-1', accessKeyId, secretAccessKey, baseUrl: server.url };
  const cases = conformance({
    plugin,
    type: 'email',
    provider: 'ses',
    credentials,
    payloads: SAMPLES,
    respond,
    unreachable: { credentials: { ...credentials, baseUrl: `http://127.0.0.1:${await unusedPort()}` } },
  });
  for (const { name, skip, run } of cases) {
    it(name, (context) => (skip === undefined ? run() : context.skip(skip)));
  }
});
