import { describe, expect, it } from 'vitest';
import type { ChunkLease, Store } from '../../src/engine/store.ts';
import {
  failed,
  type Guarantee,
  pending,
  type Resolution,
  retry,
  succeeded,
  unknown,
} from '../../src/plugin/index.ts';
import { ended, holdChunks, testWorld, until } from '../helpers/engine-world.ts';
import { barrier, type Fake, fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

const RUNNER = '018f0000-0000-7000-8000-000000000001';
const timeline = async (seq: number): Promise<string[]> =>
  (await world.sql('SELECT kind, attempt FROM batchsender.job_events WHERE seq = $1 ORDER BY id', [seq])).map(
    (row) => `${row.kind} ${row.attempt}`,
  );

/** A batch whose first runner died after it had fenced calls for some of its jobs. */
async function interrupted(
  provider: Fake,
  jobs: number,
  calls: readonly { seqs: readonly number[]; data: string | null }[],
): Promise<{ id: string; store: Store; lease: ChunkLease }> {
  const engine = world.engine({ plugins: [provider] });
  const store = await world.store();
  const { id } = await engine.submit({ type: 'mail', jobs: numbered(jobs) });
  const [chunk] = await world.sql('SELECT id::int FROM batchsender.chunks');
  const lease = await store.run.lease(chunk.id, RUNNER);
  if (lease === undefined) throw new Error('no lease');
  for (const { seqs, data } of calls) {
    await store.run.fence(
      lease,
      seqs.map((seq) => ({ seq, kind: 'attempted' as const, data })),
    );
  }
  await store.maintenance.recoverChunks(0);
  return { id, store, lease };
}

describe('a call whose process died', () => {
  it('E3: is unknown under at-most-once; what was not fenced is called', async () => {
    const mail = fake({ provider: { guarantee: { kind: 'at-most-once' } } });
    const { id } = await interrupted(mail, 4, [{ seqs: [1, 3], data: null }]);
    const engine = await world.started({ plugins: [mail] });
    expect((await ended(engine, id)).counts).toMatchObject({ unknown: 2, succeeded: 2 });
    expect([...mail.timesCalled().keys()].sort()).toEqual([0, 2]);
    expect(await engine.getJob(`${id}.1`)).toMatchObject({ state: 'unknown', code: 'interrupted' });
    expect(mail.calls.some((call) => call.jobs[0]?.possibleDuplicate)).toBe(false);
  });

  it('keyed by call: is repeated with the same key and exactly the same jobs', async () => {
    const mail = fake({
      provider: { batchSize: 3, guarantee: { kind: 'keyed', scope: 'call', ttlMs: 60_000 } },
      processBatch: (jobs) => jobs.map(() => succeeded()),
    });
    const { id } = await interrupted(mail, 9, [
      { seqs: [0, 4, 8], data: '{"call":"key-1"}' },
      { seqs: [1, 2], data: '{"call":"key-2"}' },
      { seqs: [5], data: null },
    ]);
    const engine = await world.started({ plugins: [mail] });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 9 });
    const calls = mail.calls.map((call) => [call.key, ...call.seqs]);
    expect(calls).toContainEqual(['key-1', 0, 4, 8]);
    expect(calls).toContainEqual(['key-2', 1, 2]);
    expect(calls).toContainEqual([`${id}.5`, 5]);
    expect(calls).toHaveLength(4);
    expect(mail.calls.every((call) => call.attempt === 1)).toBe(true);
  });

  it('keyed by call: is unknown past the life of its key', async () => {
    const mail = fake({
      provider: { batchSize: 3, guarantee: { kind: 'keyed', scope: 'call', ttlMs: 10_000 } },
      processBatch: (jobs) => jobs.map(() => succeeded()),
    });
    const { id } = await interrupted(mail, 6, [{ seqs: [0, 1, 2], data: '{"call":"k"}' }]);
    await world.sql(`UPDATE batchsender.chunks SET first_leased_at = now() - interval '11 seconds'`);
    const engine = await world.started({ plugins: [mail] });
    expect((await ended(engine, id)).counts).toMatchObject({ unknown: 3, succeeded: 3 });
    expect(mail.calls.map((call) => call.seqs)).toEqual([[3, 4, 5]]);
  });

  it('keyed by job: is repeated with the id of its job, without a doubt', async () => {
    const mail = fake({ provider: { guarantee: { kind: 'keyed', scope: 'job', ttlMs: 60_000 } } });
    const { id } = await interrupted(mail, 2, []);
    const engine = await world.started({ plugins: [mail] });
    await ended(engine, id);
    expect(mail.calls.map((call) => call.key).sort()).toEqual([`${id}.0`, `${id}.1`]);
    expect(mail.calls.some((call) => call.jobs[0]?.possibleDuplicate)).toBe(false);
  });

  it('keyed by job: is unknown past the life of its key', async () => {
    const mail = fake({ provider: { guarantee: { kind: 'keyed', scope: 'job', ttlMs: 10_000 } } });
    const { id } = await interrupted(mail, 2, []);
    await world.sql(`UPDATE batchsender.chunks SET first_leased_at = now() - interval '11 seconds'`);
    const engine = await world.started({ plugins: [mail] });
    expect((await ended(engine, id)).counts).toMatchObject({ unknown: 2 });
    expect(mail.calls).toEqual([]);
  });
});

describe('a keyed call that is lost while its process lives', () => {
  it('is repeated with the same key and the same jobs, until its budget is spent', async () => {
    let broken = true;
    const mail = fake({
      provider: { batchSize: 3, concurrency: 1, guarantee: { kind: 'keyed', scope: 'call', ttlMs: 600_000 } },
      processBatch: (jobs) => {
        if (broken && jobs.some((job) => job.seq === 4))
          throw Object.assign(new Error('cut'), { code: 'reset' });
        return jobs.map(() => succeeded());
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(9), retry: { baseMs: 1 } });
    const lost = () => mail.calls.filter((call) => call.seqs.includes(4));
    await until('a repeat', () => lost().length === 2);
    broken = false;
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 9 });
    expect(lost().length).toBeGreaterThanOrEqual(3);
    for (const call of lost()) {
      expect(call).toMatchObject({ key: lost()[0]?.key, seqs: lost()[0]?.seqs, attempt: 1 });
    }
    broken = true;
    const spent = await engine.submit({
      type: 'mail',
      jobs: numbered(6),
      retry: { baseMs: 1, maxAttempts: 2 },
    });
    expect((await ended(engine, spent.id)).counts).toMatchObject({ succeeded: 3, unknown: 3 });
  });

  it('E7: keeps its fence when its repeat is called off', async () => {
    const first = barrier();
    const mail = fake({
      provider: {
        batchSize: 2,
        concurrency: 1,
        // The endpoints take turns: that of the calls without a fence comes first.
        endpointKey: (payload) => `e${(payload.n ?? 0) % 2}`,
        guarantee: (_credentials, payload) =>
          (payload.n ?? 0) % 2 === 1
            ? { kind: 'at-least-once' }
            : { kind: 'keyed', scope: 'call', ttlMs: 600_000 },
      },
      processBatch: async (jobs) => {
        if (mail.calls.length === 1) await first.pass();
        return jobs.map(() => succeeded());
      },
    });
    const { id } = await interrupted(mail, 4, [{ seqs: [0, 2], data: '{"call":"key"}' }]);
    const tuning = { sliceMs: 60_000, startWithinMs: 60_000 };
    const engine = await world.started({ plugins: [mail], tuning });
    await until('the first call', () => mail.calls.length === 1);
    expect(mail.calls[0]?.seqs).toEqual([1, 3]);
    const held = await holdChunks(world);
    first.open();
    await held.fenceWaits();
    await engine.pause(id);
    await held.release();
    await until('that nothing runs', async () => (await engine.getBatch(id)).counts.running === 0);
    expect(mail.calls).toHaveLength(1);
    expect(await timeline(0)).toEqual(['attempted 1', 'attempted 1']);
    await engine.resume(id);
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 4 });
    expect(mail.calls[1]).toMatchObject({ key: 'key', seqs: [0, 2] });
    expect(mail.calls).toHaveLength(2);
  });
});

describe('a provider that can be asked', () => {
  const reconcilable: Guarantee = { kind: 'reconcilable', settleMs: 1_000 };

  it('answers what became of a job: it is settled without a call', async () => {
    const answers: [Resolution, object][] = [
      [succeeded('ref-9'), { state: 'succeeded', ref: 'ref-9' }],
      [
        failed('bounced', { message: 'no such box' }),
        { state: 'failed', code: 'bounced', message: 'no such box' },
      ],
      [{ status: 'undecided' }, { state: 'unknown', code: 'undecided' }],
      [unknown('lost_there'), { state: 'unknown', code: 'lost_there' }],
    ];
    const mail = fake({
      provider: { guarantee: reconcilable },
      resolve: (jobs) => jobs.map((job) => answers[job.seq]?.[0] as Resolution),
    });
    const { id } = await interrupted(mail, 4, [{ seqs: [0, 1, 2, 3], data: null }]);
    const engine = await world.started({ plugins: [mail] });
    await ended(engine, id);
    for (const [seq, [, fields]] of answers.entries()) {
      expect(await engine.getJob(`${id}.${seq}`)).toMatchObject(fields);
    }
    expect(mail.calls).toEqual([]);
    expect(mail.questions.flat()).toHaveLength(4);
    expect(mail.questions[0]?.[0]).toMatchObject({ id: `${id}.0`, attempt: 1, ageMs: expect.any(Number) });
  });

  it('answers retry: the job is called again, one attempt higher', async () => {
    const mail = fake({
      provider: { guarantee: reconcilable },
      resolve: (jobs) => jobs.map(() => retry('rejected')),
    });
    const { id } = await interrupted(mail, 1, [{ seqs: [0], data: null }]);
    const engine = await world.started({ plugins: [mail], retry: { baseMs: 1 } });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 1 });
    expect(await timeline(0)).toEqual(['attempted 1', 'retried 1', 'attempted 2', 'succeeded 2']);
  });

  it('answers absent: believed only after settleMs, then the job is called again in the same attempt', async () => {
    const mail = fake({
      provider: { guarantee: reconcilable },
      resolve: (jobs) => jobs.map(() => ({ status: 'absent' as const })),
    });
    const { id } = await interrupted(mail, 2, [{ seqs: [0, 1], data: null }]);
    const engine = await world.started({ plugins: [mail] });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 2 });
    for (const asked of mail.questions.slice(0, -1))
      for (const job of asked) expect(job.ageMs).toBeLessThan(1_000);
    for (const job of mail.questions.at(-1) ?? []) expect(job.ageMs).toBeGreaterThanOrEqual(1_000);
    expect(mail.calls).toHaveLength(2);
    expect(mail.calls.every((call) => call.attempt === 1 && call.jobs[0]?.possibleDuplicate === false)).toBe(
      true,
    );
    expect(await timeline(0)).toEqual(['attempted 1', 'attempted 1', 'succeeded 1']);
  });

  it('answers absent: each job is called at its own endpoint', async () => {
    const mail = fake({
      provider: {
        batchSize: 2,
        guarantee: { kind: 'reconcilable', settleMs: 0 },
        endpointKey: (payload) => `e${payload.n}`,
        timeoutMs: (payload) => 5_000 + (payload.n ?? 0),
      },
      resolve: (jobs) => jobs.map(() => ({ status: 'absent' as const })),
      processBatch: (jobs, call) => {
        timeouts.push(call.timeoutMs);
        return jobs.map(() => succeeded());
      },
    });
    const timeouts: number[] = [];
    const { id } = await interrupted(mail, 3, [{ seqs: [0, 1, 2], data: null }]);
    const engine = await world.started({ plugins: [mail] });
    await ended(engine, id);
    expect(timeouts.sort()).toEqual([5_000, 5_001, 5_002]);
  });

  it('throws, or answers nothing: it is asked again later', async () => {
    let asked = 0;
    const mail = fake({
      provider: { guarantee: reconcilable },
      resolve: (jobs) => {
        asked += 1;
        if (asked === 1) throw Object.assign(new Error('down'), { code: 'reset' });
        return asked === 2 ? [] : jobs.map(() => succeeded());
      },
    });
    const { id } = await interrupted(mail, 2, [{ seqs: [0, 1], data: null }]);
    const engine = await world.started({ plugins: [mail] });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 2 });
    expect(mail.questions).toHaveLength(3);
    expect(mail.calls).toEqual([]);
  });

  it('is asked about a call that was lost while its process lives, after settleMs', async () => {
    const mail = fake({
      provider: { concurrency: 1, guarantee: { kind: 'reconcilable', settleMs: 300 } },
      process: () => {
        throw Object.assign(new Error('cut'), { code: 'reset' });
      },
      resolve: (jobs) => jobs.map(() => succeeded('found')),
    });
    // A lost call leaves nothing to write, and its slot is free at once all the same.
    const tuning = { sliceMs: 60_000, startWithinMs: 60_000 };
    const engine = await world.started({ plugins: [mail], tuning });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 2 });
    expect(mail.calls).toHaveLength(2);
    for (const job of mail.questions.flat()) expect(job.ageMs).toBeGreaterThanOrEqual(300);
  });
});

describe('a long job of the provider', () => {
  it('is asked for by its reference until it is done, and holds no lease meanwhile', async () => {
    const mail = fake({
      provider: { batchSize: 5 },
      processBatch: async (jobs, call) => {
        await call.note({ bulk: 42 });
        return jobs.map((job) => pending(`ref-${job.seq}`, 300));
      },
      resolve: (jobs) => {
        if (mail.questions.length < 3) return jobs.map((job) => pending(job.ref ?? '', 300));
        return jobs.map((job) => (job.seq === 2 ? failed('refused') : succeeded(job.ref)));
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(5) });
    await until('the reference', async () => (await engine.listJobs(id)).items[0]?.ref);
    await until('the chunk is given back', async () => (await engine.getBatch(id)).counts.waiting === 5);
    expect((await engine.listJobs(id)).items[0]).toMatchObject({ state: 'waiting', ref: 'ref-0' });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 4, failed: 1 });
    expect(mail.calls).toHaveLength(1);
    expect(mail.questions).toHaveLength(3);
    expect(mail.questions[0]?.[1]).toMatchObject({ seq: 1, ref: 'ref-1', note: { bulk: 42 }, attempt: 1 });
    expect(await engine.getJob(`${id}.4`)).toMatchObject({
      state: 'succeeded',
      ref: 'ref-4',
      possibleDuplicate: false,
    });
  });

  it('is found again by its note after its process died, without a second call', async () => {
    const mail = fake({
      provider: { guarantee: { kind: 'at-most-once' } },
      resolve: (jobs) => jobs.map((job) => succeeded(`of ${JSON.stringify(job.note)}`)),
    });
    const { id } = await interrupted(mail, 2, [
      { seqs: [0, 1], data: null },
      { seqs: [0, 1], data: '{"note":{"bulk":7}}' },
    ]);
    const engine = await world.started({ plugins: [mail] });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 2 });
    expect(mail.calls).toEqual([]);
    expect((await engine.getJob(`${id}.0`)).ref).toBe('of {"bulk":7}');
  });

  it('has its note committed before note returns, and the last one counts', async () => {
    const seen: unknown[] = [];
    const mail = fake({
      process: async (_job, call) => {
        for (const step of [1, 2]) {
          await call.note({ step });
          const rows = await world.sql(
            `SELECT data FROM batchsender.job_events WHERE kind = 'attempted' ORDER BY id DESC LIMIT 1`,
          );
          seen.push(rows[0]?.data);
        }
        await expect(call.note('x'.repeat(5_000))).rejects.toThrow(/4096/);
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 1 });
    expect(seen).toEqual([{ note: { step: 1 } }, { note: { step: 2 } }]);
  });

  it('E8: cannot note under a lost lease, so that it stops', async () => {
    const hold = barrier();
    let refused: unknown;
    const mail = fake({
      provider: { guarantee: { kind: 'at-most-once' } },
      process: async (_job, call) => {
        await hold.pass();
        await call.note({ step: 1 }).catch((error: unknown) => {
          refused = error;
        });
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], tuning: { rehintMs: 200 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1) });
    await until('the call', () => mail.calls.length === 1);
    await world.sql(
      `UPDATE batchsender.chunks SET state = 'ready', epoch = epoch + 1, runner_id = NULL, interrupted = true`,
    );
    hold.open();
    await until('the refusal', () => refused);
    expect((refused as Error).message).toMatch(/lease is lost/);
    await ended(engine, id);
    await until('the late result', async () => (await engine.getBatch(id)).counts.succeeded === 1);
    expect(mail.calls).toHaveLength(1);
  });
});
