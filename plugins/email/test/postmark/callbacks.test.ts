import { describe, expect, it } from 'vitest';
import { callbacks } from '../../src/postmark/callbacks.ts';
import { callBack, refused } from '../helpers/callback.ts';
import { jobId } from '../helpers/provider-session.ts';

const webhookSecret = 'a-secret-of-some-length';
const credentials = { serverToken: 't', webhookSecret };
const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const authorization = basic('postmark', webhookSecret);

const record = (RecordType: string, fields: object = {}) =>
  JSON.stringify({
    RecordType,
    MessageID: '883953f4-6105-42a2-a16a-77a8eac79483',
    MessageStream: 'outbound',
    ServerID: 23,
    Tag: 'spring',
    Metadata: { batchsender_job: jobId(3) },
    ...fields,
  });

const bounce = (Type: string, fields: object = {}) =>
  record('Bounce', {
    ID: 42,
    Type,
    Email: 'Ada@Example.com',
    BouncedAt: '2026-11-29T09:00:00Z',
    Inactive: false,
    Description: 'The server was unable to deliver your message to ada@example.com',
    ...fields,
  });

const handle = (body: string, headers: Record<string, string> = { authorization }) =>
  callBack(callbacks, credentials, { body, headers });

describe('a receipt of Postmark', () => {
  it.each([
    [record('Delivery', { Recipient: 'ada@example.com', DeliveredAt: '2026-11-29T09:00:00Z' }), 'delivered'],
    [record('Open', { Recipient: 'ada@example.com', ReceivedAt: '2026-11-29T09:00:00Z' }), 'opened'],
    [record('Click', { Recipient: 'ada@example.com', ReceivedAt: '2026-11-29T09:00:00Z' }), 'clicked'],
    [
      record('SpamComplaint', { ID: 42, Email: 'ada@example.com', BouncedAt: '2026-11-29T09:00:00Z' }),
      'complained',
    ],
    [bounce('HardBounce'), 'bounced'],
  ])('%s is recorded for the job of its metadata, without addresses', async (body, kind) => {
    const { events } = await handle(body);
    expect(events).toMatchObject([{ jobId: jobId(3), kind, at: new Date('2026-11-29T09:00:00Z') }]);
    expect(JSON.stringify(events)).not.toMatch(/ada/i);
    expect((await handle(body)).events).toEqual(events);
  });

  it('gives two recipients of one message two ids', async () => {
    const ids = await Promise.all(
      ['ada@example.com', 'bob@example.com'].map(async (Recipient) => {
        const [event] = (await handle(record('Delivery', { Recipient }))).events;
        return event?.eventId;
      }),
    );
    expect(new Set(ids).size).toBe(2);
  });

  it.each([
    ['HardBounce', false, 'bounced', 'bounced'],
    ['BadEmailAddress', false, 'bounced', 'bounced'],
    ['SoftBounce', false, 'bounced', undefined],
    ['DnsError', false, 'bounced', undefined],
    ['Blocked', false, 'bounced', undefined],
    ['Blocked', true, 'bounced', 'bounced'],
    ['ATypeOfTomorrow', false, 'bounced', undefined],
    ['SpamComplaint', true, 'complained', 'complained'],
    ['Transient', false, undefined, undefined],
    ['AutoResponder', false, undefined, undefined],
    ['Unsubscribe', false, undefined, 'unsubscribed'],
  ])(
    'a bounce of the type %s (inactive: %s) is %s, and the reason to suppress is %s',
    async (Type, Inactive, kind, reason) => {
      const { events, suppress = [] } = await handle(bounce(Type, { Inactive }));
      expect(events.map((event) => event.kind)).toEqual(kind === undefined ? [] : [kind]);
      expect(suppress).toEqual(reason === undefined ? [] : [{ recipient: 'ada@example.com', reason }]);
    },
  );

  it.each([
    [true, 'HardBounce', { suppress: [{ recipient: 'ada@example.com', reason: 'bounced' }] }],
    [true, 'SpamComplaint', { suppress: [{ recipient: 'ada@example.com', reason: 'complained' }] }],
    [true, 'ManualSuppression', { suppress: [{ recipient: 'ada@example.com', reason: 'unsubscribed' }] }],
    [true, '__proto__', { suppress: [{ recipient: 'ada@example.com', reason: 'unsubscribed' }] }],
    [false, null, { lift: ['ada@example.com'] }],
  ])(
    'a change of the subscription (%s, %s) changes the suppression list',
    async (SuppressSending, SuppressionReason, wanted) => {
      const body = record('SubscriptionChange', {
        SuppressSending,
        SuppressionReason,
        Recipient: 'Ada@example.com',
      });
      expect(await handle(body)).toEqual({ events: [], ...wanted });
    },
  );

  it.each([
    ['a record that is not known', record('Inbound')],
    ['a message that is not ours', record('Delivery', { Metadata: {} })],
    ['metadata with something else in it', record('Delivery', { Metadata: { batchsender_job: '7; DROP' } })],
  ])('%s is taken and leaves nothing', async (_what, body) => {
    expect((await handle(body)).events).toEqual([]);
  });
});

describe('the secret', () => {
  const body = record('Delivery');

  it('may come in a header of its own', async () => {
    expect((await handle(body, { 'x-batchsender-secret': webhookSecret })).events).toHaveLength(1);
  });

  it.each<[string, Record<string, string>, string]>([
    ['missing', {}, 'missing_secret'],
    ['of another kind', { authorization: `Bearer ${webhookSecret}` }, 'missing_secret'],
    ['no base64', { authorization: 'Basic %%%' }, 'missing_secret'],
    [
      'without a colon',
      { authorization: `Basic ${Buffer.from(webhookSecret).toString('base64')}` },
      'missing_secret',
    ],
    ['the user name', { authorization: basic(webhookSecret, '') }, 'wrong_secret'],
    ['wrong', { authorization: basic('postmark', 'wrong') }, 'wrong_secret'],
    ['longer', { 'x-batchsender-secret': `${webhookSecret}x` }, 'wrong_secret'],
    ['empty', { 'x-batchsender-secret': '' }, 'wrong_secret'],
  ])('is refused if it is %s', async (_what, headers, code) => {
    await expect(handle(body, headers)).rejects.toMatchObject(refused(401, code));
  });

  it('is looked at before 10 MB of body', async () => {
    const large = 'x'.repeat(10_000_000);
    await expect(handle(large, {})).rejects.toMatchObject(refused(401, 'missing_secret'));
    await expect(handle(large)).rejects.toMatchObject(refused(400, 'invalid_body'));
  });

  it('must be set in the connection', async () => {
    const answer = callBack(callbacks, { serverToken: 't' }, { body, headers: { authorization } });
    await expect(answer).rejects.toMatchObject(refused(401, 'no_secret'));
  });
});
