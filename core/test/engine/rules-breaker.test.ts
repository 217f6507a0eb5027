import { describe, expect, it } from 'vitest';
import { retry, succeeded, throttled } from '../../src/plugin/index.ts';
import { ended, sleep, testWorld, until } from '../helpers/engine-world.ts';
import { fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

/** Jobs that go to two endpoints in turn. */
const jobs = (count: number) => numbered(count).map(({ n = 0 }) => ({ n, to: n % 2 === 0 ? 'down' : 'up' }));

describe('the circuit of an endpoint that fails', () => {
  it('E19: opens, makes its jobs wait without failing or spending, and closes with a probe', async () => {
    let works = false;
    const mail = fake({
      provider: { concurrency: 4, endpointKey: (payload) => payload.to ?? '' },
      process: (job) => (works || job.payload.to === 'up' ? succeeded() : retry('http_500')),
    });
    const engine = await world.started({
      plugins: [mail],
      retry: { maxAttempts: 100, baseMs: 1, capMs: 50 },
    });
    const { id } = await engine.submit({ type: 'mail', jobs: jobs(120) });
    const toDown = () => mail.calls.filter((call) => call.jobs[0]?.payload.to === 'down');
    await until(
      'the end of the healthy ones',
      async () => (await engine.getBatch(id)).counts.succeeded === 60,
    );
    await until('the circuit to open', () => toDown().length >= 10);
    await sleep(800);
    const before = toDown().length;
    // A few calls may have been under way when it opened.
    expect(before).toBeLessThan(20);
    expect((await engine.getBatch(id)).counts).toMatchObject({ failed: 0, unknown: 0, waiting: 60 });
    const spent = await world.sql(
      `SELECT max(spent) AS spent FROM batchsender.chunks WHERE state <> 'closed'`,
    );
    expect(spent[0].spent).toBeLessThanOrEqual(before);
    works = true;
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 120 });
    // Half-open: the first call after the pause went alone, the others after it had worked.
    const [probe, second] = toDown().slice(before);
    expect((probe?.startedAt ?? 0) - (toDown()[before - 1]?.endedAt ?? 0)).toBeGreaterThan(4_000);
    expect(second?.startedAt).toBeGreaterThanOrEqual(probe?.endedAt ?? Number.POSITIVE_INFINITY);
  });

  it('E19: is opened for that endpoint alone when it asks for patience', async () => {
    let downUntil: number | undefined;
    const mail = fake({
      provider: { concurrency: 4, endpointKey: (payload) => payload.to ?? '' },
      process: (job) => {
        if (job.payload.to === 'up') return succeeded();
        downUntil ??= performance.now() + 1_500;
        const afterMs = downUntil - performance.now();
        return afterMs > 0 ? throttled(afterMs, { scope: 'endpoint', code: 'http_429' }) : succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], retry: { maxAttempts: 1 } });
    const { id } = await engine.submit({ type: 'mail', jobs: jobs(40) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 40 });
    const toDown = mail.calls.filter((call) => call.jobs[0]?.payload.to === 'down');
    const early = toDown.filter((call) => call.startedAt < (downUntil ?? 0) - 20);
    // Those that were under way when the first of them was told to wait.
    expect(early.length).toBeLessThanOrEqual(4);
    const toUp = mail.calls.filter((call) => call.jobs[0]?.payload.to === 'up');
    expect(toUp[0]?.startedAt).toBeLessThan(downUntil ?? 0);
  });

  it('E19: does not open for results that say nothing about the endpoint', async () => {
    const mail = fake({
      provider: { endpointKey: () => 'one' },
      process: (job) => (job.seq % 2 === 0 ? { status: 'failed', code: 'refused' } : succeeded()),
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(100) });
    expect((await ended(engine, id)).counts).toMatchObject({ failed: 50, succeeded: 50 });
  });
});
