import { describe, expect, it } from 'vitest';
import type { Batch, Engine } from '../../src/engine/api.ts';
import type { JobPayload } from '../../src/plugin/index.ts';
import { type ChaosProxy, chaosProxy } from '../helpers/chaos-proxy.ts';
import { ended, testWorld, until } from '../helpers/engine-world.ts';
import { type FakePayload, fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

const people = (...names: string[]): FakePayload[] => names.map((to) => ({ to }));
const rows = (payloads: readonly JobPayload[]) => payloads.map((payload) => ({ payload }));
const keysOf = async (batchId?: string): Promise<number> => {
  const where = batchId === undefined ? '' : `WHERE batch_id = '${batchId}'`;
  return (await world.sql(`SELECT count(*)::int AS n FROM batchsender.job_keys ${where}`))[0].n;
};
/** Who the jobs of a batch go to, by position: proves that positions have no gaps. */
const recipients = async (batchId: string): Promise<string[]> => {
  const found = await world.sql(
    'SELECT seq, payload FROM batchsender.jobs WHERE batch_id = $1 ORDER BY seq',
    [batchId],
  );
  expect(found.map(({ seq }) => seq)).toEqual(found.map((_, at) => at));
  return found.map(({ payload }) => payload.to);
};

async function uploaded(engine: Engine, batchId: string, ...slices: FakePayload[][]) {
  const upload = await engine.upload(batchId);
  for (const slice of slices) await upload.write(rows(slice));
  return upload.commit();
}

const open = (engine: Engine, options: object = {}): Promise<Batch> =>
  engine.submit({ type: 'mail', dedupeBy: 'to', ...options });

describe('a batch that leaves duplicates out', () => {
  it('E13: keeps the first job of each key, of the jobs that it is created with', async () => {
    const mail = fake();
    const engine = await world.started({ plugins: [mail] });
    const jobs = ['a', 'b', 'a', 'c', 'b'].map((to, n) => ({ to, n }));
    const batch = await open(engine, { jobs });
    expect(batch).toMatchObject({ dedupeBy: ['to'], duplicates: 2, rejected: 0, counts: { total: 3 } });
    expect((await ended(engine, batch.id)).counts.succeeded).toBe(3);
    expect(mail.calls.map((call) => call.jobs[0]?.payload.n).sort()).toEqual([0, 1, 3]);
    expect(await keysOf()).toBe(0);
  });

  it.each([
    ['one transaction', 1_500],
    ['slices', 5_000],
  ])('E13: does so for many jobs, stored in %s', async (_how, count) => {
    const engine = await world.started({ plugins: [fake()] });
    const jobs = Array.from({ length: count }, (_, n) => ({ to: `p${n % 700}` }));
    const { id, duplicates, counts } = await open(engine, { jobs });
    expect([counts.total, duplicates]).toEqual([700, count - 700]);
    expect((await ended(engine, id)).counts.succeeded).toBe(700);
    expect(await recipients(id)).toEqual(Array.from({ length: 700 }, (_, n) => `p${n}`));
    await until('that the keys are dropped', async () => (await keysOf()) === 0);
  });

  it('E13: compares an upload with itself, with earlier uploads and with the jobs of its creation', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { id } = await open(engine, { jobs: people('a', 'b', 'a'), sealed: false });
    expect(await uploaded(engine, id, people('c', 'a', 'c', 'd'), people('d', 'e'))).toEqual({
      accepted: 3,
      rejected: 0,
      duplicates: 3,
      errors: [],
    });
    expect(await uploaded(engine, id, people('e', 'f', 'b'))).toMatchObject({ accepted: 1, duplicates: 2 });
    expect(await recipients(id)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(await engine.getBatch(id)).toMatchObject({ duplicates: 6, counts: { total: 6, waiting: 6 } });
  });

  it('E13: takes an upload that brings nothing new, and stores nothing of it', async () => {
    const engine = await world.started({ plugins: [fake()] });
    const { id } = await open(engine, { jobs: people('a', 'b'), sealed: false });
    expect(await uploaded(engine, id, people('b', 'a'))).toMatchObject({ accepted: 0, duplicates: 2 });
    await engine.seal(id);
    expect((await ended(engine, id)).counts).toMatchObject({ total: 2, succeeded: 2 });
  });

  it('E13: compares jobs as they will be sent, with defaults and templates', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const named = (name: string) => ({ variables: { name } });
    const defaults = { to: '{{ name }}@example.com' };
    const jobs = [named('ada'), named('bob'), named('ada'), { to: 'bob@example.com', ...named('x') }];
    expect(await open(engine, { defaults, jobs })).toMatchObject({ duplicates: 2, counts: { total: 2 } });
  });

  it('E13: takes every job that has no value to compare', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const jobs = [{ n: 1 }, { n: 1 }, { n: 1, to: '' }, { n: 1, to: 'a' }, { n: 2, to: 'a' }];
    const { id, duplicates } = await open(engine, { jobs, sealed: false });
    expect(duplicates).toBe(1);
    expect(await uploaded(engine, id, jobs)).toMatchObject({ accepted: 3, duplicates: 2 });
    expect(await uploaded(engine, id, [{ n: 1 }], [{ n: 1 }])).toMatchObject({ accepted: 2, duplicates: 0 });
  });

  it('E13: compares several paths together', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const job = (to: string, customerId: number) => ({ to, variables: { customerId } });
    const jobs = [job('a', 1), job('a', 2), job('b', 1), job('a', 1)];
    const batch = await open(engine, { dedupeBy: ['variables.customerId', 'to'], jobs });
    expect(batch).toMatchObject({ duplicates: 1, counts: { total: 3 } });
  });

  it('E13: does not compare with another batch', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const first = await open(engine, { jobs: people('a'), sealed: false });
    const second = await open(engine, { jobs: people('a'), sealed: false });
    expect([first.counts.total, second.counts.total]).toEqual([1, 1]);
    expect(await uploaded(engine, second.id, people('b'))).toMatchObject({ accepted: 1 });
    expect(await uploaded(engine, first.id, people('b'))).toMatchObject({ accepted: 1 });
  });

  it('E13: is created inside the transaction of its caller, or not at all', async () => {
    const engine = await world.started({ plugins: [fake()] });
    const client = await world.client();
    const jobs = Array.from({ length: 3_000 }, (_, n) => ({ to: `p${n % 1_000}` }));
    await client.query('BEGIN');
    const kept = await engine.submit({ type: 'mail', dedupeBy: 'to', jobs, sealed: false }, { client });
    expect(kept).toMatchObject({ duplicates: 2_000, counts: { total: 1_000 } });
    await client.query('COMMIT');
    await client.query('BEGIN');
    const dropped = await engine.submit({ type: 'mail', dedupeBy: 'to', jobs, sealed: false }, { client });
    await client.query('ROLLBACK');
    client.release();
    expect([await keysOf(kept.id), await keysOf(dropped.id)]).toEqual([1_000, 0]);
    expect(await uploaded(engine, kept.id, people('p7', 'x'))).toMatchObject({ accepted: 1, duplicates: 1 });
    await engine.seal(kept.id);
    expect((await ended(engine, kept.id)).counts.succeeded).toBe(1_001);
  });

  it('E13: is refused with a path that no payload has, naming the path', async () => {
    const engine = world.engine({ plugins: [fake()] });
    await expect(open(engine, { dedupeBy: ['to', 'to.name'] })).rejects.toMatchObject({
      code: 'invalid_batch',
      problems: [{ path: '/dedupeBy/1', code: 'unknown_field' }],
    });
    await expect(open(engine, { dedupeBy: [] })).rejects.toMatchObject({ code: 'invalid_batch' });
  });

  it('keeps no keys, if it takes duplicates', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { id, dedupeBy } = await engine.submit({ type: 'mail', jobs: people('a', 'a'), sealed: false });
    expect(await uploaded(engine, id, people('a'), people('a'))).toMatchObject({
      accepted: 2,
      duplicates: 0,
    });
    expect([dedupeBy, await keysOf()]).toEqual([null, 0]);
  });
});

describe('the keys of an upload', () => {
  it('E13: go away with it when it is aborted, and only its own', async () => {
    const engine = world.engine({ plugins: [fake()] });
    // Duplicates before other rows: positions and rows of the upload are not the same.
    const { id } = await open(engine);
    await uploaded(engine, id, people('a', 'a', 'a', 'b'));
    const upload = await engine.upload(id);
    await upload.write(rows(people('a', 'c', 'd')));
    await upload.write(rows(people('c', 'e')));
    await upload.abort();
    expect(await keysOf(id)).toBe(2);
    expect(await uploaded(engine, id, people('b', 'c', 'd', 'e'))).toMatchObject({
      accepted: 3,
      duplicates: 1,
    });
    expect(await recipients(id)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('E13: go away when it was abandoned and is swept', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const store = await world.store();
    const { id } = await open(engine);
    const lost = await engine.upload(id);
    await lost.write(rows(people('a', 'b')));
    await until('the rows', async () => (await keysOf(id)) === 2);
    await world.sql(`UPDATE batchsender.uploads SET seen_at = now() - interval '1 day'`);
    expect(await store.maintenance.sweepUploads(60_000)).toBe(1);
    expect(await keysOf(id)).toBe(0);
    expect(await uploaded(engine, id, people('a', 'b'))).toMatchObject({ accepted: 2, duplicates: 0 });
    const late = lost.write(rows(people('c'))).then(() => lost.commit());
    await expect(late).rejects.toMatchObject({ code: 'upload_lost' });
    expect(await recipients(id)).toEqual(['a', 'b']);
    expect(await keysOf(id)).toBe(2);
  });

  it('E13: go away with the jobs of a creation that failed half-way', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const jobs = numbered(3_000).map(({ n }) => ({ to: n === 2_500 ? 7 : `p${n}` }));
    await expect(open(engine, { jobs })).rejects.toMatchObject({ code: 'invalid_payload' });
    await until('that nothing is stored', async () => (await keysOf()) === 0);
    expect(await world.sql('SELECT 1 FROM batchsender.jobs')).toEqual([]);
  });

  it('E13: stay while the batch takes jobs, and are dropped once it is sealed or cancelled', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const store = await world.store();
    const many = Array.from({ length: 12_000 }, (_, n) => ({ to: `p${n}` }));
    const [held, sealed, cancelled] = await Promise.all([open(engine), open(engine), open(engine)]);
    await uploaded(engine, held.id, people('a'));
    for (let at = 0; at < many.length; at += 4_000) {
      await uploaded(engine, sealed.id, many.slice(at, at + 4_000));
    }
    await uploaded(engine, cancelled.id, people('a', 'b'));
    expect(await store.maintenance.dropKeys()).toBe(0);
    await engine.seal(sealed.id);
    await engine.cancel(cancelled.id);
    const dropped: number[] = [];
    for (let n = 0; n < 4; n++) dropped.push(await store.maintenance.dropKeys());
    expect(dropped.sort((a, b) => a - b)).toEqual([0, 2, 2_000, 10_000]);
    expect([await keysOf(), await keysOf(held.id)]).toEqual([1, 1]);
  });
});

describe('over a broken connection', () => {
  let proxy: ChaosProxy | undefined;
  const proxied = async (): Promise<Engine> => {
    proxy = await chaosProxy(world.url);
    return world.engine({ plugins: [fake()], database: proxy.url });
  };

  it('E13: a COMMIT whose reply is lost counts its rows and duplicates once', async () => {
    const engine = await proxied();
    const { id } = await open(engine, { jobs: people('a'), sealed: false });
    const upload = await engine.upload(id);
    await upload.write(rows(people('a', 'b', 'b')));
    await until('the rows', async () => (await keysOf(id)) === 2);
    proxy?.loseReplies(['COMMIT'], 1);
    expect(await upload.commit()).toMatchObject({ accepted: 1, duplicates: 2 });
    expect(await engine.getBatch(id)).toMatchObject({ duplicates: 2, counts: { total: 2 } });
    await proxy?.close();
  });

  it('E13: a slice whose reply is lost fails the upload, which leaves no keys behind', async () => {
    const engine = await proxied();
    const { id } = await open(engine);
    const upload = await engine.upload(id);
    proxy?.loseReplies(['bs_keyed_slice'], 1);
    const work = upload.write(rows(people('a', 'b'))).then(() => upload.commit());
    await expect(work).rejects.toThrow();
    await upload.abort();
    expect(await keysOf(id)).toBe(0);
    expect(await uploaded(engine, id, people('a', 'b', 'a'))).toMatchObject({ accepted: 2, duplicates: 1 });
    expect(await recipients(id)).toEqual(['a', 'b']);
    await proxy?.close();
  });

  it('E13: a creation whose COMMIT reply is lost is there once', async () => {
    const engine = await proxied();
    await engine.migrate();
    proxy?.loseReplies(['COMMIT'], 1);
    const batch = await open(engine, { jobs: people('a', 'b', 'a'), sealed: false });
    expect(batch).toMatchObject({ duplicates: 1, counts: { total: 2 } });
    expect(await keysOf()).toBe(2);
    await proxy?.close();
  });
});
