import type { JobResult } from '@batchsender/core/plugin';
import { conformance, fakeCall, fakeOpenContext } from '@batchsender/core/testing';
import { describe, expect, it } from 'vitest';
import { ended, testWorld } from '../../../core/test/helpers/engine-world.ts';
import plugin from '../src/index.ts';
import { sandbox } from '../src/sandbox-provider.ts';

const world = testWorld();

async function fate(word: string, attempt = 1, signal = AbortSignal.timeout(60_000)): Promise<JobResult> {
  const session = await sandbox.open({ latencyMs: 0 }, fakeOpenContext());
  const payload = { url: `https://example.com/hooks/${word}?a=1` };
  const job = { id: 'b.0', batchId: 'b', seq: 0, payload, attempt, possibleDuplicate: false };
  if (session.process === undefined) throw new Error('It takes one job a call');
  return session.process(job, fakeCall({ attempt, signal, timeoutMs: 100 }));
}

describe('the sandbox', () => {
  it.each<[string, Partial<JobResult>]>([
    ['anything', { status: 'succeeded' }],
    ['status-204', { status: 'succeeded' }],
    ['status-404', { status: 'failed', code: 'http_404' }],
    ['status-503', { status: 'retry', code: 'http_503' }],
    ['status-999', { status: 'succeeded' }],
    ['refused', { status: 'retry', code: 'connection_refused' }],
    ['cut', { status: 'retry', code: 'connection_reset', possibleDuplicate: true }],
    ['cut-once', { status: 'retry', code: 'connection_reset', possibleDuplicate: true }],
    ['retry', { status: 'retry', code: 'http_500' }],
    ['throttle', { status: 'throttled', afterMs: 1_000 }],
  ])('answers for %s as a receiver would', async (word, result) => {
    expect(await fate(word)).toMatchObject(result);
  });

  it.each(['retry', 'throttle', 'cut-once'])('lets %s through at the second attempt', async (word) => {
    expect(await fate(word, 2)).toMatchObject({ status: 'succeeded' });
  });

  it('does not answer for hang until the time is up', async () => {
    expect(await fate('hang', 1, AbortSignal.timeout(120))).toMatchObject({
      status: 'retry',
      code: 'timeout',
    });
  });

  it('takes dry runs, and nobody is called', async () => {
    const engine = await world.started({ plugins: [{ plugin }], retry: { baseMs: 1 } });
    // An address that a real call would refuse to dial.
    const jobs = ['a', 'status-410', 'retry'].map((word) => ({ url: `http://127.0.0.1:9/${word}` }));
    const batch = await engine.submit({ type: 'webhook', dryRun: true, jobs });
    expect(batch).toMatchObject({ provider: 'sandbox', dryRun: true });
    expect((await ended(engine, batch.id)).counts).toMatchObject({ succeeded: 2, failed: 1 });
  });
});

describe('the provider sandbox', () => {
  const payloads = [{ url: 'https://example.com/a' }, { url: 'https://example.com/b', body: { n: 1 } }];
  const options = { payloads, credentials: { latencyMs: 0 }, respond: { accept: () => undefined } };
  for (const { name, skip, run } of conformance({
    plugin,
    type: 'webhook',
    provider: 'sandbox',
    ...options,
  })) {
    it(name, (context) => (skip === undefined ? run() : context.skip(skip)));
  }
});
