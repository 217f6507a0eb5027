import { describe, expect, it } from 'vitest';
import type { BatchSenderError } from '../../src/engine/errors.ts';
import { failed, notSent, retry, succeeded, throttled, unknown } from '../../src/plugin/index.ts';
import { ended, testWorld, until } from '../helpers/engine-world.ts';
import { barrier, fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

const timeline = async (batchId: string, seq = 0): Promise<string[]> => {
  const rows = await world.sql(
    'SELECT kind, attempt FROM batchsender.job_events WHERE batch_id = $1 AND seq = $2 ORDER BY id',
    [batchId, seq],
  );
  return rows.map((row) => `${row.kind} ${row.attempt}`);
};

describe('a job that did not work', () => {
  it('E4: is tried again until its budget is spent, then it fails', async () => {
    const mail = fake({ process: () => retry('http_503', { message: 'busy' }) });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({
      type: 'mail',
      jobs: numbered(1),
      retry: { maxAttempts: 3, baseMs: 10 },
    });
    expect((await ended(engine, id)).counts).toMatchObject({ failed: 1 });
    expect(mail.calls.map((call) => call.attempt)).toEqual([1, 2, 3]);
    expect(await timeline(id)).toEqual(['retried 1', 'retried 2', 'failed 3']);
    const job = await engine.getJob(`${id}.0`);
    expect(job).toMatchObject({
      state: 'failed',
      code: 'http_503',
      message: 'busy',
      attempts: 3,
      possibleDuplicate: false,
    });
    expect(job.events.at(-1)?.data).toMatchObject({ exhausted: true });
  });

  it('E4: spends nothing of its budget by being throttled', async () => {
    const mail = fake({ process: (job) => (job.attempt < 4 ? throttled(20) : succeeded()) });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1), retry: { maxAttempts: 1 } });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 1 });
    expect(await timeline(id)).toEqual(['postponed 1', 'postponed 2', 'postponed 3', 'succeeded 4']);
  });

  it('E4: is not called before the time that the provider asked for', async () => {
    const mail = fake({
      process: (job) => (job.attempt === 1 ? retry('later', { afterMs: 400 + 100 * job.seq }) : succeeded()),
    });
    const engine = await world.started({ plugins: [mail], retry: { baseMs: 1 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(5) });
    await ended(engine, id);
    for (let seq = 0; seq < 5; seq++) {
      const [first, second] = mail.calls.filter((call) => call.seqs[0] === seq);
      // The database's clock and this process's may drift apart by a few milliseconds.
      expect((second?.startedAt ?? 0) - (first?.endedAt ?? 0)).toBeGreaterThan(390 + 100 * seq);
    }
  });

  it('E4: goes into follow-up chunks by due second and by budget spent', async () => {
    const mail = fake({
      provider: { endpointKey: (payload) => `endpoint ${payload.n}` },
      process: ({ seq }) => {
        if (seq >= 4) return retry('later', { afterMs: 60_000 });
        return throttled(60_000 + 10_000 * (seq % 2), { scope: 'endpoint' });
      },
    });
    const engine = await world.started({ plugins: [mail], retry: { baseMs: 1 } });
    await engine.submit({ type: 'mail', jobs: numbered(6) });
    const open = `SELECT seqs, spent, attempt, round(extract(epoch FROM due_at - now()))::int AS due
      FROM batchsender.chunks WHERE state = 'ready' AND attempt = 2 ORDER BY spent, due`;
    const chunks = await until('the follow-ups', async () => {
      const rows = await world.sql(open);
      return rows.length > 0 ? rows : undefined;
    });
    expect(chunks.map(({ seqs, spent }) => ({ seqs, spent }))).toEqual([
      { seqs: [0, 2], spent: 0 },
      { seqs: [1, 3], spent: 0 },
      { seqs: [4, 5], spent: 1 },
    ]);
    expect(chunks[1].due - chunks[0].due).toBeGreaterThanOrEqual(9);
  });

  it('E4: fails as expired when it is too old to be tried again', async () => {
    const mail = fake({ process: () => retry('busy', { afterMs: 400 }) });
    const engine = await world.started({ plugins: [mail] });
    const policy = { maxAttempts: 100, maxAgeMs: 1_000, baseMs: 1 };
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1), retry: policy });
    expect((await ended(engine, id)).counts).toMatchObject({ failed: 1 });
    expect((await engine.getJob(`${id}.0`)).code).toBe('expired');
    expect(mail.calls.length).toBeLessThanOrEqual(3);
  });

  it('E4: is never started once it is too old', async () => {
    const mail = fake();
    const engine = world.engine({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(3), retry: { maxAgeMs: 1_000 } });
    await world.sql(`UPDATE batchsender.chunks SET first_due_at = now() - interval '2 seconds'`);
    await engine.start();
    expect((await ended(engine, id)).counts).toMatchObject({ failed: 3 });
    expect(mail.calls).toEqual([]);
    expect((await engine.getJob(`${id}.1`)).code).toBe('expired');
  });

  it('E4: is unknown when it is too old and an earlier call is undecided', async () => {
    const mail = fake({
      process: () => {
        throw Object.assign(new Error('the wire broke'), { code: 'reset' });
      },
    });
    const engine = await world.started({ plugins: [mail], retry: { baseMs: 60_000, capMs: 60_000 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1), retry: { maxAgeMs: 1_000 } });
    await until(
      'the follow-up',
      async () => (await world.sql('SELECT 1 FROM batchsender.chunks WHERE attempt = 2'))[0],
    );
    await world.sql(`UPDATE batchsender.chunks SET due_at = now(), first_due_at = now() - interval '2 seconds'
      WHERE attempt = 2`);
    expect((await ended(engine, id)).counts).toMatchObject({ unknown: 1 });
    expect(mail.calls).toHaveLength(1);
  });

  it('is a plain retry, without a doubt, if nothing was sent', async () => {
    const mail = fake({
      provider: { guarantee: { kind: 'at-most-once' } },
      process: (job) => {
        if (job.attempt === 1) throw notSent(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }));
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], retry: { baseMs: 1 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 1 });
    expect(await timeline(id)).toEqual(['attempted 1', 'retried 1', 'attempted 2', 'succeeded 2']);
    expect(mail.calls[1]?.jobs[0]?.possibleDuplicate).toBe(false);
  });

  it('is flagged as a possible duplicate when its call may have arrived', async () => {
    const mail = fake({
      process: (job) => {
        if (job.seq === 0)
          return job.attempt === 1 ? retry('reset', { possibleDuplicate: true }) : succeeded();
        if (job.attempt === 1) throw Object.assign(new Error('cut'), { code: 'reset' });
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], retry: { baseMs: 1 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    await ended(engine, id);
    for (const seq of [0, 1]) {
      expect(
        mail.calls.filter((call) => call.seqs[0] === seq).map((call) => call.jobs[0]?.possibleDuplicate),
      ).toEqual([false, true]);
      expect(await engine.getJob(`${id}.${seq}`)).toMatchObject({
        state: 'succeeded',
        possibleDuplicate: true,
      });
    }
  });

  it('keyed by job: is not called again past the life of its key', async () => {
    const mail = fake({
      provider: { guarantee: { kind: 'keyed', scope: 'job', ttlMs: 300 } },
      process: () => retry('reset', { possibleDuplicate: true, afterMs: 600 }),
    });
    const engine = await world.started({ plugins: [mail], retry: { baseMs: 600_000, capMs: 600 } });
    const { id } = await engine.submit({
      type: 'mail',
      jobs: numbered(1),
      retry: { baseMs: 86_400_000, capMs: 86_400_000 },
    });
    await until(
      'the follow-up',
      async () => (await world.sql('SELECT 1 FROM batchsender.chunks WHERE attempt = 2'))[0],
    );
    await world.sql(
      `UPDATE batchsender.chunks SET due_at = now(), first_leased_at = now() - interval '1 second' WHERE attempt = 2`,
    );
    expect((await ended(engine, id)).counts).toMatchObject({ unknown: 1 });
    expect((await engine.getJob(`${id}.0`)).code).toBe('key_expired');
    expect(mail.calls).toHaveLength(1);
  });
});

describe('a batch that is retried by hand', () => {
  it('E5: reopens the settled jobs of the asked states, with a higher attempt', async () => {
    let works = false;
    const mail = fake({
      process: (job) => {
        if (works || job.seq % 3 === 0) return succeeded();
        return job.seq % 3 === 1 ? failed('refused') : unknown('who_knows');
      },
    });
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 4 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(30) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 10, failed: 10, unknown: 10 });
    works = true;
    expect(['running', 'completed']).toContain((await engine.retry(id, ['failed'])).state);
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 20, failed: 0, unknown: 10 });
    expect(await timeline(id, 1)).toEqual(['failed 1', 'reopened 2', 'succeeded 2']);
    expect(await timeline(id, 2)).toEqual(['unknown 1']);
    await engine.retry(id, ['unknown', 'cancelled']);
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 30, unknown: 0 });
    // What was unknown may have arrived.
    expect((await engine.getJob(`${id}.2`)).possibleDuplicate).toBe(true);
    expect((await engine.getJob(`${id}.1`)).possibleDuplicate).toBe(false);
  });

  it('E5: counts once if two do it at once', async () => {
    let works = false;
    const mail = fake({ process: () => (works ? succeeded() : failed('refused')) });
    const engine = await world.started({ plugins: [mail] });
    const other = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(50) });
    await ended(engine, id);
    works = true;
    await Promise.all([
      engine.retry(id, ['failed']),
      other.retry(id, ['failed']),
      engine.retry(id, ['failed']),
    ]);
    expect((await ended(engine, id)).counts).toMatchObject({ total: 50, succeeded: 50 });
    for (let seq = 0; seq < 50; seq += 7) {
      expect(await timeline(id, seq)).toEqual(['failed 1', 'reopened 2', 'succeeded 2']);
    }
    expect([...mail.timesCalled().values()].every((times) => times === 2)).toBe(true);
  });

  it('E5: works while the batch still runs', async () => {
    const hold = barrier();
    let works = false;
    const mail = fake({
      process: async (job) => {
        if (job.seq === 9) await hold.pass();
        return works || job.seq === 9 ? succeeded() : failed('refused');
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(10) });
    await until('nine failures', async () => (await engine.getBatch(id)).counts.failed === 9);
    works = true;
    await engine.retry(id, ['failed']);
    await until('nine successes', async () => (await engine.getBatch(id)).counts.succeeded === 9);
    expect((await engine.getBatch(id)).counts).toMatchObject({ total: 10, failed: 0, running: 1 });
    hold.open();
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 10 });
  });

  it('E5: is refused while it is open or scheduled', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { id } = await engine.submit({ type: 'mail' });
    await expect(engine.retry(id, ['failed'])).rejects.toMatchObject({ code: 'batch_state_conflict' });
    const later = await engine.submit({
      type: 'mail',
      jobs: numbered(1),
      scheduledAt: new Date(Date.now() + 60_000),
    });
    await expect(engine.retry(later.id, ['failed'])).rejects.toMatchObject({ code: 'batch_state_conflict' });
  });
});

describe('a job that is resolved by hand', () => {
  it('E5: is settled as told, and never reopened by it', async () => {
    const mail = fake({ process: () => unknown('who_knows') });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    await ended(engine, id);
    expect(await engine.resolveJob(`${id}.0`, 'succeeded', { note: 'seen' })).toMatchObject({
      state: 'succeeded',
    });
    expect(await engine.resolveJob(`${id}.1`, 'failed')).toMatchObject({ state: 'failed' });
    expect((await engine.getBatch(id)).counts).toMatchObject({ succeeded: 1, failed: 1, unknown: 0 });
    expect((await engine.getBatch(id)).state).toBe('completed');
    expect((await engine.getJob(`${id}.0`)).events.at(-1)?.data).toMatchObject({
      outcome: 'succeeded',
      note: 'seen',
    });
    expect(mail.calls).toHaveLength(2);
  });

  it('E5: counts once if several do it at once', async () => {
    const mail = fake({ process: () => unknown('who_knows') });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1) });
    await ended(engine, id);
    const outcomes = ['succeeded', 'failed', 'succeeded', 'failed'] as const;
    const done = await Promise.allSettled(outcomes.map((outcome) => engine.resolveJob(`${id}.0`, outcome)));
    expect(done.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    for (const one of done) {
      if (one.status === 'rejected') expect((one.reason as BatchSenderError).code).toBe('job_not_unknown');
    }
    const { counts } = await engine.getBatch(id);
    expect(counts.succeeded + counts.failed).toBe(1);
    expect(counts.unknown).toBe(0);
  });

  it('E5: is either resolved or reopened if both are asked at once, and counted once', async () => {
    const mail = fake({ process: (job) => (job.attempt === 1 ? unknown('who_knows') : succeeded()) });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(20) });
    await ended(engine, id);
    const resolving = numbered(20).map(({ n }) => engine.resolveJob(`${id}.${n}`, 'failed'));
    const all = await Promise.allSettled([
      ...resolving.slice(0, 10),
      engine.retry(id, ['unknown']),
      ...resolving.slice(10),
    ]);
    const resolved = all.filter((one, index) => index !== 10 && one.status === 'fulfilled').length;
    const { counts } = await ended(engine, id);
    expect(counts).toMatchObject({ total: 20, failed: resolved, succeeded: 20 - resolved, unknown: 0 });
    expect(mail.calls).toHaveLength(20 + 20 - resolved);
  });

  it('E5: must be unknown', async () => {
    const engine = await world.started({ plugins: [fake()] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1) });
    await ended(engine, id);
    await expect(engine.resolveJob(`${id}.0`, 'failed')).rejects.toMatchObject({ code: 'job_not_unknown' });
    await expect(engine.resolveJob(`${id}.7`, 'failed')).rejects.toMatchObject({ code: 'job_not_found' });
    await expect(engine.resolveJob(`${id}.0`, 'failed', { tenantId: 'other' })).rejects.toMatchObject({
      code: 'job_not_found',
    });
  });
});
