import { createHmac } from 'node:crypto';
import { Resend } from 'resend';
import { describe, expect, it } from 'vitest';
import { callbacks } from '../../src/resend/callbacks.ts';
import { callBack, refused } from '../helpers/callback.ts';
import { jobId } from '../helpers/provider-session.ts';

const webhookSecret = `whsec_${Buffer.from('a key of some length').toString('base64')}`;
const credentials = { apiKey: 're_1', webhookSecret };
const now = () => Math.floor(Date.now() / 1_000);

function sign(id: string, time: number, body: string, secret = webhookSecret): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')}`;
}

interface Options {
  readonly time?: number;
  readonly signature?: string;
  readonly drop?: string;
}

function signed(body: string, { time = now(), signature, drop }: Options = {}) {
  const headers: Record<string, string | undefined> = {
    'svix-id': 'msg_1',
    'svix-timestamp': String(time),
    'svix-signature': signature ?? sign('msg_1', time, body),
  };
  if (drop !== undefined) delete headers[drop];
  return { body, headers };
}

const event = (type: string, data: object = {}, tag: unknown = jobId(7).replace('.', '_')) =>
  JSON.stringify({
    type,
    created_at: '2026-11-29T09:00:00.000Z',
    data: {
      email_id: '56761188-7520-42d8-8898-ff6fc54ce618',
      from: 'News <news@sender.example>',
      to: ['Ada <Ada@Example.com>'],
      subject: 'Hello',
      tags: { batchsender_job: tag },
      ...data,
    },
  });

const handle = (parts: Parameters<typeof callBack>[2]) => callBack(callbacks, credentials, parts);

describe('a receipt of Resend', () => {
  it.each([
    ['email.delivered', {}, 'delivered', {}],
    ['email.opened', {}, 'opened', {}],
    ['email.clicked', { click: { link: 'https://x.example/ada@example.com' } }, 'clicked', {}],
    ['email.complained', {}, 'complained', {}],
    ['email.failed', { failed: { reason: 'x' } }, 'bounced', { code: 'not_sent' }],
    ['email.suppressed', {}, 'bounced', { code: 'suppressed_by_provider' }],
    [
      'email.bounced',
      {
        bounce: {
          type: 'Permanent',
          subType: 'OnAccountSuppressionList',
          message: 'ada@example.com unknown',
        },
      },
      'bounced',
      { code: 'permanent', detail: 'on_account_suppression_list' },
    ],
  ])('%s is recorded once, for the job of its tag, without addresses', async (type, data, kind, kept) => {
    const answer = await handle(signed(event(type, data)));
    expect(answer.events).toEqual([
      { jobId: jobId(7), kind, eventId: 'msg_1', at: new Date('2026-11-29T09:00:00Z'), data: kept },
    ]);
  });

  it('suppresses who complained, and addresses that do not work, in the form of recipients()', async () => {
    const bounce = (type: string) => event('email.bounced', { bounce: { type, subType: 'General' } });
    const suppressed = async (body: string) => (await handle(signed(body))).suppress;
    expect(await suppressed(event('email.complained'))).toEqual([
      { recipient: 'ada@example.com', reason: 'complained' },
    ]);
    expect(await suppressed(bounce('Permanent'))).toEqual([
      { recipient: 'ada@example.com', reason: 'bounced' },
    ]);
    expect(await suppressed(bounce('Transient'))).toEqual([]);
    expect(await suppressed(event('email.delivered'))).toEqual([]);
  });

  it('reads tags that come as a list, too', async () => {
    const tags = [{ name: 'batchsender_job', value: jobId(7).replace('.', '_') }];
    expect((await handle(signed(event('email.delivered', { tags })))).events).toHaveLength(1);
  });

  it.each([
    ['an event that is none of a message', event('contact.created')],
    ['a message that is not ours', event('email.delivered', {}, 'spring')],
    ['a message without tags', event('email.delivered', { tags: undefined })],
  ])('%s is taken and leaves nothing', async (_what, body) => {
    expect((await handle(signed(body))).events).toEqual([]);
  });
});

describe('a receipt is refused', () => {
  const body = event('email.delivered');

  it('is signed as the client of Resend wants it', () => {
    const time = now();
    const headers = { id: 'msg_1', timestamp: String(time), signature: sign('msg_1', time, body) };
    const verify = () => new Resend('re_1').webhooks.verify({ payload: body, headers, webhookSecret });
    expect(verify()).toMatchObject({ type: 'email.delivered' });
  });

  it.each(['svix-id', 'svix-timestamp', 'svix-signature'])('without %s', async (drop) => {
    await expect(handle(signed(body, { drop }))).rejects.toMatchObject(refused(401, 'missing_signature'));
  });

  it.each([
    ['of another body', sign('msg_1', now(), `${body} `)],
    ['of another key', sign('msg_1', now(), body, `whsec_${Buffer.from('another key').toString('base64')}`)],
    ['of another version', sign('msg_1', now(), body).replace('v1,', 'v1a,')],
    ['that is none', 'v1,x'],
    ['that is empty', ' '],
  ])('with a signature %s', async (_what, signature) => {
    await expect(handle(signed(body, { signature }))).rejects.toMatchObject(
      refused(401, 'invalid_signature'),
    );
  });

  it('if it is older than five minutes, or from the future', async () => {
    for (const time of [now() - 301, now() + 302]) {
      await expect(handle(signed(body, { time }))).rejects.toMatchObject(refused(401, 'stale_signature'));
    }
  });

  it('not, if one of several signatures fits', async () => {
    const time = now();
    const signature = `v1,${Buffer.alloc(32).toString('base64')} ${sign('msg_1', time, body)}`;
    expect((await handle(signed(body, { time, signature }))).events).toHaveLength(1);
  });

  it('with 10 MB that are not signed, or that are no JSON', async () => {
    const large = 'x'.repeat(10_000_000);
    await expect(handle(signed(large, { signature: 'v1,AAAA' }))).rejects.toMatchObject(
      refused(401, 'invalid_signature'),
    );
    await expect(handle(signed(large))).rejects.toMatchObject(refused(400, 'invalid_body'));
  });

  it('if the connection has no secret', async () => {
    const answer = callBack(callbacks, { apiKey: 're_1' }, signed(body));
    await expect(answer).rejects.toMatchObject(refused(401, 'no_secret'));
  });
});
