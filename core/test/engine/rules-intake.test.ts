import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BatchSenderError, InvalidInputError } from '../../src/engine/errors.ts';
import { type JobPayload, Type } from '../../src/plugin/index.ts';
import { ended, testWorld, until } from '../helpers/engine-world.ts';
import { fake, numbered } from '../helpers/fake-plugin.ts';

const Strict = Type.Object(
  { n: Type.Integer(), to: Type.Optional(Type.String()) },
  { additionalProperties: false },
);

const world = testWorld();

const counted = async (table: string): Promise<number> =>
  (await world.sql(`SELECT count(*)::int AS n FROM batchsender.${table}`))[0].n;
const told = (accepted: number) => ({ accepted, rejected: 0, duplicates: 0, errors: [] });
const rows = (payloads: readonly JobPayload[]) => payloads.map((payload) => ({ payload }));
const bad = (count: number, at: number) =>
  numbered(count).map((job, i) => (i === at ? { n: 'x' } : job)) as JobPayload[];

async function problem(work: Promise<unknown>): Promise<InvalidInputError & BatchSenderError> {
  return work.then(
    () => {
      throw new Error('it was accepted');
    },
    (error) => error,
  );
}

describe('a submission', () => {
  it.each([
    ['small', 10, 7],
    ['of more jobs than one transaction takes', 6_000, 4_711],
  ])('E13: %s, with one invalid job, stores nothing and names the place', async (_name, count, at) => {
    const engine = world.engine({ plugins: [fake({ payload: Strict })] });
    const error = await problem(engine.submit({ type: 'mail', jobs: bad(count, at) }));
    expect(error.code).toBe('invalid_payload');
    expect(error.problems[0]).toMatchObject({ index: at, path: '/n', code: 'wrong_type' });
    expect(error.message).toContain(String(at));
    await until('that nothing is stored', async () => (await counted('jobs')) === 0);
    expect(await counted('batches')).toBe(0);
    expect(await counted('chunks')).toBe(0);
  });

  it('E13: of any size stores and delivers each of its jobs once', async () => {
    const mail = fake();
    const engine = await world.started({ plugins: [mail] });
    for (const count of [1, 999, 1_000, 1_001, 2_000, 2_001, 5_500]) {
      const { id, counts } = await engine.submit({ type: 'mail', jobs: numbered(count) });
      expect(counts.total).toBe(count);
      expect((await ended(engine, id)).counts.succeeded).toBe(count);
      const sent = mail.calls.filter((call) => call.batchId === id).map((call) => call.jobs[0]?.payload.n);
      expect(sent.sort((x = 0, y = 0) => x - y)).toEqual(numbered(count).map(({ n }) => n));
    }
  });

  it('E13: lists at most a hundred problems', async () => {
    const engine = world.engine({ plugins: [fake({ payload: Strict })] });
    const jobs = Array.from({ length: 5_000 }, () => ({ n: 'x', colour: 'red' }));
    expect((await problem(engine.submit({ type: 'mail', jobs }))).problems).toHaveLength(100);
  });

  it('is refused with what to do', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const refusals: [object, string, RegExp][] = [
      [{ type: 'fax', jobs: [] }, 'unknown_type', /fax.*Installed: mail/],
      [{ type: 'mail', provider: 'pigeon', jobs: [] }, 'unknown_provider', /no provider 'pigeon': use fake/],
      [{ type: 'mail', jobs: [], priority: 1_000 }, 'invalid_batch', /batch is invalid/],
      [{ type: 'mail', jobs: [], retry: { maxAttempts: 0 } }, 'invalid_batch', /batch is invalid/],
      [{ type: 'mail', jobs: [], scheduledAt: new Date(Number.NaN) }, 'invalid_batch', /batch is invalid/],
      [{ type: 'mail', jobs: [], defaults: { to: 7 } }, 'invalid_batch', /batch is invalid/],
      [{ type: 'mail', jobs: [], defaults: { text: '{{ open' } }, 'invalid_template', /\/defaults\/text/],
    ];
    for (const [batch, code, message] of refusals) {
      const error = await problem(engine.submit(batch as never));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
    }
    expect(await counted('batches')).toBe(0);
  });
});

describe('an upload that makes its batch', () => {
  it('E13: stores nothing that anybody sees before its commit, then all of it, sealed', async () => {
    const engine = await world.started({ plugins: [fake({ payload: Strict })] });
    const upload = await engine.uploadBatch({ type: 'mail', name: 'list', defaults: { to: 'all' } });
    expect([upload.type, upload.defaults]).toEqual(['mail', { to: 'all' }]);
    await upload.write(rows(numbered(1_200)));
    await expect(engine.getBatch(upload.batchId)).rejects.toMatchObject({ code: 'batch_not_found' });
    expect((await engine.listBatches()).items).toEqual([]);
    expect(await upload.commit()).toEqual({ accepted: 1_200, rejected: 0, duplicates: 0, errors: [] });
    expect((await ended(engine, upload.batchId)).counts.succeeded).toBe(1_200);
  });

  it('E13: leaves nothing behind when it is taken back', async () => {
    const engine = world.engine({ plugins: [fake({ payload: Strict })] });
    const upload = await engine.uploadBatch({ type: 'mail' });
    await upload.write(rows(numbered(10)));
    expect((await problem(upload.write(rows(bad(5, 2))))).problems[0]).toMatchObject({ index: 12 });
    await upload.abort();
    expect([await counted('jobs'), await counted('batches')]).toEqual([0, 0]);
  });

  it('stays open if the batch says so', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const upload = await engine.uploadBatch({ type: 'mail', sealed: false });
    await upload.write(rows(numbered(3)));
    await upload.commit();
    expect(await engine.getBatch(upload.batchId)).toMatchObject({ state: 'open', counts: { total: 3 } });
  });
});

describe('an upload', () => {
  it('E13: counts as a whole, and only once it is committed', async () => {
    const mail = fake();
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail' });
    const upload = await engine.upload(id);
    for (let part = 0; part < 5; part++) await upload.write(rows(numbered(700)));
    expect((await engine.getBatch(id)).counts.total).toBe(0);
    expect(await engine.listJobs(id)).toEqual({ items: [], nextCursor: null });
    expect(await upload.commit({ bodyHash: 'h' })).toEqual(told(3_500));
    expect((await engine.getBatch(id)).counts).toMatchObject({ total: 3_500, waiting: 3_500 });
    expect(mail.calls).toEqual([]);
    await engine.seal(id);
    expect((await ended(engine, id)).counts.succeeded).toBe(3_500);
  });

  it('E13: may be followed by others, which go on where it ended', async () => {
    const mail = fake();
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(3), sealed: false });
    for (let part = 0; part < 3; part++) {
      const upload = await engine.upload(id);
      await upload.write(rows(numbered(4)));
      await upload.commit();
    }
    await engine.seal(id);
    expect((await ended(engine, id)).counts.succeeded).toBe(15);
    expect([...mail.timesCalled().keys()].sort((a, b) => a - b)).toEqual(numbered(15).map(({ n }) => n));
  });

  it('E13: takes the JSON that the caller has, and its payload back out', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { id } = await engine.submit({ type: 'mail' });
    const upload = await engine.upload(id);
    const payload = { to: 'ü "\\ \u0000 \ud800 }{ , \u2028', text: 'tab\tline\n' };
    await upload.write([{ payload, text: JSON.stringify(payload) }, { payload }]);
    await upload.commit();
    for (const seq of [0, 1]) expect((await engine.getJob(`${id}.${seq}`)).payload).toEqual(payload);
  });

  it('E13: is refused while another one into the batch is under way', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const other = world.engine({ plugins: [fake()] });
    const { id } = await engine.submit({ type: 'mail' });
    const asked = await Promise.allSettled([engine.upload(id), other.upload(id), engine.upload(id)]);
    const given = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(given).toHaveLength(1);
    for (const one of asked) {
      if (one.status === 'rejected') expect((one.reason as BatchSenderError).code).toBe('upload_in_progress');
    }
    await expect(engine.seal(id)).rejects.toMatchObject({ code: 'upload_in_progress' });
    await given[0]?.abort();
    const next = await other.upload(id);
    await next.write(rows(numbered(1)));
    expect(await next.commit()).toEqual(told(1));
  });

  it('E13: with an invalid row stores nothing once it is aborted', async () => {
    const engine = world.engine({ plugins: [fake({ payload: Strict })] });
    const { id } = await engine.submit({ type: 'mail' });
    const upload = await engine.upload(id);
    await upload.write(rows(numbered(2_500)));
    const error = await problem(upload.write(rows(bad(100, 42))));
    expect(error.problems).toEqual([expect.objectContaining({ index: 2_542, path: '/n' })]);
    await upload.abort();
    expect(await counted('jobs')).toBe(0);
    expect((await engine.getBatch(id)).counts.total).toBe(0);
  });

  it('E13: without rows is refused', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { id } = await engine.submit({ type: 'mail' });
    const upload = await engine.upload(id);
    await upload.write([]);
    await expect(upload.commit()).rejects.toMatchObject({ code: 'empty_upload' });
    await expect((await engine.upload(id)).commit()).rejects.toMatchObject({ code: 'empty_upload' });
  });

  it('E13: that was abandoned is swept, and what comes of it afterwards is refused', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const store = await world.store();
    const { id } = await engine.submit({ type: 'mail' });
    const upload = await engine.upload(id);
    await upload.write(rows(numbered(50)));
    await until('the rows', async () => (await counted('jobs')) === 50);
    expect(await store.maintenance.sweepUploads(60_000)).toBe(0);
    await world.sql(`UPDATE batchsender.uploads SET seen_at = now() - interval '61 seconds'`);
    expect(await store.maintenance.sweepUploads(60_000)).toBe(1);
    expect(await counted('jobs')).toBe(0);
    await expect(upload.commit()).rejects.toMatchObject({ code: 'upload_lost' });
    const late = upload.write(rows(numbered(1))).then(() => upload.commit());
    await expect(late).rejects.toMatchObject({ code: 'upload_lost' });
    expect(await counted('jobs')).toBe(0);
  });

  it('E13: that was abandoned makes way for the next one, without a sweep', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { id } = await engine.submit({ type: 'mail' });
    const lost = await engine.upload(id);
    await lost.write(rows(numbered(50)));
    await until('the rows', async () => (await counted('jobs')) === 50);
    await world.sql(`UPDATE batchsender.uploads SET seen_at = now() - interval '61 seconds'`);
    const next = await engine.upload(id);
    await next.write(rows(numbered(3)));
    await next.commit();
    await expect(lost.commit()).rejects.toMatchObject({ code: 'upload_lost' });
    expect((await engine.getBatch(id)).counts.total).toBe(3);
    expect(await counted('jobs')).toBe(3);
  });

  it('E13: is swept by the engine itself', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const store = await world.store();
    const { id } = await engine.submit({ type: 'mail' });
    const { uploadId } = await store.intake.beginUpload('default', id, 60_000);
    await store.intake.writeSlice(uploadId, id, { firstSeq: 0, texts: ['{}', '{}'] });
    await world.sql(`UPDATE batchsender.uploads SET seen_at = now() - interval '1 day'`);
    await engine.start();
    await until('the sweep', async () => (await counted('jobs')) === 0);
  });

  it('E13: into a batch that was cancelled meanwhile is refused', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { id } = await engine.submit({ type: 'mail' });
    const upload = await engine.upload(id);
    await upload.write(rows(numbered(5)));
    await engine.cancel(id);
    await expect(upload.commit()).rejects.toMatchObject({ code: 'batch_not_open' });
    expect((await engine.getBatch(id)).counts).toMatchObject({ total: 0, cancelled: 0 });
  });

  it('E13: into a sealed, a cancelled, an unknown batch, or one of somebody else, is refused', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const sealed = await engine.submit({ type: 'mail', jobs: numbered(1) });
    await expect(engine.upload(sealed.id)).rejects.toMatchObject({ code: 'batch_not_open' });
    const cancelled = await engine.submit({ type: 'mail' });
    await engine.cancel(cancelled.id);
    await expect(engine.upload(cancelled.id)).rejects.toMatchObject({ code: 'batch_not_open' });
    const open = await engine.submit({ type: 'mail' });
    await expect(engine.upload(open.id, { tenantId: 'other' })).rejects.toMatchObject({
      code: 'batch_not_found',
    });
    for (const id of ['01920000-0000-7000-8000-000000000000', 'nonsense', '']) {
      await expect(engine.upload(id)).rejects.toMatchObject({ code: 'batch_not_found' });
    }
  });
});

describe("a submission inside the caller's transaction", () => {
  it.each([10, 3_000])('E14: of %i jobs exists exactly if the caller commits', async (count) => {
    const mail = fake();
    const engine = await world.started({ plugins: [mail] });
    const client = await world.client();
    await client.query('DROP TABLE IF EXISTS orders; CREATE TABLE orders (id int)');
    await client.query('BEGIN');
    await client.query('INSERT INTO orders VALUES (1)');
    const kept = await engine.submit({ type: 'mail', jobs: numbered(count) }, { client });
    expect(kept).toMatchObject({ state: 'running', counts: { total: count, waiting: count } });
    await expect(engine.getBatch(kept.id)).rejects.toMatchObject({ code: 'batch_not_found' });
    await sleep(200);
    expect(mail.calls).toEqual([]);
    await client.query('COMMIT');
    expect((await ended(engine, kept.id)).counts.succeeded).toBe(count);

    await client.query('BEGIN');
    await client.query('INSERT INTO orders VALUES (2)');
    const dropped = await engine.submit({ type: 'mail', jobs: numbered(count) }, { client });
    await client.query('ROLLBACK');
    client.release();
    await sleep(200);
    await expect(engine.getBatch(dropped.id)).rejects.toMatchObject({ code: 'batch_not_found' });
    expect(mail.calls).toHaveLength(count);
    expect(await counted('jobs')).toBe(count);
    expect(await world.sql('SELECT id FROM orders')).toEqual([{ id: 1 }]);
  });

  it('E14: that is invalid leaves the transaction as it was', async () => {
    const engine = world.engine({ plugins: [fake({ payload: Strict })] });
    await engine.migrate();
    const client = await world.client();
    await client.query('BEGIN');
    const error = await problem(engine.submit({ type: 'mail', jobs: bad(5, 3) }, { client }));
    expect(error.code).toBe('invalid_payload');
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) }, { client });
    await client.query('COMMIT');
    client.release();
    expect((await engine.getBatch(id)).counts.total).toBe(2);
  });
});

describe('single jobs', () => {
  it('E20: that arrive together share a sealed batch, hidden from lists', async () => {
    const mail = fake();
    const engine = await world.started({ plugins: [mail] });
    await engine.migrate();
    const listed = await engine.submit({ type: 'mail', jobs: numbered(1) });
    const ids = await Promise.all(
      numbered(300).map((payload) => engine.submitJob({ type: 'mail', payload })),
    );
    expect(new Set(ids.map((one) => one.jobId)).size).toBe(300);
    const batchIds = new Set(ids.map((one) => one.batchId));
    expect(batchIds.size).toBeLessThan(30);
    for (const [n, { jobId }] of ids.entries()) {
      if (n % 37 === 0) expect((await engine.getJob(jobId)).payload).toEqual({ n });
    }
    for (const batchId of batchIds) {
      expect(await ended(engine, batchId)).toMatchObject({ origin: 'single', state: 'completed' });
    }
    expect(mail.calls).toHaveLength(301);
    expect((await engine.listBatches()).items.map((batch) => batch.id)).toEqual([listed.id]);
    expect((await engine.listBatches({ includeSingle: true })).items).toHaveLength(batchIds.size + 1);
  });

  it('E20: share it only with jobs of their tenant, type and options', async () => {
    const engine = world.engine({ plugins: [fake()] });
    await engine.migrate();
    const job = { type: 'mail', payload: { n: 1 } };
    // The first two are stored at once; the others of their kind wait for them and go together.
    const [, , a, b, c, d, e] = await Promise.all([
      engine.submitJob(job),
      engine.submitJob(job, { tenantId: 'x' }),
      engine.submitJob(job),
      engine.submitJob(job),
      engine.submitJob(job, { tenantId: 'x' }),
      engine.submitJob({ ...job, priority: 5 }),
      engine.submitJob({ ...job, retry: { maxAttempts: 1 } }),
    ]);
    expect(a?.batchId).toBe(b?.batchId);
    expect(new Set([a, c, d, e].map((one) => one?.batchId)).size).toBe(4);
    await expect(engine.getJob(c?.jobId ?? '')).rejects.toMatchObject({ code: 'job_not_found' });
    expect((await engine.getJob(c?.jobId ?? '', { tenantId: 'x' })).payload).toEqual({ n: 1 });
  });

  it('E20: that are invalid are refused alone', async () => {
    const engine = world.engine({ plugins: [fake({ payload: Strict })] });
    const good = engine.submitJob({ type: 'mail', payload: { n: 1 } });
    await expect(engine.submitJob({ type: 'mail', payload: { n: 'x' } })).rejects.toMatchObject({
      code: 'invalid_payload',
    });
    await expect(engine.submitJob({ type: 'fax', payload: {} })).rejects.toMatchObject({
      code: 'unknown_type',
    });
    expect((await engine.getBatch((await good).batchId)).counts.total).toBe(1);
  });
});
