import { describe, expect, it } from 'vitest';
import { createRegistry } from '../../src/engine/create-registry.ts';
import type { Job, Provider, Session } from '../../src/plugin/index.ts';
import { failed, retry, succeeded } from '../../src/plugin/index.ts';
import {
  type FakePayload,
  type FakeProvider,
  type FakeProviderOptions,
  fakeCall,
  fakeJob,
  fakeOpenContext,
  fakeProvider,
  runConformance,
} from '../../src/testing/index.ts';

async function openFake(
  options?: FakeProviderOptions,
): Promise<{ fake: FakeProvider; session: Session<FakePayload> }> {
  const fake = fakeProvider(options);
  const provider = createRegistry([fake.plugin]).provider(fake.type, 'fake') as Provider<FakePayload>;
  return { fake, session: await provider.open({} as never, fakeOpenContext()) };
}

const jobs = (count: number): Job<FakePayload>[] =>
  Array.from({ length: count }, (_, seq) => fakeJob({ n: seq }, { seq }));

describe('a fake provider', () => {
  it('takes every job, if it is told nothing', async () => {
    const { fake, session } = await openFake();
    const [job] = jobs(1) as [Job<FakePayload>];
    expect(await session.process?.(job, fakeCall({ idempotencyKey: 'k' }))).toEqual({ status: 'succeeded' });
    expect(fake.ledger.entries).toMatchObject([
      { kind: 'call', call: 1, job, idempotencyKey: 'k', answer: { status: 'succeeded' } },
    ]);
  });

  it('answers by a function of the job, and counts how often each was called', async () => {
    const { fake, session } = await openFake({
      result: ({ attempt, payload }) => (attempt === 1 ? retry('not_yet') : succeeded(`ref_${payload.n}`)),
    });
    const [first, second] = jobs(2) as [Job<FakePayload>, Job<FakePayload>];
    expect(await session.process?.(first, fakeCall())).toEqual(retry('not_yet'));
    expect(await session.process?.({ ...first, attempt: 2 }, fakeCall())).toEqual(succeeded('ref_0'));
    await session.process?.(second, fakeCall());
    expect(fake.ledger.count(first.id)).toBe(2);
    expect(fake.ledger.repeated()).toEqual([first.id]);
    expect(fake.ledger.jobs).toBe(2);
    expect(fake.ledger.calls).toBe(3);
  });

  it('takes many jobs in one call, and knows how many calls ran at once', async () => {
    const { fake, session } = await openFake({
      batchSize: 3,
      latencyMs: 5,
      result: ({ seq }) => (seq === 1 ? failed('bad_row') : succeeded()),
    });
    const calls = [jobs(3), jobs(2)].map((some) => session.processBatch?.(some, fakeCall()));
    expect(fake.ledger.running).toBe(2);
    const [first] = await Promise.all(calls);
    expect(first?.map(({ status }) => status)).toEqual(['succeeded', 'failed', 'succeeded']);
    expect(fake.ledger).toMatchObject({ running: 0, mostRunning: 2, calls: 2 });
  });

  it('ends a slow call with the reason of its signal, and records the throw', async () => {
    const { fake, session } = await openFake({ latencyMs: 60_000 });
    const call = fakeCall({ timeoutMs: 20 });
    const result = session.process?.(jobs(1)[0] as Job<FakePayload>, call);
    call.abort();
    await expect(result).rejects.toMatchObject({ code: 'timeout' });
    expect(fake.ledger.entries[0]?.thrown).toMatchObject({ code: 'timeout' });
    expect(fake.ledger.entries[0]?.endedMs).toBeGreaterThan(0);
  });

  it('goes on after its signal, if it is told to', async () => {
    const { session } = await openFake({ latencyMs: 20, ignoreSignal: true });
    const call = fakeCall();
    const result = session.process?.(jobs(1)[0] as Job<FakePayload>, call);
    call.abort();
    await expect(result).resolves.toEqual({ status: 'succeeded' });
  });

  it('can be asked about jobs, if it is told how', async () => {
    const { fake, session } = await openFake({
      guarantee: { kind: 'reconcilable', settleMs: 0 },
      resolve: ({ note }) => (note === undefined ? { status: 'absent' } : succeeded('found')),
    });
    const [job] = jobs(1) as [Job<FakePayload>];
    expect(await session.resolve?.([{ ...job, ageMs: 1 }], fakeCall())).toEqual([{ status: 'absent' }]);
    expect(await session.resolve?.([{ ...job, ageMs: 1, note: 1 }], fakeCall())).toEqual([
      succeeded('found'),
    ]);
    expect(fake.ledger.calls).toBe(0);
    expect(fake.ledger.entries.map(({ kind }) => kind)).toEqual(['resolve', 'resolve']);
  });

  it('passes what of the conformance suite needs no vendor', async () => {
    const { plugin, type } = fakeProvider({ batchSize: 3, latencyMs: 1 });
    const respond = { accept: () => undefined };
    const options = {
      plugin,
      type,
      provider: 'fake',
      credentials: {},
      payloads: [{ n: 1, text: 'some text' }],
      respond,
    };
    const { failed: wrong } = await runConformance(options);
    expect(wrong).toEqual([]);
  });
});
