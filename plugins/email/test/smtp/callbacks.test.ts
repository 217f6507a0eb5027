import { describe, expect, it } from 'vitest';
import { composeMessage } from '../../src/message/compose.ts';
import { jobOfMessageId } from '../../src/message/message-id.ts';
import { plainTexts } from '../../src/message/plain-text.ts';
import { callbacks } from '../../src/smtp/callbacks.ts';
import { callBack, refused } from '../helpers/callback.ts';
import { dsn } from '../helpers/dsn.ts';
import { jobId } from '../helpers/provider-session.ts';
import { MAIL } from '../helpers/session.ts';

const bounceSecret = 'a-secret-of-some-length';
const secret = { 'x-batchsender-secret': bounceSecret };
const credentials = { host: 'smtp.example.com', bounceSecret };

const handle = (body: string, headers: Record<string, string> = secret) =>
  callBack(callbacks, credentials, { body, headers });

describe('a bounce', () => {
  it('is a receipt of the job whose message came back, once, and without addresses', async () => {
    const { events, suppress } = await handle(dsn());
    expect(events).toMatchObject([
      {
        jobId: jobId(4),
        kind: 'bounced',
        at: new Date('2026-11-29T09:00:00Z'),
        data: { code: 'mailbox_unknown', enhancedStatus: '5.1.1' },
      },
    ]);
    expect(JSON.stringify(events)).not.toMatch(/ada/i);
    expect(suppress).toEqual([{ recipient: 'ada@example.com', reason: 'bounced' }]);
    expect((await handle(dsn())).events).toEqual(events);
  });

  it('finds the job by the id that our own messages carry', async () => {
    const message = await composeMessage(MAIL, { idempotencyKey: jobId(9), plainText: plainTexts() });
    expect(jobOfMessageId(message.messageId)).toBe(jobId(9));
    const { events } = await handle(dsn({ messageId: message.messageId, returned: 'message/rfc822' }));
    expect(events).toMatchObject([{ jobId: jobId(9) }]);
  });

  it('finds the job by the address that envelopeFrom gave it, if the message did not come back', async () => {
    const { events } = await handle(dsn({ messageId: null, to: `bounces+${jobId(6)}@sender.example` }));
    expect(events).toMatchObject([{ jobId: jobId(6), kind: 'bounced' }]);
  });

  it('of a message that is not ours is not believed', async () => {
    for (const messageId of ['<other@sender.example>', null]) {
      expect(await handle(dsn({ messageId }))).toEqual({ events: [] });
    }
  });

  it.each([
    ['failed', '5.1.1', 'bounced', true],
    ['failed', '5.1.2', 'bounced', true],
    ['failed', '5.1.10', 'bounced', true],
    ['failed', '5.2.2', 'bounced', false],
    ['failed', '5.7.1', 'bounced', false],
    ['failed', '4.4.7', 'bounced', false],
    ['FAILED', '5.1.1', 'bounced', true],
    ['delayed', '4.4.1', undefined, false],
    ['delayed', '5.1.1', undefined, false],
    ['relayed', '2.0.0', undefined, false],
    ['delivered', '2.0.0', 'delivered', false],
    ['lost', '5.1.1', undefined, false],
    ['failed', 'nonsense', undefined, false],
  ])(
    'with the action %s and the status %s is %s, and suppresses: %s',
    async (action, status, kind, suppresses) => {
      const { events, suppress } = await handle(dsn({ groups: [{ action, status }] }));
      expect(events.map((event) => event.kind)).toEqual(kind === undefined ? [] : [kind]);
      expect(suppress).toHaveLength(suppresses ? 1 : 0);
    },
  );

  it('tells several recipients apart, and prefers the address that we wrote to', async () => {
    const groups = [
      { address: 'ada@internal.example', original: 'ada@example.com' },
      { address: 'bob@example.com', status: '5.2.2' },
    ];
    const { events, suppress } = await handle(dsn({ groups }));
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(2);
    expect(suppress).toEqual([{ recipient: 'ada@example.com', reason: 'bounced' }]);
  });

  it('may come as the body of a multipart/report, too', async () => {
    const whole = dsn();
    const split = whole.indexOf('\r\n\r\n');
    const type = 'multipart/report; report-type=delivery-status; boundary="XX"';
    const { events } = await handle(whole.slice(split + 4), { ...secret, 'content-type': type });
    expect(events).toMatchObject([{ jobId: jobId(4), kind: 'bounced' }]);
  });
});

describe('a bounce is refused', () => {
  it.each<[string, Record<string, string>, string]>([
    ['a secret', {}, 'missing_secret'],
    ['the right one', { 'x-batchsender-secret': 'wrong' }, 'wrong_secret'],
  ])('without %s, before it is read', async (_what, headers, code) => {
    await expect(handle('x'.repeat(10_000_000), headers)).rejects.toMatchObject(refused(401, code));
  });

  it('if the connection has no secret', async () => {
    const answer = callBack(callbacks, { host: 'a' }, { body: dsn(), headers: secret });
    await expect(answer).rejects.toMatchObject(refused(401, 'no_secret'));
  });

  it.each([
    ['a message that is no report', 'From: a@b.example\r\nSubject: Away\r\n\r\nI am on holiday'],
    ['nothing', ''],
    ['bytes', '\u0000\u00ff'.repeat(1_000)],
    ['10 MB of one line', 'x'.repeat(10_000_000)],
    ['parts in parts', nested(60)],
  ])('if it is %s', async (_what, body) => {
    await expect(handle(body)).rejects.toMatchObject(refused(400, 'no_delivery_status'));
  });

  it('if it is larger than any bounce', async () => {
    await expect(handle('x'.repeat(30_000_001))).rejects.toMatchObject(refused(400, 'body_too_large'));
  });
});

function nested(depth: number): string {
  const open = Array.from(
    { length: depth },
    (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`,
  );
  return open.join('');
}
