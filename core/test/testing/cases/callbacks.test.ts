import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type CallbackRequest, type Callbacks, callbackRefused } from '../../../src/plugin/index.ts';
import { type ConformanceOptions, conformance } from '../../../src/testing/index.ts';
import { inProvider } from '../../helpers/break-plugin.ts';
import { type Credentials, samplePlugin } from '../../helpers/sample-plugin.ts';

const NAMES = {
  unsigned: 'a callback without a signature is refused',
  genuine: 'a genuine callback tells of its job',
  forged: 'a forged callback is refused',
};

type Handle = Callbacks<Credentials>['handle'];

const signature = (secret: string, body: Uint8Array): string =>
  createHmac('sha256', secret).update(body).digest('hex');

const good: Handle = ({ headers, body }, { credentials }) => {
  if (headers['x-signature'] !== signature(credentials.apiKey, body))
    throw callbackRefused(401, 'invalid_signature', 'The signature is wrong');
  const { id, job } = JSON.parse(Buffer.from(body).toString()) as { id: string; job: string };
  return { events: [{ jobId: job, kind: 'delivered', eventId: id }] };
};

const request = (secret: string, jobId: string): CallbackRequest => {
  const body = Buffer.from(JSON.stringify({ id: 'evt_1', job: jobId }));
  const url = new URL('https://batchsender.example/v1/callbacks/message/acme/message.acme');
  return { method: 'POST', url, headers: { 'x-signature': signature(secret, body) }, body };
};

const SECRET = 'sk_test_callbacks';

const optionsOf = (handle: Handle | undefined): ConformanceOptions => ({
  plugin: inProvider(() => (handle === undefined ? {} : { callbacks: { handle } }))(
    samplePlugin({ guarantee: { kind: 'at-least-once' }, batchSize: 1 }),
  ),
  type: 'message',
  provider: 'acme',
  credentials: { apiKey: SECRET, baseUrl: 'http://127.0.0.1:1' },
  payloads: [{ to: 'ada@example.com', text: 'Dear Ada' }],
  callback: {
    signed: (jobId) => request(SECRET, jobId),
    forged: (jobId) => request('sk_test_another', jobId),
  },
});

/** Which of the cases about callbacks fail, with what is said. */
async function failing(options: ConformanceOptions): Promise<Record<string, string>> {
  const failed: Record<string, string> = {};
  for (const { name, run } of conformance(options)) {
    if (!Object.values(NAMES).includes(name)) continue;
    await run().catch((error: Error) => {
      failed[name] = error.message;
    });
  }
  return failed;
}

describe('the conformance suite, about callbacks,', () => {
  it('has nothing against a provider that verifies them', async () => {
    expect(await failing(optionsOf(good))).toEqual({});
  });

  it('asks nothing of a provider that takes none', () => {
    const names = conformance(optionsOf(undefined)).map(({ name }) => name);
    expect(names.filter((name) => Object.values(NAMES).includes(name))).toEqual([]);
  });

  it('says what it lacks', () => {
    const { callback: _, ...options } = optionsOf(good);
    const skips = new Map(conformance(options).map(({ name, skip }) => [name, skip]));
    expect(skips.get(NAMES.unsigned)).toBeUndefined();
    expect(skips.get(NAMES.genuine)).toBe('give the suite callback.signed');
    expect(skips.get(NAMES.forged)).toBe('give the suite callback.forged');
  });

  const { unsigned, genuine, forged } = NAMES;
  const refusingWith400: Handle = (...args) => {
    const { headers, body } = args[0];
    if (headers['x-signature'] === signature(SECRET, body)) return good(...args);
    throw callbackRefused(400, 'invalid_signature', 'The signature is wrong');
  };
  const unverified: Handle = ({ body }) => {
    const text = Buffer.from(body).toString();
    const jobId = /"job":"([^"]+)"/.exec(text)?.[1] ?? '1.0';
    return { events: [{ jobId, kind: 'delivered', eventId: 'e' }] };
  };
  it.each<[string, Handle, string[]]>([
    ['believes everybody', unverified, [unsigned, forged]],
    [
      'reads the body before it verifies',
      (...args) => {
        JSON.parse(Buffer.from(args[0].body).toString());
        return good(...args);
      },
      [unsigned],
    ],
    [
      'throws an error of its own',
      async (...args) => {
        try {
          return await good(...args);
        } catch (cause) {
          throw new Error('wrong signature', { cause });
        }
      },
      [unsigned, forged],
    ],
    ['refuses with 400', refusingWith400, [unsigned, forged]],
    [
      'fetches before it verifies',
      async (...args) => {
        await args[1].fetch('http://127.0.0.1:1/certificate').catch(() => undefined);
        return good(...args);
      },
      [unsigned, forged],
    ],
    [
      'makes event ids up',
      async (...args) => {
        const { events } = await good(...args);
        return { events: events.map((event) => ({ ...event, eventId: crypto.randomUUID() })) };
      },
      [genuine],
    ],
    [
      'tells of another job',
      async (...args) => {
        const { events } = await good(...args);
        return { events: events.map((event) => ({ ...event, jobId: 'theirs' })) };
      },
      [genuine],
    ],
    [
      'reports an undeclared kind',
      async (...args) => {
        const { events } = await good(...args);
        return { events: events.map((event) => ({ ...event, kind: 'arrived' })) };
      },
      [genuine],
    ],
    [
      'tells nothing',
      async (...args) => {
        await good(...args);
        return { events: [] };
      },
      [genuine],
    ],
  ])('refuses a provider that %s', async (_name, handle, fails) => {
    const failed = await failing(optionsOf(handle));
    expect(Object.keys(failed)).toEqual(fails);
    // What is wrong, and what to do.
    for (const message of Object.values(failed)) expect(message).toMatch(/.{15}: .{15}/);
  });
});
