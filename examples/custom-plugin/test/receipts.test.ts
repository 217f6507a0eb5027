import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type CallbackRequest, defineModule, definePlugin, Type } from '@batchsender/core/plugin';
import { conformance } from '@batchsender/core/testing';
import { describe, expect, it } from 'vitest';
import { press } from './receipts-example.ts';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

const credentials = { apiKey: 'test-key-91f2c7', signingSecret: 'test-secret-5d30a1' };

/** A callback as the press sends it. */
function request(content: object, secret: string): CallbackRequest {
  const body = Buffer.from(JSON.stringify(content));
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const url = new URL('https://send.example/v1/callbacks/postcard/press/postcard.press');
  return { method: 'POST', url, headers: { 'x-press-signature': signature }, body };
}

const arrived = (reference: string) => ({ id: 'evt_1', reference, kind: 'arrived', address: '5 Navy Yard' });

const payload = Type.Object({ address: Type.String() }, { additionalProperties: false });
const module = defineModule({
  type: 'postcard',
  title: 'Postcard',
  version: 1,
  payload,
  providers: { press },
});

const cases = conformance({
  plugin: definePlugin({ name: 'plugin-postcard', version: '1.0.0', contract: 1, modules: [module] }),
  type: 'postcard',
  provider: 'press',
  credentials,
  payloads: [{ address: '5 Navy Yard' }],
  callback: {
    signed: (jobId) => request(arrived(jobId), credentials.signingSecret),
    forged: (jobId) => request(arrived(jobId), 'another secret'),
  },
}).filter(({ name }) => name.includes('callback'));

describe('the receipts of the guide for authors of plugins', () => {
  it('are quoted word for word', () => {
    const source = read('./receipts-example.ts');
    expect(read('../../../docs/writing-a-plugin.md')).toContain(`\`\`\`ts\n${source}\`\`\`\n`);
  });

  it('have all their cases', () => {
    expect(cases.map(({ skip }) => skip)).toEqual([undefined, undefined, undefined]);
  });

  for (const { name, run } of cases) it(name, () => run());

  it('tell of a card that came back, and of one who wants no more', async () => {
    const handle = async (content: object) => {
      const context = { credentials } as Parameters<NonNullable<typeof press.callbacks>['handle']>[1];
      return press.callbacks?.handle(request(content, credentials.signingSecret), context);
    };
    const card = arrived('job.1');
    expect(await handle({ ...card, kind: 'returned' })).toEqual({
      events: [{ jobId: 'job.1', kind: 'bounced', eventId: 'evt_1' }],
      suppress: [{ recipient: '5 Navy Yard', reason: 'bounced' }],
    });
    expect(await handle({ ...card, kind: 'stop' })).toEqual({
      events: [],
      suppress: [{ recipient: '5 Navy Yard', reason: 'unsubscribed' }],
    });
  });
});
