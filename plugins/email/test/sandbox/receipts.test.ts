import type { SingleSession } from '@batchsender/core/plugin';
import { type FakeOpenContext, fakeCall, fakeJob, fakeOpenContext } from '@batchsender/core/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EmailPayload } from '../../src/payload.ts';
import { sandbox } from '../../src/sandbox/sandbox-provider.ts';
import { jobId } from '../helpers/provider-session.ts';
import { MAIL } from '../helpers/session.ts';

const AFTER_MS = 5_000;

let context: FakeOpenContext;
let session: SingleSession<EmailPayload>;

beforeEach(async () => {
  // Streams need the others.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  context = fakeOpenContext();
  const settings = { keep: 0, latencyMs: 0, receiptAfterMs: AFTER_MS };
  session = (await sandbox.open(settings, context)) as SingleSession<EmailPayload>;
});
afterEach(() => {
  vi.useRealTimers();
});

async function send(to: EmailPayload['to'], seq = 0): Promise<string> {
  const job = fakeJob({ ...MAIL, to }, { batchId: jobId(0).split('.')[0] as string, seq });
  const result = await session.process(job, fakeCall({ idempotencyKey: job.id }));
  return result.status;
}

const kinds = () => context.reported.flatMap(({ events }) => events.map(({ jobId: id, kind }) => [id, kind]));

describe('receipts of the sandbox', () => {
  it('come some time after the message, each with an id of its own', async () => {
    expect(await send('ada@example.com')).toBe('succeeded');
    vi.advanceTimersByTime(AFTER_MS - 1);
    expect(context.reported).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(context.reported).toMatchObject([
      {
        events: [{ jobId: jobId(0), kind: 'delivered', eventId: `sandbox-${jobId(0)}-delivered` }],
        suppress: [],
      },
    ]);
  });

  it.each([
    ['ada+bounced@example.com', ['bounced'], [{ recipient: 'ada+bounced@example.com', reason: 'bounced' }]],
    [
      'Complained@Example.com',
      ['delivered', 'complained'],
      [{ recipient: 'complained@example.com', reason: 'complained' }],
    ],
    ['opened@example.com', ['delivered', 'opened'], []],
    ['clicked@example.com', ['delivered', 'opened', 'clicked'], []],
  ])('of %s are %s', async (address, wanted, suppress) => {
    expect(await send(address)).toBe('succeeded');
    vi.advanceTimersByTime(AFTER_MS + 1);
    expect(kinds().map(([, kind]) => kind)).toEqual(wanted);
    expect(context.reported.flatMap((report) => report.suppress ?? [])).toEqual(suppress);
  });

  it('never come for the word silent, or for a message that was refused', async () => {
    expect(await send('silent@example.com')).toBe('succeeded');
    expect(await send('bounce@example.com')).toBe('failed');
    vi.advanceTimersByTime(10 * AFTER_MS);
    expect(context.reported).toEqual([]);
  });

  it('wait for their own time each', async () => {
    await send('ada@example.com', 0);
    vi.advanceTimersByTime(AFTER_MS / 2);
    await send('bob@example.com', 1);
    vi.advanceTimersByTime(AFTER_MS / 2 + 1);
    expect(kinds()).toEqual([[jobId(0), 'delivered']]);
    vi.advanceTimersByTime(AFTER_MS / 2 + 1);
    expect(kinds()).toEqual([
      [jobId(0), 'delivered'],
      [jobId(1), 'delivered'],
    ]);
  });

  it('that still wait are reported when the session ends, and not again', async () => {
    await send('ada@example.com');
    await session.close?.();
    vi.advanceTimersByTime(2 * AFTER_MS);
    expect(kinds()).toEqual([[jobId(0), 'delivered']]);
  });
});
