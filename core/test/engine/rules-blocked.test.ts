import { describe, expect, it } from 'vitest';
import { blocked, retry, succeeded, Type } from '../../src/plugin/index.ts';
import { ended, sleep, testWorld, until } from '../helpers/engine-world.ts';
import { barrier, fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

describe('a blocked connection', () => {
  it('E18: lets all its batches wait, fails nobody, and repeats nobody when it goes on', async () => {
    let works = true;
    const mail = fake({
      provider: { concurrency: 3, guarantee: { kind: 'at-most-once' } },
      process: async () => {
        if (mail.calls.length === 60) works = false;
        await sleep(2);
        return works ? succeeded() : blocked('quota_spent', { message: 'come back later' });
      },
    });
    const engine = await world.started({
      plugins: [mail],
      retry: { maxAttempts: 1 },
      tuning: { chunkSize: 20 },
    });
    const other = await world.started({
      plugins: [mail],
      retry: { maxAttempts: 1 },
      tuning: { chunkSize: 20 },
    });
    const ids = await Promise.all(
      [1, 2].map(async () => (await engine.submit({ type: 'mail', jobs: numbered(100) })).id),
    );
    const block = await until('the block', async () => (await engine.getBatch(ids[0] as string)).blocked);
    expect(block).toMatchObject({ code: 'quota_spent', message: 'come back later', since: expect.any(Date) });
    await until('that all wait', async () => {
      const batches = await Promise.all(ids.map((id) => other.getBatch(id)));
      return batches.every(({ counts }) => counts.running === 0 && counts.succeeded + counts.waiting === 100);
    });
    const called = mail.calls.length;
    await sleep(600);
    expect(mail.calls).toHaveLength(called);
    const succeededBefore = (
      await world.sql(`SELECT seq, batch_id FROM batchsender.job_events WHERE kind = 'succeeded'`)
    ).length;
    works = true;
    expect(await other.connections.unblock('mail.fake')).toMatchObject({ state: 'ok', code: null });
    for (const id of ids)
      expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 100, failed: 0, unknown: 0 });
    expect(mail.calls.slice(called)).toHaveLength(200 - succeededBefore);
  });

  it('E18: shows its state, the first reason, and goes on after a restart', async () => {
    let works = false;
    const mail = fake({ process: () => (works ? succeeded() : blocked('invalid_key')) });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(3) });
    await until('the block', async () => (await engine.connections.list())[0]?.state === 'blocked');
    expect(await engine.connections.list()).toMatchObject([
      { id: 'mail.fake', code: 'invalid_key', since: expect.any(Date) },
    ]);
    await engine.stop();
    const next = await world.started({ plugins: [mail] });
    const called = mail.calls.length;
    await sleep(300);
    expect(mail.calls).toHaveLength(called);
    works = true;
    await next.connections.unblock('mail.fake');
    expect((await ended(next, id)).counts).toMatchObject({ succeeded: 3 });
    await expect(next.connections.unblock('mail.none')).rejects.toMatchObject({
      code: 'connection_not_found',
    });
  });

  it('E18: lets calls under way end, and keeps what they brought', async () => {
    const hold = barrier();
    const mail = fake({
      provider: { concurrency: 2 },
      process: async (job) => {
        if (job.attempt === 1 && job.seq === 1) return blocked('quota');
        await hold.pass();
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    await until('the block', async () => (await engine.getBatch(id)).blocked);
    hold.open();
    await until('the success', async () => (await engine.getBatch(id)).counts.succeeded === 1);
    await engine.connections.unblock('mail.fake');
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 2 });
    expect([...mail.timesCalled()].sort()).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  it('E18: is what credentials that the provider cannot use lead to', async () => {
    const mail = fake({ provider: { credentials: Type.Object({ apiKey: Type.String() }) } });
    const engine = await world.started({ plugins: [mail], credentials: () => ({ apiKey: 7 as never }) });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    const { code, message } = await until('the block', async () => (await engine.getBatch(id)).blocked);
    expect(code).toBe('invalid_credentials');
    expect(message).toContain('/apiKey');
    await until('that both wait', async () => (await engine.getBatch(id)).counts.waiting === 2);
    expect(mail.calls).toEqual([]);
  });
});

describe('a provider that throws', () => {
  it('E18: ten times the same in a row blocks its connection, and fails nobody', async () => {
    let works = false;
    const mail = fake({
      provider: { concurrency: 1 },
      process: () => {
        if (!works) throw new TypeError("Cannot read properties of undefined (reading 'id')");
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], retry: { maxAttempts: 100, baseMs: 1 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(40) });
    const { code, message } = await until('the block', async () => (await engine.getBatch(id)).blocked);
    expect(code).toBe('provider_error');
    expect(message).toContain("reading 'id'");
    await until('that all wait', async () => (await engine.getBatch(id)).counts.running === 0);
    expect(mail.calls).toHaveLength(10);
    expect((await engine.getBatch(id)).counts).toMatchObject({ waiting: 40, failed: 0, unknown: 0 });
    expect(world.log.some((entry) => entry.level === 'error' && entry.message?.includes('plugin-fake'))).toBe(
      true,
    );
    works = true;
    await engine.connections.unblock('mail.fake');
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 40 });
  });

  it('E18: now and then, or what the network said, blocks nothing', async () => {
    const mail = fake({
      provider: { concurrency: 1 },
      process: (job) => {
        if (job.attempt > 1) return succeeded();
        if (job.seq % 5 === 0) return retry('busy');
        if (job.seq % 2 === 0) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
        throw new Error('odd');
      },
    });
    const engine = await world.started({ plugins: [mail], retry: { baseMs: 1 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(60) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 60 });
    expect((await engine.connections.list())[0]?.state).toBe('ok');
  });
});
