import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SmsPayload } from '../../src/payload.ts';
import { type SandboxCredentials, sandbox } from '../../src/sandbox/sandbox-provider.ts';
import { JOB_ID, openSender, type SendOptions } from '../helpers/session.ts';

const opened = (credentials: SandboxCredentials = {}) =>
  openSender(sandbox, { latencyMs: 0, receiptMs: 10, ...credentials });

async function send(payload: Partial<SmsPayload> = {}, options: SendOptions & SandboxCredentials = {}) {
  const { latencyMs = 0, ...rest } = options;
  const sender = await opened({ latencyMs });
  try {
    return await sender.send(payload, rest);
  } finally {
    await sender.close();
  }
}

afterEach(() => {
  vi.useRealTimers();
});

describe('the sandbox', () => {
  it('takes a message as a provider would', async () => {
    expect(await send()).toEqual({
      status: 'succeeded',
      ref: expect.stringMatching(/^SM[0-9a-f]{32}$/),
      data: { encoding: 'GSM-7', segments: 1 },
    });
    expect(await send({ body: 'я'.repeat(80) })).toMatchObject({ data: { encoding: 'UCS-2', segments: 2 } });
    expect(await send({ to: '+15005550006' })).toMatchObject({ status: 'succeeded' });
  });

  it.each<[to: string, first: object, second: object]>([
    ['+15005550001', { status: 'failed', code: 'invalid_recipient' }, { status: 'failed' }],
    ['+15005550002', { status: 'failed', code: 'not_routable' }, { status: 'failed' }],
    ['+15005550003', { status: 'failed', code: 'region_not_permitted' }, { status: 'failed' }],
    ['+15005550004', { status: 'failed', code: 'opted_out' }, { status: 'failed' }],
    ['+15005550009', { status: 'failed', code: 'not_a_mobile_number' }, { status: 'failed' }],
    ['+15005550010', { status: 'retry', code: 'service_unavailable' }, { status: 'succeeded' }],
    ['+15005550011', { status: 'throttled', afterMs: 1_000 }, { status: 'succeeded' }],
    ['+15005550012', { status: 'blocked', code: 'auth_failed' }, { status: 'succeeded' }],
    ['+15005550013', { status: 'unknown', code: 'connection_reset' }, { status: 'unknown' }],
  ])('does as the number %s says', async (to, first, second) => {
    expect(await send({ to })).toMatchObject(first);
    expect(await send({ to }, { attempt: 2 })).toMatchObject(second);
    expect(await send({ to: `(500) ${to.slice(5, 8)}-${to.slice(8)}`, country: 'US' })).toMatchObject(first);
  });

  it.each<[from: string, result: object]>([
    ['+15005550001', { status: 'failed', code: 'invalid_sender' }],
    ['+15005550007', { status: 'failed', code: 'invalid_sender' }],
    ['+15005550008', { status: 'throttled', code: 'queue_full' }],
    ['+15005550006', { status: 'succeeded' }],
  ])('does as the sender %s says', async (from, result) => {
    expect(await send({ from })).toMatchObject(result);
  });

  it('stalls until the call ends', async () => {
    const signal = AbortSignal.timeout(50);
    expect(await send({ to: '+15005550014' }, { signal })).toMatchObject({
      status: 'unknown',
      code: 'timeout',
    });
  });

  it('takes its time, and ends with the call', async () => {
    const signal = AbortSignal.timeout(50);
    expect(await send({}, { latencyMs: 60_000, signal })).toMatchObject({ status: 'retry', code: 'aborted' });
  });

  it('refuses a payload that was not validated', async () => {
    expect(await send({ to: 'nobody' })).toMatchObject({ status: 'failed', code: 'country_missing' });
  });
});

describe('its receipts', () => {
  const event = (kind: string, more: object = {}) => ({
    jobId: JOB_ID,
    kind,
    eventId: expect.stringMatching(`^SM[0-9a-f]{32}:${kind}$`),
    at: expect.any(Date),
    ...more,
  });

  it.each<[to: string, report: object]>([
    ['+4915123456789', { events: [event('delivered')] }],
    ['+15005550020', { events: [event('bounced', { data: { code: 'unreachable' } })] }],
    [
      '+15005550021',
      {
        events: [event('bounced', { data: { code: 'unknown_number' } })],
        suppress: [{ recipient: '+15005550021', reason: 'bounced' }],
      },
    ],
    [
      '+15005550022',
      {
        events: [event('delivered'), event('replied')],
        suppress: [{ recipient: '+15005550022', reason: 'unsubscribed' }],
      },
    ],
    ['+15005550001', { events: [] }],
  ])('of %s come later', async (to, report) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { send: sendOne, context } = await opened({ receiptMs: 5_000 });
    await sendOne({ to });
    await vi.advanceTimersByTimeAsync(4_900);
    expect(context.reported).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    const expected = report as { events: readonly object[] };
    expect(context.reported).toEqual(expected.events.length === 0 ? [] : [expected]);
  });

  it('come together where the messages did', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { send: sendOne, context } = await opened({ receiptMs: 1_000 });
    for (let seq = 0; seq < 500; seq++) await sendOne({}, { id: `b.${seq}` });
    await vi.advanceTimersByTimeAsync(150);
    await sendOne({}, { id: 'b.500' });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(context.reported.map(({ events }) => events.length)).toEqual([500, 1]);
  });

  it('do not come after the session was closed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const sender = await opened();
    await sender.send();
    await vi.advanceTimersByTimeAsync(105);
    await sender.send();
    await sender.close();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sender.context.reported).toEqual([]);
  });

  it('are the same event for a repeat of the same job', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { send: sendOne, context } = await opened();
    await sendOne();
    await sendOne({}, { attempt: 2 });
    await vi.advanceTimersByTimeAsync(1_000);
    const [first, second] = context.reported.flatMap(({ events }) => events);
    expect(first?.eventId).toBe(second?.eventId);
  });
});
