import { describe, expect, it } from 'vitest';
import { failed, type JobResult, retry, succeeded, throttled, unknown } from '../../src/plugin/index.ts';
import { ended, holdChunks, testWorld, until } from '../helpers/engine-world.ts';
import { barrier, fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

const kindsOf = async (batchId: string, seq: number): Promise<string[]> =>
  (
    await world.sql('SELECT kind FROM batchsender.job_events WHERE batch_id = $1 AND seq = $2 ORDER BY id', [
      batchId,
      seq,
    ])
  ).map((row) => row.kind);

describe('the log', () => {
  it('E1: closes every attempt by exactly one event, and every job by exactly one outcome', async () => {
    const answers = (n: number, attempt: number): JobResult => {
      if (attempt < 3 && n % 4 === 1) return retry('http_500');
      if (attempt === 1 && n % 4 === 2) return throttled(0);
      return n % 10 === 3 ? failed('refused') : n % 10 === 4 ? unknown('who_knows') : succeeded(`r${n}`);
    };
    const mail = fake({ process: (job) => answers(job.payload.n ?? 0, job.attempt) });
    const engine = await world.started({ plugins: [mail], retry: { baseMs: 1 }, tuning: { chunkSize: 50 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(200) });
    const { counts } = await ended(engine, id);
    expect(counts).toMatchObject({
      total: 200,
      waiting: 0,
      running: 0,
      succeeded: 160,
      failed: 20,
      unknown: 20,
    });
    const attempts = await world.sql(
      `SELECT seq, attempt, count(*)::int AS closings FROM batchsender.job_events
       WHERE kind IN ('succeeded', 'failed', 'unknown', 'cancelled', 'retried', 'postponed') GROUP BY seq, attempt`,
    );
    expect(attempts.every((row) => row.closings === 1)).toBe(true);
    expect(attempts).toHaveLength(200 + 50 * 2 + 50);
    expect(await world.problems()).toEqual([]);
  });

  it('E1: takes a fence back that was never used, and makes the call later', async () => {
    const first = barrier();
    const mail = fake({
      provider: {
        concurrency: 1,
        // The last of a chunk's calls starts first; it needs no fence.
        guarantee: (_credentials, payload) => ({ kind: payload.n === 1 ? 'at-least-once' : 'at-most-once' }),
      },
      process: async (job) => {
        if (mail.calls.length === 1) await first.pass();
        return succeeded(`r${job.seq}`);
      },
    });
    const tuning = { sliceMs: 60_000, startWithinMs: 60_000 };
    const engine = await world.started({ plugins: [mail], tuning });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    await until('the first call', () => mail.calls.length === 1);
    expect(mail.calls[0]?.seqs).toEqual([1]);
    // While the chunk is locked, the fence of the second call waits; meanwhile the batch is paused.
    const held = await holdChunks(world);
    first.open();
    await held.fenceWaits();
    await engine.pause(id);
    await held.release();
    await until('that nothing runs', async () => (await engine.getBatch(id)).counts.running === 0);
    expect(await kindsOf(id, 0)).toEqual(['attempted', 'released']);
    expect(await kindsOf(id, 1)).toEqual(['succeeded']);
    expect(mail.calls).toHaveLength(1);
    await engine.resume(id);
    expect((await ended(engine, id)).counts.succeeded).toBe(2);
    expect(await kindsOf(id, 0)).toEqual(['attempted', 'released', 'attempted', 'succeeded']);
    expect(mail.calls).toHaveLength(2);
    expect(await world.problems()).toEqual([]);
  });

  it('E2: adds up in every snapshot while batches run, are paused, cancelled and retried', async () => {
    const mail = fake({
      process: (job) =>
        job.attempt < 3 && job.seq % 3 === 0 ? retry('busy') : job.seq % 7 === 0 ? failed('no') : succeeded(),
    });
    const engine = await world.started({ plugins: [mail], retry: { baseMs: 20 }, tuning: { chunkSize: 20 } });
    const ids = await Promise.all(
      [0, 1, 2].map(async () => (await engine.submit({ type: 'mail', jobs: numbered(300) })).id),
    );
    let looks = 0;
    let done = false;
    const looking = (async () => {
      while (!done) {
        for (const id of ids) {
          const {
            total,
            waiting,
            running,
            succeeded: ok,
            failed: bad,
            unknown: open,
            cancelled,
          } = (await engine.getBatch(id)).counts;
          expect(waiting + running + ok + bad + open + cancelled).toBe(total);
          expect(Math.min(waiting, running, ok, bad, open, cancelled)).toBeGreaterThanOrEqual(0);
        }
        expect(await world.problems()).toEqual([]);
        looks += 1;
      }
    })();
    const [first, second, third] = ids as [string, string, string];
    await engine.pause(first).catch(() => undefined);
    await engine.cancel(second).catch(() => undefined);
    await ended(engine, third);
    await engine.retry(third, ['failed']);
    await engine.resume(first).catch(() => undefined);
    await Promise.all(ids.map((id) => ended(engine, id)));
    done = true;
    await looking;
    expect(looks).toBeGreaterThan(0);
    expect((await engine.getBatch(first)).counts.succeeded).toBeGreaterThan(200);
  });

  it('E2: is what the reconciler repairs counters and lost jobs from', async () => {
    const mail = fake();
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 10 } });
    const store = await world.store();
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(30) });
    await ended(engine, id);
    await engine.stop();
    expect(await store.maintenance.reconcile(100)).toBe(0);
    // Somebody loses ten outcomes and counts three of the others twice.
    await world.sql('DELETE FROM batchsender.job_event_rows WHERE seq >= 20');
    await world.sql('UPDATE batchsender.batches SET succeeded = succeeded + 3, changed_at = now()');
    expect(await store.maintenance.reconcile(100)).toBeGreaterThan(0);
    expect(await world.problems()).toEqual([]);
    const again = await world.started({ plugins: [mail] });
    expect((await ended(again, id)).counts).toMatchObject({ total: 30, succeeded: 30, waiting: 0 });
    // Nobody knows whether the ten were called before: they are flagged.
    expect(mail.calls.slice(30).every((call) => call.jobs[0]?.possibleDuplicate)).toBe(true);
    expect(mail.calls).toHaveLength(40);
  });

  it('E3: calls only those jobs of a taken-over chunk whose attempt is not closed', async () => {
    const mail = fake();
    const engine = world.engine({ plugins: [mail], tuning: { leaseMs: 1_500 } });
    const store = await world.store();
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(10) });
    const [chunk] = await world.sql('SELECT id::int FROM batchsender.chunks');
    const lease = await store.run.lease(chunk.id, '018f0000-0000-7000-8000-000000000001');
    if (lease === undefined) throw new Error('no lease');
    const events = [0, 1, 2, 3].map((seq) => ({ seq, kind: 'succeeded' as const, data: null }));
    const retried = { seq: 4, kind: 'retried' as const, data: '{"code":"busy"}' };
    await store.run.flush({
      lease,
      flushNo: 0,
      events: [...events, retried],
      tallies: { succeeded: 4, failed: 0, unknown: 0, cancelled: 0, retried: 1, postponed: 0 },
      end: { kind: 'keep' },
    });
    await engine.start();
    expect((await ended(engine, id)).counts.succeeded).toBe(10);
    const times = mail.timesCalled();
    expect([...times.keys()].sort()).toEqual([4, 5, 6, 7, 8, 9]);
    expect([...times.values()].every((count) => count === 1)).toBe(true);
    expect(mail.calls.find((call) => call.seqs[0] === 4)?.attempt).toBe(2);
    expect(await world.problems()).toEqual([]);
  });
});
