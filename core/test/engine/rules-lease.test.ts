import { describe, expect, it } from 'vitest';
import { NO_TALLIES } from '../../src/engine/decisions/tallies.ts';
import type { ChunkLease, Flush, Store } from '../../src/engine/store.ts';
import { succeeded } from '../../src/plugin/index.ts';
import { ended, sleep, testWorld, until } from '../helpers/engine-world.ts';
import { barrier, fake, numbered } from '../helpers/fake-plugin.ts';

const ONE = '018f0000-0000-7000-8000-000000000001';
const TWO = '018f0000-0000-7000-8000-000000000002';

const world = testWorld();

/** A sealed batch that nobody runs, and two runners on its first chunk, played by hand. */
async function twoRunners(jobs = 5): Promise<{ batchId: string; chunkId: number; a: Store; b: Store }> {
  const engine = world.engine({ plugins: [fake()] });
  const { id } = await engine.submit({ type: 'mail', jobs: numbered(jobs) });
  const [a, b] = await Promise.all([world.store(), world.store()]);
  const [chunk] = await world.sql('SELECT id::int FROM batchsender.chunks ORDER BY id');
  return { batchId: id, chunkId: chunk.id, a, b };
}

async function leased(store: Store, chunkId: number, runnerId: string): Promise<ChunkLease> {
  const lease = await store.run.lease(chunkId, runnerId);
  if (lease === undefined) throw new Error('the chunk was not there to be leased');
  return lease;
}

/** Takes the chunk away from the runner that holds it, and leases it for another one. */
async function takeOver(store: Store, chunkId: number, runnerId: string): Promise<ChunkLease> {
  expect(await store.maintenance.recoverChunks(0)).toBe(1);
  return leased(store, chunkId, runnerId);
}

const successes = (lease: ChunkLease, seqs: number[], over: Partial<Flush> = {}): Flush => ({
  lease,
  flushNo: lease.flushNo,
  events: seqs.map((seq) => ({ seq, kind: 'succeeded', data: null })),
  tallies: { ...NO_TALLIES, succeeded: seqs.length },
  end: { kind: 'keep' },
  ...over,
});

const eventCount = async (): Promise<number> =>
  (await world.sql('SELECT count(*)::int AS n FROM batchsender.job_events'))[0].n;

const chunkRow = async (chunkId: number) =>
  (await world.sql('SELECT * FROM batchsender.chunks WHERE id = $1', [chunkId]))[0];

describe('a lease', () => {
  it('E6: is given to one of many that ask at once, and raises the epoch', async () => {
    const { chunkId, a, b } = await twoRunners();
    const asked = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        i % 2 === 0 ? a.run.lease(chunkId, ONE) : b.run.lease(chunkId, TWO),
      ),
    );
    const given = asked.filter((lease) => lease !== undefined);
    expect(given).toHaveLength(1);
    expect(given[0]).toMatchObject({
      chunkId,
      epoch: 1,
      flushNo: 0,
      attempt: 1,
      size: 5,
      jobs: { first: 0, end: 5 },
    });
    expect((await takeOver(b, chunkId, TWO)).epoch).toBe(2);
  });

  it('E6: is not given before the chunk is due, nor of a batch that does not run', async () => {
    const { batchId, chunkId, a } = await twoRunners();
    await world.sql(`UPDATE batchsender.chunks SET due_at = now() + interval '1 minute'`);
    expect(await a.run.lease(chunkId, ONE)).toBeUndefined();
    await world.sql('UPDATE batchsender.chunks SET due_at = now()');
    await a.steer.pause('default', batchId);
    expect(await a.run.lease(chunkId, ONE)).toBeUndefined();
    await a.steer.resume('default', batchId);
    expect(await a.run.lease(chunkId, ONE)).toBeDefined();
  });

  it('E6: finds what the lease before it had flushed', async () => {
    const { chunkId, a, b } = await twoRunners();
    const first = await leased(a, chunkId, ONE);
    await a.run.flush(successes(first, [1, 3]));
    const second = await takeOver(b, chunkId, TWO);
    expect(second).toMatchObject({
      epoch: 2,
      flushNo: 1,
      interrupted: true,
      deaths: 1,
      tallies: { succeeded: 2 },
    });
    const events = await b.run.loadAttempt(second);
    expect(events.map(({ seq, kind }) => [seq, kind])).toEqual([
      [1, 'succeeded'],
      [3, 'succeeded'],
    ]);
    const payloads = await b.run.loadJobs(second);
    expect([0, 1, 2, 3, 4, 5].map((seq) => payloads.get(seq) !== undefined)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
  });
});

describe('a runner whose lease was lost', () => {
  it('E7: cannot fence: nothing is written', async () => {
    const { chunkId, a, b } = await twoRunners();
    const stale = await leased(a, chunkId, ONE);
    expect(await a.run.fence(stale, [{ seq: 0, kind: 'attempted', data: null }])).toBe(true);
    await b.maintenance.recoverChunks(0);
    expect(await a.run.fence(stale, [{ seq: 1, kind: 'attempted', data: null }])).toBe(false);
    const fresh = await leased(b, chunkId, TWO);
    expect(await a.run.fence(stale, [{ seq: 1, kind: 'attempted', data: null }])).toBe(false);
    expect(await b.run.fence(fresh, [{ seq: 2, kind: 'attempted', data: null }])).toBe(true);
    expect(await eventCount()).toBe(2);
  });

  it('E7: cannot lose its lease while its fence commits', async () => {
    const { chunkId, a, b } = await twoRunners();
    const lease = await leased(a, chunkId, ONE);
    const client = await world.client();
    await client.query('BEGIN');
    await client.query('SELECT 1 FROM batchsender.chunks WHERE id = $1 AND epoch = $2 FOR SHARE', [
      chunkId,
      lease.epoch,
    ]);
    expect(await b.maintenance.recoverChunks(0)).toBe(0);
    await client.query('COMMIT');
    client.release();
    expect(await b.maintenance.recoverChunks(0)).toBe(1);
  });

  it('E9: cannot flush, whatever the flush would do', async () => {
    const { batchId, chunkId, a, b } = await twoRunners();
    const stale = await leased(a, chunkId, ONE);
    const fresh = await takeOver(b, chunkId, TWO);
    const flush = successes(stale, [0, 1]);
    expect(await a.run.flush(flush)).toBe(false);
    expect(await a.run.flush({ ...flush, end: { kind: 'giveBack', dueInMs: 0 } })).toBe(false);
    expect(await a.run.flush({ ...flush, end: { kind: 'close', chunks: [] } })).toBe(false);
    expect(await eventCount()).toBe(0);
    expect(await chunkRow(chunkId)).toMatchObject({ state: 'leased', epoch: 2, flush_no: 0, succeeded: 0 });
    expect(await b.run.flush(successes(fresh, [0, 1, 2, 3, 4], { end: { kind: 'close', chunks: [] } }))).toBe(
      true,
    );
    expect(await b.read.batch('default', batchId)).toMatchObject({
      state: 'completed',
      counts: { succeeded: 5 },
    });
    expect(await world.problems()).toEqual([]);
  });
});

describe('a flush', () => {
  it('E9: changes nothing when it is repeated, as after a lost COMMIT reply', async () => {
    const { batchId, chunkId, a } = await twoRunners();
    const lease = await leased(a, chunkId, ONE);
    const keep = successes(lease, [0, 1]);
    for (let i = 0; i < 3; i++) expect(await a.run.flush(keep)).toBe(true);
    expect(await chunkRow(chunkId)).toMatchObject({ flush_no: 1, succeeded: 2 });
    const more = [{ seqs: [4], dueInMs: 0, attempt: 2, spent: 1, uncertain: false, split: false }];
    const close: Flush = {
      lease,
      flushNo: 1,
      events: [
        { seq: 2, kind: 'succeeded', data: null },
        { seq: 3, kind: 'failed', data: '{"code":"x"}' },
        { seq: 4, kind: 'retried', data: '{"code":"x"}' },
      ],
      tallies: { ...NO_TALLIES, succeeded: 1, failed: 1, retried: 1 },
      end: { kind: 'close', chunks: more },
    };
    for (let i = 0; i < 3; i++) expect(await a.run.flush(close)).toBe(true);
    expect(await eventCount()).toBe(5);
    expect(await world.sql(`SELECT seqs FROM batchsender.chunks WHERE state = 'ready'`)).toEqual([
      { seqs: [4] },
    ]);
    const batch = await a.read.batch('default', batchId);
    expect(batch?.counts).toMatchObject({ total: 5, succeeded: 3, failed: 1, waiting: 1 });
    expect(await world.problems()).toEqual([]);
  });

  it('E9: is refused out of its turn', async () => {
    const { chunkId, a } = await twoRunners();
    const lease = await leased(a, chunkId, ONE);
    expect(await a.run.flush(successes(lease, [0], { flushNo: 1 }))).toBe(false);
    expect(await a.run.flush(successes(lease, [0]))).toBe(true);
    expect(await a.run.flush(successes(lease, [1], { flushNo: 1 }))).toBe(true);
    expect(await a.run.flush(successes(lease, [0]))).toBe(false);
    expect(await eventCount()).toBe(2);
  });

  it('E9: writes what a call brought at once, however small flushes are', async () => {
    const mail = fake({
      provider: { batchSize: 40, guarantee: { kind: 'keyed', scope: 'call', ttlMs: 60_000 } },
      processBatch: async (jobs) => {
        await sleep(5);
        return jobs.map(() => succeeded());
      },
    });
    const engine = await world.started({
      plugins: [mail],
      tuning: { chunkSize: 200, flushSize: 3, flushMs: 1 },
    });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(200) });
    await ended(engine, id);
    const written = await world.sql(
      `SELECT xmin::text AS tx, array_agg(seq) AS seqs FROM batchsender.job_event_rows WHERE kind = 'succeeded' GROUP BY xmin::text`,
    );
    const flushOf = new Map(written.flatMap(({ tx, seqs }) => seqs.map((seq: number) => [seq, tx])));
    expect(mail.calls).toHaveLength(5);
    for (const call of mail.calls) expect(new Set(call.seqs.map((seq) => flushOf.get(seq))).size).toBe(1);
  });
});

describe('fences', () => {
  it('E7: stand only for the calls that can start right now', async () => {
    const hold = barrier();
    const mail = fake({
      provider: { guarantee: { kind: 'at-most-once' }, concurrency: 3 },
      process: async () => {
        await hold.pass();
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 10 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(40) });
    await until('three calls', () => mail.calls.length === 3);
    await sleep(500);
    expect(mail.calls).toHaveLength(3);
    expect(await eventCount()).toBe(3);
    hold.open();
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 40 });
    expect(mail.calls).toHaveLength(40);
  });

  it('E7: are written before their call starts', async () => {
    const fenced: number[] = [];
    const mail = fake({
      provider: { guarantee: { kind: 'reconcilable', settleMs: 1_000 }, batchSize: 4 },
      resolve: (jobs) => jobs.map(() => ({ status: 'undecided' as const })),
      processBatch: async (jobs) => {
        const seqs = jobs.map((job) => job.seq);
        const rows = await world.sql(
          `SELECT data FROM batchsender.job_events WHERE kind = 'attempted' AND seq = ANY($1)`,
          [seqs],
        );
        fenced.push(rows.length);
        // The fence names the call, so that exactly its jobs can be called again.
        expect(new Set(rows.map((row) => row.data.call)).size).toBe(1);
        return jobs.map(() => succeeded());
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(12) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 12 });
    expect(fenced).toEqual([4, 4, 4]);
  });

  it('E7: that are open are never more than slots, also where calls wait for tokens between', async () => {
    const open: number[] = [];
    const mail = fake({
      provider: {
        guarantee: { kind: 'at-most-once' },
        concurrency: 2,
        rates: [{ per: 'call', max: 7, windowMs: 200 }],
      },
      process: async () => {
        const rows = await world.sql(`SELECT count(*) FILTER (WHERE kind = 'attempted')
          - count(*) FILTER (WHERE kind <> 'attempted') AS open FROM batchsender.job_events`);
        open.push(Number(rows[0].open));
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], tuning: { chunkSize: 15 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(45) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 45 });
    expect(open).toHaveLength(45);
    expect(Math.max(...open)).toBeLessThanOrEqual(2);
  });

  it('E7: are written while tokens are asked for where there were plenty, and taken back where there are none', async () => {
    const mail = fake({
      provider: {
        guarantee: { kind: 'at-most-once' },
        concurrency: 4,
        rates: [{ per: 'call', max: 6, windowMs: 1_500 }],
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(10) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 10 });
    expect([...mail.timesCalled().values()].every((times) => times === 1)).toBe(true);
    // The second four had their fences before two of them were refused.
    const kinds = await world.sql(
      `SELECT array_agg(kind ORDER BY id) AS kinds FROM batchsender.job_events GROUP BY seq HAVING bool_or(kind = 'released')`,
    );
    expect(kinds.length).toBeGreaterThan(0);
    for (const row of kinds) {
      expect(row.kinds.slice(0, 2)).toEqual(['attempted', 'released']);
      expect(row.kinds.slice(-2)).toEqual(['attempted', 'succeeded']);
    }
  });

  it('E7: are not written for providers that can take a repeat', async () => {
    const mail = fake({ provider: { guarantee: { kind: 'keyed', scope: 'job', ttlMs: 60_000 } } });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(10) });
    await ended(engine, id);
    expect(await world.sql(`SELECT 1 FROM batchsender.job_events WHERE kind = 'attempted'`)).toEqual([]);
  });
});

describe('an engine whose heartbeats do not get through', () => {
  it('E8: starts no call after half of the lease time, and loses nobody', async () => {
    const leaseMs = 3_000;
    const mail = fake({
      provider: { concurrency: 2 },
      process: async () => {
        await sleep(20);
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], tuning: { leaseMs, chunkSize: 20 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(400) });
    await until('some calls', () => mail.calls.length > 20);
    const client = await world.client();
    await client.query('BEGIN');
    await client.query('LOCK TABLE batchsender.runners IN ACCESS EXCLUSIVE MODE');
    const lockedAt = performance.now();
    await sleep(leaseMs);
    const started = mail.calls.length;
    await sleep(700);
    expect(mail.calls).toHaveLength(started);
    for (const call of mail.calls) expect(call.startedAt - lockedAt).toBeLessThan(leaseMs / 2 + 100);
    await client.query('COMMIT');
    client.release();
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 400 });
    expect([...mail.timesCalled().values()].every((times) => times === 1)).toBe(true);
    expect(await world.problems()).toEqual([]);
  });
});
