import { fakeCall } from '@batchsender/core/testing';
import { describe, expect, it } from 'vitest';
import type { CrmPayload } from '../../src/payload.ts';
import { sandbox } from '../../src/sandbox/sandbox-provider.ts';
import { jobsFor, openSender } from '../helpers/session.ts';

const session = await openSender(sandbox, { latencyMs: 0 });

const withText = (text: string): CrmPayload => ({
  operation: 'create',
  object: 'Contact',
  record: { Email: text },
});

const send = async (texts: readonly string[], attempt = 1) => {
  const jobs = jobsFor(texts.map(withText)).map((job) => ({ ...job, attempt }));
  return session.session.processBatch(jobs, fakeCall({ attempt }));
};

describe('the sandbox', () => {
  it('decides by words in a record', async () => {
    const words = ['fail', 'duplicate', 'missing', 'unknown', 'pending', 'retry', 'throttle', 'block'];
    const results = await send(['ada@example.com', ...words.map((word) => `ada+${word}@example.com`)]);
    expect(results.map(({ status }) => status)).toEqual([
      'succeeded',
      'failed',
      'failed',
      'failed',
      'unknown',
      'pending',
      'retry',
      'throttled',
      'blocked',
    ]);
    expect(results[1]).toMatchObject({ code: 'invalid_value', data: { field: 'Email' } });
  });

  it('takes a word as a text too, and changes its mind on the second attempt', async () => {
    const texts = ['sandbox:retry', 'sandbox:throttle', 'sandbox:block', 'sandbox:fail'];
    expect((await send(texts, 2)).map(({ status }) => status)).toEqual([
      'succeeded',
      'succeeded',
      'succeeded',
      'failed',
    ]);
  });

  it('settles a pending one when it is asked', async () => {
    const [job] = jobsFor([withText('sandbox:pending')]);
    if (job === undefined) throw new Error('no job');
    const answer = await session.session.resolve?.([{ ...job, ageMs: 0, ref: 'sandbox_1' }], fakeCall());
    expect(answer).toEqual([{ status: 'succeeded', ref: 'sandbox_1' }]);
  });

  it('stalls until the call ends', async () => {
    const call = fakeCall();
    const stalled = session.session.processBatch(jobsFor([withText('sandbox:stall')]), call);
    setTimeout(() => call.abort(), 20);
    await expect(stalled).rejects.toMatchObject({ code: 'timeout', notSent: false });
  });
});
