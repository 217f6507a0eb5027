import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { callbacks } from '../../src/ses/callbacks.ts';
import { callBack, refused } from '../helpers/callback.ts';
import { jobId } from '../helpers/provider-session.ts';
import {
  CERT_URL,
  type FakeAws,
  fakeAws,
  type SnsFields,
  signedBy,
  snsMessage,
  TOPIC,
} from '../helpers/sns.ts';

const credentials = { region: 'eu-west-1', accessKeyId: 'a', secretAccessKey: 'b', topicArn: TOPIC };
const tag = jobId(5).replace('.', '_');

let aws: FakeAws;
let certificates = 0;

beforeEach(() => {
  aws = fakeAws();
});

/** A name that no test before has asked for, since certificates are kept. */
const freshCertificate = () =>
  `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${String(++certificates).padStart(32, '0')}.pem`;

const handle = (body: string, topicArn: string | undefined = TOPIC) => {
  const { topicArn: _topic, ...keys } = credentials;
  return callBack(callbacks, topicArn === undefined ? keys : { ...keys, topicArn }, { body }, aws.fetch);
};

const event = (eventType: string, part: object = {}, tags: object = { batchsender_job: [tag] }) =>
  JSON.stringify({
    eventType,
    mail: {
      timestamp: '2026-11-29T08:59:00.000Z',
      messageId: 'EXAMPLE7c191be45',
      destination: ['ada@example.com'],
      tags: { 'ses:configuration-set': ['receipts'], ...tags },
    },
    ...part,
  });

const bounce = (bounceType: string, bounceSubType = 'General') =>
  event('Bounce', {
    bounce: {
      bounceType,
      bounceSubType,
      bouncedRecipients: [{ emailAddress: 'Ada@Example.com', status: '5.1.1' }],
      timestamp: '2026-11-29T09:00:00.000Z',
      feedbackId: 'f1',
    },
  });

const complaint = event('Complaint', {
  complaint: {
    complainedRecipients: [{ emailAddress: 'ada@example.com' }],
    complaintFeedbackType: 'abuse',
    timestamp: '2026-11-29T09:00:00.000Z',
  },
});

describe('a receipt of SES', () => {
  it.each([
    [event('Delivery', { delivery: { timestamp: '2026-11-29T09:00:00.000Z' } }), 'delivered', {}],
    [
      event('Open', { open: { timestamp: '2026-11-29T09:00:00.000Z', ipAddress: '192.0.2.1' } }),
      'opened',
      {},
    ],
    [event('Click', { click: { timestamp: '2026-11-29T09:00:00.000Z' } }), 'clicked', {}],
    [bounce('Permanent'), 'bounced', { code: 'permanent', detail: 'general' }],
    [bounce('Transient', 'MailboxFull'), 'bounced', { code: 'transient', detail: 'mailbox_full' }],
    [complaint, 'complained', { code: 'abuse' }],
  ])('%s is recorded once, for the job of its tag, without addresses', async (Message, kind, data) => {
    const { events } = await handle(snsMessage({ Message }));
    const eventId = '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324';
    expect(events).toEqual([{ jobId: jobId(5), kind, eventId, at: new Date('2026-11-29T09:00:00Z'), data }]);
  });

  it.each([
    ['Reject', 'rejected'],
    ['Rendering Failure', 'rendering_failed'],
  ])('%s never left, at the time of the message', async (type, code) => {
    const { events } = await handle(
      snsMessage({ Message: event(type, { reject: { reason: 'Bad content' } }) }),
    );
    expect(events).toMatchObject([{ kind: 'bounced', data: { code }, at: new Date('2026-11-29T08:59:00Z') }]);
  });

  it('suppresses who complained, and addresses that do not work', async () => {
    const suppressed = async (Message: string) => (await handle(snsMessage({ Message }))).suppress;
    expect(await suppressed(bounce('Permanent'))).toEqual([
      { recipient: 'ada@example.com', reason: 'bounced' },
    ]);
    expect(await suppressed(bounce('Transient'))).toEqual([]);
    expect(await suppressed(complaint)).toEqual([{ recipient: 'ada@example.com', reason: 'complained' }]);
  });

  it.each([
    ['an event that is none', event('Send')],
    ['a message that is not ours', event('Delivery', {}, {})],
    [
      'the words that SES sends to a new topic',
      'Successfully validated SNS topic for Amazon SES event publishing.',
    ],
  ])('%s is taken and leaves nothing', async (_what, Message) => {
    expect((await handle(snsMessage({ Message }))).events).toEqual([]);
  });
});

describe('the signature', () => {
  const Message = bounce('Permanent');

  it('may be of both versions, with a subject and without', async () => {
    const v1 = snsMessage({ Message, SignatureVersion: '1', Subject: 'Amazon SES' }, signedBy('RSA-SHA1'));
    expect((await handle(v1)).events).toHaveLength(1);
    expect((await handle(snsMessage({ Message, Subject: 'Amazon SES' }))).events).toHaveLength(1);
  });

  it.each<[string, (text: string) => string]>([
    ['of another text', (text) => signedBy()(`${text} `)],
    ['of another digest', signedBy('RSA-SHA1')],
    ['of another key', signedBy('RSA-SHA256', otherKey())],
    ['that is none', () => 'v1,x'],
    ['that is empty', () => ''],
  ])('%s is refused', async (_what, sign) => {
    await expect(handle(snsMessage({ Message }, sign))).rejects.toMatchObject(
      refused(401, 'invalid_signature'),
    );
  });

  it.each(['0', '3', '__proto__', undefined])('of the version %s is refused', async (SignatureVersion) => {
    const body = snsMessage({ Message, SignatureVersion });
    await expect(handle(body)).rejects.toMatchObject(refused(401, 'invalid_signature'));
  });

  it('is refused if a field was changed, even one that is not read', async () => {
    const body = JSON.parse(snsMessage({ Message, Subject: 'a' })) as object;
    const changed = JSON.stringify({ ...body, Subject: 'b' });
    await expect(handle(changed)).rejects.toMatchObject(refused(401, 'invalid_signature'));
  });
});

describe('nothing that a stranger names is fetched', () => {
  const Message = bounce('Permanent');

  it.each([
    ['another host', 'https://evil.example/SimpleNotificationService-0123456789abcdef.pem'],
    [
      'a host that looks like it',
      'https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem',
    ],
    ['another region', CERT_URL.replace('eu-west-1', 'us-east-1')],
    ['no TLS', CERT_URL.replace('https:', 'http:')],
    ['another port', CERT_URL.replace('.com/', '.com:8443/')],
    ['a query', `${CERT_URL}?x=1`],
    ['another file', 'https://sns.eu-west-1.amazonaws.com/evil.pem'],
    ['a path', 'https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-0123456789abcdef.pem/x'],
    ['a bucket', 'https://s3.eu-west-1.amazonaws.com/evil/SimpleNotificationService-0123456789abcdef.pem'],
    ['nothing', undefined],
  ])('%s as the place of the certificate', async (_what, SigningCertURL) => {
    const answer = handle(snsMessage({ Message, SigningCertURL }));
    await expect(answer).rejects.toMatchObject(refused(401, 'invalid_signature'));
    expect(aws.asked.filter((url) => url !== CERT_URL)).toEqual([]);
  });

  it.each<[string, SnsFields, 400 | 401, string]>([
    ['another topic', { TopicArn: `${TOPIC}2` }, 401, 'wrong_topic'],
    ['no topic', { TopicArn: undefined }, 401, 'wrong_topic'],
    ['an old time', { Timestamp: new Date(Date.now() - 3_660_000).toISOString() }, 401, 'stale_signature'],
    ['a time to come', { Timestamp: new Date(Date.now() + 360_000).toISOString() }, 401, 'stale_signature'],
    ['no time', { Timestamp: undefined }, 401, 'stale_signature'],
    ['another type', { Type: 'Notice' }, 400, 'invalid_body'],
    ['no message', { Message: undefined }, 400, 'invalid_body'],
  ])('%s is refused before anything is asked', async (_what, fields, status, code) => {
    const body = snsMessage({ Message, SigningCertURL: freshCertificate(), ...fields });
    await expect(handle(body)).rejects.toMatchObject(refused(status, code));
    expect(aws.asked).toEqual([]);
  });

  it('10 MB, what is no JSON, and a connection without a topic are refused', async () => {
    await expect(handle('x'.repeat(10_000_000))).rejects.toMatchObject(refused(400, 'body_too_large'));
    await expect(handle('<xml>')).rejects.toMatchObject(refused(400, 'invalid_body'));
    const { topicArn: _topic, ...keys } = credentials;
    const answer = callBack(callbacks, keys, { body: snsMessage({ Message }) }, aws.fetch);
    await expect(answer).rejects.toMatchObject(refused(401, 'no_topic'));
    expect(aws.asked).toEqual([]);
  });
});

describe('the certificate', () => {
  const Message = bounce('Permanent');

  it('is fetched once', async () => {
    const SigningCertURL = freshCertificate();
    await Promise.all([1, 2, 3].map(() => handle(snsMessage({ Message, SigningCertURL }))));
    await handle(snsMessage({ Message, SigningCertURL }));
    expect(aws.asked).toEqual([SigningCertURL]);
  });

  it('that does not exist is not asked for again and again', async () => {
    const SigningCertURL = freshCertificate();
    aws.answer = () => new Response('<Error/>', { status: 403 });
    for (const _try of [1, 2]) {
      const answer = handle(snsMessage({ Message, SigningCertURL }));
      await expect(answer).rejects.toMatchObject(refused(401, 'invalid_signature'));
    }
    expect(aws.asked).toHaveLength(1);
  });

  it('that cannot be had just now is no reason to refuse: SNS tries again', async () => {
    const SigningCertURL = freshCertificate();
    aws.answer = () => Promise.reject(new TypeError('fetch failed'));
    const first = await handle(snsMessage({ Message, SigningCertURL })).catch((error: unknown) => error);
    expect(first).not.toHaveProperty('callbackStatus');
    aws.answer = fakeAws().answer;
    expect((await handle(snsMessage({ Message, SigningCertURL }))).events).toHaveLength(1);
  });
});

describe('the handshake of SNS', () => {
  const SubscribeURL = `https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=2336412f37`;
  const confirmation = (fields: SnsFields = {}, sign?: (text: string) => string) =>
    snsMessage(
      {
        Type: 'SubscriptionConfirmation',
        Message: 'You have chosen',
        Token: '2336412f37',
        SubscribeURL,
        ...fields,
      },
      sign,
    );

  it('is answered once the signature is known to be right', async () => {
    expect(await handle(confirmation())).toEqual({ events: [] });
    expect(aws.asked.filter((url) => url !== CERT_URL)).toEqual([SubscribeURL]);
  });

  it('is not answered if it is not genuine', async () => {
    const forged = confirmation({}, signedBy('RSA-SHA256', otherKey()));
    await expect(handle(forged)).rejects.toMatchObject(refused(401, 'invalid_signature'));
    expect(aws.asked.filter((url) => url !== CERT_URL)).toEqual([]);
  });

  it.each([
    ['another host', SubscribeURL.replace('sns.eu-west-1.amazonaws.com', 'evil.example')],
    ['no TLS', SubscribeURL.replace('https:', 'http:')],
    ['another action', SubscribeURL.replace('ConfirmSubscription', 'DeleteTopic')],
    ['another topic', SubscribeURL.replace(TOPIC, `${TOPIC}2`)],
    ['nothing', ''],
  ])('is not answered at %s, though it is signed', async (_what, url) => {
    const answer = handle(confirmation({ SubscribeURL: url }));
    await expect(answer).rejects.toMatchObject(refused(400, 'invalid_subscription'));
    expect(aws.asked.filter((asked) => asked !== CERT_URL)).toEqual([]);
  });

  it('is asked for again if AWS did not take the answer', async () => {
    await handle(snsMessage({ Message: bounce('Transient') }));
    aws.answer = () => new Response('', { status: 500 });
    const answer = await handle(confirmation()).catch((error: unknown) => error);
    expect(answer).toBeInstanceOf(Error);
    expect(answer).not.toHaveProperty('callbackStatus');
  });

  it('of the end of a subscription is taken', async () => {
    const body = confirmation({ Type: 'UnsubscribeConfirmation' });
    expect(await handle(body)).toEqual({ events: [] });
    expect(aws.asked.filter((url) => url !== CERT_URL)).toEqual([]);
  });
});

function otherKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}
