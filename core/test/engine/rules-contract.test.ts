import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { failed, type JobResult, pending, retry, succeeded } from '../../src/plugin/index.ts';
import { ended, sleep, testWorld, until } from '../helpers/engine-world.ts';
import { barrier, type FakeOptions, fake, numbered } from '../helpers/fake-plugin.ts';

const REJECTIONS = fileURLToPath(new URL('fixtures/rejections.ts', import.meta.url));

const world = testWorld();

const charged = () =>
  world.log.filter((entry) => entry.level === 'error' && entry.message?.includes('plugin-fake'));

describe('the answer to a call', () => {
  it('E22: of the wrong number makes its jobs unknown, and is charged to the plugin', async () => {
    const wrong: ((ids: string[]) => unknown)[] = [
      (ids) => ids.slice(1).map(() => succeeded()),
      (ids) => [...ids, 'x'].map(() => succeeded()),
      () => succeeded(),
      () => undefined,
    ];
    const mail = fake({
      provider: { batchSize: 5 },
      processBatch: (jobs) => {
        const answer = wrong[(jobs[0]?.seq ?? 0) / 5] ?? (() => jobs.map(() => succeeded()));
        return answer(jobs.map((job) => job.id)) as JobResult[];
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(30) });
    expect((await ended(engine, id)).counts).toMatchObject({ unknown: 20, succeeded: 10 });
    for (const seq of [0, 5, 10, 15]) {
      expect((await engine.getJob(`${id}.${seq}`)).code).toBe('missing_result');
    }
    expect(charged()).toHaveLength(4);
  });

  it('E22: by job id misses, doubles and invents nobody into a success', async () => {
    const mail = fake({
      provider: { batchSize: 5 },
      processBatch: (jobs) => {
        const [a, b, c, d] = jobs.map((job) => job.id);
        return [
          { ...succeeded(), jobId: d as string },
          { ...succeeded(), jobId: b as string },
          { ...failed('refused'), jobId: b as string },
          { ...succeeded(), jobId: 'somebody.else' },
          { ...failed('refused'), jobId: a as string },
          { status: 'great', jobId: c as string } as unknown as JobResult & { jobId: string },
        ];
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(5) });
    await ended(engine, id);
    const states = (await engine.listJobs(id)).items.map((job) => job.state);
    expect(states).toEqual(['failed', 'unknown', 'unknown', 'succeeded', 'unknown']);
    expect(charged()).toHaveLength(1);
  });

  it('E22: that cannot be written as JSON is kept as far as it can', async () => {
    const mail = fake({
      provider: { batchSize: 3 },
      processBatch: async () => [
        retry('busy', { afterMs: Number.NaN, data: { big: 1n } as never }),
        succeeded('r1', { big: 1n } as never),
        succeeded('r2', { nul: '\u0000', lone: '\ud800' }),
      ],
    });
    const single = fake({ type: 'sms', process: () => succeeded('r', { big: 1n } as never) });
    const engine = await world.started({ plugins: [mail, single], retry: { maxAttempts: 2, baseMs: 1 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1) });
    const other = await engine.submit({ type: 'mail', jobs: numbered(3) });
    const sms = await engine.submit({ type: 'sms', jobs: numbered(2) });
    expect((await ended(engine, sms.id)).counts).toMatchObject({ succeeded: 2 });
    expect((await ended(engine, id)).counts.total).toBe(1);
    const { counts } = await ended(engine, other.id);
    expect(counts).toMatchObject({ succeeded: 2 });
    expect((await engine.getJob(`${other.id}.1`)).ref).toBe('r1');
    expect((await engine.getJob(`${other.id}.2`)).events.at(-1)?.data).toMatchObject({ nul: '\u0000' });
    // Each was called once; the one that was to be tried again, twice.
    expect([...mail.timesCalled(other.id)].sort()).toEqual([
      [0, 2],
      [1, 1],
      [2, 1],
    ]);
  });

  it('E22: that asks for an endless wait is no reason to call again and again', async () => {
    const mail = fake({
      process: (job) => {
        if (job.seq === 0) return pending('p', 1e300);
        return job.attempt === 1 ? retry('later', { afterMs: Number.POSITIVE_INFINITY }) : succeeded();
      },
      resolve: () => [],
    });
    const sms = fake({ type: 'sms', process: () => ({ status: 'throttled', afterMs: 1e300 }) });
    const engine = await world.started({ plugins: [mail, sms], retry: { baseMs: 1 } });
    const throttled = await engine.submit({ type: 'sms', jobs: numbered(1) });
    await ended(engine, throttled.id);
    expect(await engine.getJob(`${throttled.id}.0`)).toMatchObject({ state: 'failed', code: 'expired' });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    await until('the success', async () => (await engine.getBatch(id)).counts.succeeded === 1);
    await until('the pending one', async () => (await engine.getBatch(id)).counts.waiting === 1);
    expect([...mail.timesCalled()].sort()).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(sms.calls).toHaveLength(1);
    expect(mail.questions).toEqual([]);
  });
});

describe('a plugin whose own functions throw', () => {
  const broken = (payload: { n?: number }) => {
    if (payload.n === 3) throw new Error('cannot say');
    return 'x';
  };

  it('E22: for one job fails that job alone', async () => {
    const providers: Record<string, FakeOptions['provider']> = {
      endpoint: { endpointKey: broken },
      group: { batchSize: 1, groupKey: broken },
      timeout: { timeoutMs: (payload) => broken(payload).length * 5_000 },
      guarantee: {
        guarantee: (_c, payload) => ({ kind: broken(payload) === 'x' ? 'at-least-once' : 'at-most-once' }),
      },
      rate: { rates: [{ per: 'call', max: 1_000, windowMs: 1_000, key: broken }] },
    };
    const plugins = Object.entries(providers).map(([type, provider = {}]) => fake({ type, provider }));
    const engine = await world.started({ plugins });
    for (const type of Object.keys(providers)) {
      const { id } = await engine.submit({ type, jobs: numbered(6) });
      expect((await ended(engine, id)).counts, type).toMatchObject({ succeeded: 5, failed: 1 });
      const fields = { state: 'failed', code: 'invalid_payload', message: 'cannot say' };
      expect(await engine.getJob(`${id}.3`), type).toMatchObject(fields);
    }
  });

  it('E18: an open that fails is tried again, and nobody is lost', async () => {
    let opens = 0;
    const mail = fake({
      provider: {
        open: () => {
          opens += 1;
          if (opens === 1) throw Object.assign(new Error('no network'), { code: 'ENETUNREACH' });
          return { process: () => succeeded() };
        },
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(3) });
    await until('the first try', () => opens === 1);
    await world.sql('UPDATE batchsender.chunks SET due_at = now()');
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 3 });
  });
});

describe('a call that takes too long', () => {
  it.each([
    ['at-most-once' as const, 'unknown', 1],
    ['at-least-once' as const, 'succeeded', 2],
  ])('is aborted at its deadline, and its guarantee decides: %s', async (kind, state, times) => {
    const reasons: unknown[] = [];
    const mail = fake({
      provider: { guarantee: { kind }, timeoutMs: (payload) => (payload.n === 0 ? 300 : 20_000) },
      process: async (job, call) => {
        if (job.seq === 0 && job.attempt === 1) {
          await new Promise((_, reject) => {
            call.signal.addEventListener('abort', () => {
              reasons.push(call.signal.reason);
              reject(call.signal.reason as Error);
            });
          });
        }
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], retry: { baseMs: 1 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(3) });
    await ended(engine, id);
    expect(await engine.getJob(`${id}.0`)).toMatchObject({ state, possibleDuplicate: times === 2 });
    expect(await engine.getJob(`${id}.1`)).toMatchObject({ state: 'succeeded', possibleDuplicate: false });
    expect(reasons).toEqual([expect.objectContaining({ name: 'TimeoutError', code: 'timeout' })]);
    expect(mail.timesCalled().get(0)).toBe(times);
    const call = mail.calls.find((one) => one.seqs[0] === 0);
    expect((call?.endedAt ?? 0) - (call?.startedAt ?? 0)).toBeGreaterThan(290);
  });

  it('does not hold its chunk when it ignores the abort', async () => {
    const mail = fake({
      provider: { guarantee: { kind: 'at-most-once' }, timeoutMs: 200 },
      process: (job) => (job.seq === 0 ? new Promise<never>(() => undefined) : succeeded()),
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(3) });
    expect((await ended(engine, id)).counts).toMatchObject({ unknown: 1, succeeded: 2 });
  });
});

describe('an engine that stops', () => {
  it('E7: lets calls under way end, and the next one repeats nobody', async () => {
    const hold = barrier();
    const mail = fake({
      provider: { guarantee: { kind: 'at-most-once' }, concurrency: 3 },
      process: async () => {
        if (mail.calls.length <= 3) await hold.pass();
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 5 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(30) });
    await until('three calls', () => mail.calls.length === 3);
    const stopping = engine.stop({ graceMs: 20_000 });
    await sleep(200);
    hold.open();
    await stopping;
    expect(mail.calls).toHaveLength(3);
    const kinds = await world.sql(
      'SELECT kind, count(*)::int AS n FROM batchsender.job_events GROUP BY kind ORDER BY kind',
    );
    expect(kinds.find((row) => row.kind === 'succeeded')?.n).toBe(3);
    expect(await world.sql(`SELECT 1 FROM batchsender.chunks WHERE state = 'leased'`)).toEqual([]);
    const next = await world.started({ plugins: [mail] });
    expect((await ended(next, id)).counts).toMatchObject({ succeeded: 30, unknown: 0 });
    expect([...mail.timesCalled().values()].every((times) => times === 1)).toBe(true);
  });

  it('aborts what does not end within the grace period; the guarantee decides', async () => {
    const mail = fake({
      provider: {
        guarantee: (_c, payload) => ({ kind: payload.n === 0 ? 'at-most-once' : 'at-least-once' }),
      },
      process: (job, call) => {
        if (job.attempt > 1) return succeeded();
        return new Promise((_, reject) =>
          call.signal.addEventListener('abort', () => reject(call.signal.reason as Error)),
        );
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2), retry: { baseMs: 1 } });
    await until('two calls', () => mail.calls.length === 2);
    const from = performance.now();
    await engine.stop({ graceMs: 300 });
    expect(performance.now() - from).toBeLessThan(5_000);
    const next = await world.started({ plugins: [mail] });
    await ended(next, id);
    expect(await next.getJob(`${id}.0`)).toMatchObject({ state: 'unknown', code: 'shutdown' });
    expect(await next.getJob(`${id}.1`)).toMatchObject({ state: 'succeeded', possibleDuplicate: true });
  });

  it('says so to whoever still calls it', async () => {
    const engine = await world.started({ plugins: [fake()] });
    await engine.stop();
    await engine.stop();
    await expect(engine.submit({ type: 'mail', jobs: numbered(1) })).rejects.toMatchObject({
      code: 'engine_stopped',
    });
    await expect(engine.start()).rejects.toMatchObject({ code: 'engine_stopped' });
  });
});

describe('a rejection that nobody awaited', () => {
  it('E22: is charged to the plugin by its name; one of the app ends the process as ever', async () => {
    const run = async (mode: string) => {
      const args = ['--conditions=@batchsender/source', REJECTIONS, world.url, mode];
      return promisify(execFile)(process.execPath, args).then(
        ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
        (error: { code: number; stdout: string; stderr: string }) => error,
      );
    };
    const charge = await run('plugin');
    expect(charge).toMatchObject({ code: 0 });
    const { counts, log } = JSON.parse(charge.stdout) as { counts: object; log: object[] };
    expect(counts).toMatchObject({ succeeded: 3 });
    expect(log).toContainEqual(
      expect.objectContaining({ plugin: 'plugin-fake', error: 'nobody awaits this' }),
    );
    for (const mode of ['app', 'app with two engines']) {
      const own = await run(mode);
      expect(own.code).not.toBe(0);
      expect(own.stderr).toContain('a mistake of the app');
    }
  });
});
