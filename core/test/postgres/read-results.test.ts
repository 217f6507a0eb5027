import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobState } from '../../src/engine/api.ts';
import { receiptsOf } from '../../src/engine/decisions/delivery.ts';
import type { ResultBlock, ResultQuery } from '../../src/engine/host-store.ts';
import { resultEventsStatement } from '../../src/postgres/sql/result-events.ts';
import { resultPayloadsStatement } from '../../src/postgres/sql/result-payloads.ts';
import { testServers } from '../helpers/postgres.ts';
import { StoreWorld } from '../helpers/store-world.ts';

describe.each(testServers())('the results of a batch on $name', (server) => {
  let world: StoreWorld;
  beforeAll(async () => {
    world = await StoreWorld.create(server);
  });
  afterAll(() => world.close());

  const close = { kind: 'close', chunks: [] } as const;
  const s = 'batchsender';

  /** All blocks of the given size. */
  async function blocks(
    id: string,
    options: Partial<ResultQuery> & { total: number },
  ): Promise<ResultBlock[]> {
    const query = { batchId: id, states: undefined, receipts: receiptsOf(), limit: 1_000, ...options };
    const read: ResultBlock[] = [];
    for (let after: number | null = -1; after !== null; after = read.at(-1)?.next ?? null) {
      read.push(await world.store.read.results({ ...query, after }));
    }
    return read;
  }

  const rowsOf = async (id: string, options: Partial<ResultQuery> & { total: number }) =>
    (await blocks(id, options)).flatMap(({ rows }) => rows);
  const statesOf = async (id: string, total: number) =>
    (await rowsOf(id, { total })).map(({ state }) => state);
  const seqsIn = async (id: string, states: JobState[], limit = 1_000) =>
    (await rowsOf(id, { total: 12, states, limit })).map(({ seq }) => seq);

  const addEvents = (id: string, ...events: [seq: number, kind: string][]) =>
    world.pool.query(
      `INSERT INTO batchsender.job_events (batch_id, seq, attempt, kind)
       SELECT $1, seq, 1, kind FROM unnest($2::int[], $3::text[]) AS e (seq, kind)`,
      [id, events.map(([seq]) => seq), events.map(([, kind]) => kind)],
    );

  /** Jobs in every state, one of which was retried, one resolved, one late and one reported on. */
  async function mixed(): Promise<string> {
    const { id, chunkIds } = await world.batch(12, 3);
    const first = await world.lease(chunkIds[0]);
    await world.flush(
      first,
      { 0: ['succeeded', { ref: 'r0' }], 1: ['failed', { code: 'refused' }], 2: 'unknown' },
      close,
    );
    const second = await world.lease(chunkIds[1]);
    await world.flush(second, { 3: ['retried', { code: 'http_500' }], 4: 'unknown' });
    await world.flush({ ...second, flushNo: 1 }, { 5: 'succeeded' }, undefined, 1);
    await world.store.steer.resolve('default', id, 2, 'failed');
    await world.store.run.recordLate(second, [
      { seq: 4, data: '{"status":"succeeded","ref":"late"}', success: true },
    ]);
    await world.lease(chunkIds[2]);
    await addEvents(id, [5, 'delivered'], [5, 'opened'], [9, 'cancelled']);
    return id;
  }

  it('say what became of every job, in order, with its payload', async () => {
    const id = await mixed();
    const rows = await rowsOf(id, { total: 12 });
    expect(rows.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(rows.slice(0, 7)).toMatchObject([
      {
        id: `${id}.0`,
        state: 'succeeded',
        ref: 'r0',
        attempts: 1,
        settledAt: expect.any(Date),
        payloadText: '{}',
      },
      { state: 'failed', code: 'refused' },
      { state: 'failed' },
      { state: 'waiting', code: 'http_500', settledAt: null, at: expect.any(Date) },
      { state: 'succeeded', ref: 'late' },
      { state: 'succeeded', delivery: 'opened' },
      { state: 'running', attempts: 0, at: null, settledAt: null, delivery: null },
    ]);
    expect(await statesOf(id, 12)).toEqual(
      (await world.store.read.jobs('default', id, { limit: 100, after: -1 }, () => receiptsOf())).items.map(
        ({ state }) => state,
      ),
    );
  });

  it.each<[JobState[], number[]]>([
    [['failed'], [1, 2]],
    [['unknown'], []],
    [['cancelled'], [9]],
    [
      ['failed', 'unknown', 'cancelled'],
      [1, 2, 9],
    ],
    [['waiting'], [3, 10, 11]],
    [
      ['running', 'failed'],
      [1, 2, 6, 7, 8],
    ],
    [['succeeded'], [0, 4, 5]],
  ])('are only those in the states %j, whatever the size of a block', async (states, seqs) => {
    const id = await mixed();
    for (const limit of [1, 2, 5, 1_000])
      expect([limit, await seqsIn(id, states, limit)]).toEqual([limit, seqs]);
  });

  it('follow a job that was reopened', async () => {
    const { id, chunkIds } = await world.batch(2);
    await world.flush(await world.lease(chunkIds[0]), { 0: 'failed', 1: 'succeeded' }, close);
    await world.store.steer.retry('default', id, ['failed']);
    await world.sweep(id);
    expect(await rowsOf(id, { total: 2 })).toMatchObject([
      { state: 'waiting', settledAt: null },
      { state: 'succeeded' },
    ]);
    expect(await rowsOf(id, { total: 2, states: ['failed'] })).toEqual([]);
  });

  it('come in blocks without a gap', async () => {
    const { id } = await world.batch(10);
    const read = await blocks(id, { total: 10, limit: 4 });
    expect(read.map(({ rows }) => rows.length)).toEqual([4, 4, 2]);
    expect(read.at(-1)?.next).toBeNull();
    expect((await blocks(id, { total: 10, limit: 5 })).map(({ rows }) => rows.length)).toEqual([5, 5]);
  });

  it('of an empty batch are one empty block', async () => {
    const { id } = await world.batch(1);
    expect(await blocks(id, { total: 0 })).toEqual([{ rows: [], next: null, cutAt: undefined }]);
  });

  it('end at the jobs that the batch had, though an upload has written more', async () => {
    const { id } = await world.batch(5);
    expect(await rowsOf(id, { total: 3 })).toHaveLength(3);
  });

  it('come in smaller blocks where payloads are large', async () => {
    const { id } = await world.batch(8);
    await world.pool.query(
      `UPDATE batchsender.jobs SET payload = json_build_object('to', repeat('x', 3000000)) WHERE batch_id = $1 AND seq >= 4`,
      [id],
    );
    const read = await blocks(id, { total: 8 });
    expect(read.map(({ rows }) => rows.map(({ seq }) => seq))).toEqual([
      [0, 1, 2, 3, 4, 5],
      [6, 7],
    ]);
    expect(read.map(({ cutAt }) => cutAt)).toEqual([6, undefined]);
    const failed = { total: 8, states: ['failed' as const] };
    await addEvents(id, [1, 'failed'], [4, 'failed'], [5, 'failed'], [6, 'failed']);
    expect((await blocks(id, failed)).map(({ rows }) => rows.map(({ seq }) => seq))).toEqual([
      [1, 4, 5],
      [6],
    ]);
  });

  it('read at most so many events at once, and all of one job', async () => {
    const { id } = await world.batch(4);
    await addEvents(
      id,
      [0, 'retried'],
      [0, 'failed'],
      [1, 'retried'],
      [1, 'retried'],
      [1, 'failed'],
      [2, 'failed'],
    );
    const read = resultEventsStatement(world.pool, s, 3);
    const seen = async (seqs: number[]) => {
      const { seqs: whole, bySeq } = await read(id, seqs);
      return whole.map((seq) => [seq, bySeq.get(seq)?.map(({ kind }) => kind)]);
    };
    expect(await seen([0, 1, 2, 3])).toEqual([[0, ['retried', 'failed']]]);
    expect(await seen([1, 2, 3])).toEqual([[1, ['retried', 'retried', 'failed']]]);
    expect(await seen([1, 3])).toEqual([[1, ['retried', 'retried', 'failed']]]);
    expect(await seen([2, 3])).toEqual([
      [2, ['failed']],
      [3, undefined],
    ]);
  });

  it('read at least one payload, however large it is', async () => {
    const { id } = await world.batch(3);
    const read = resultPayloadsStatement(world.pool, s, 1);
    expect(await read(id, [0, 1, 2])).toEqual([[0, '{}']]);
    expect(await read(id, [1, 2])).toEqual([[1, '{}']]);
    expect(await read(id, [])).toEqual([]);
  });
});
