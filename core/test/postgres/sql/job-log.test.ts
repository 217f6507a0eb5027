import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChunkLease, EventKind, NewEvent } from '../../../src/engine/store.ts';
import { splitFences } from '../../../src/postgres/sql/fence-runs.ts';
import { jobLog, listLog, rangeLog } from '../../../src/postgres/sql/job-log.ts';
import { testServers } from '../../helpers/postgres.ts';
import { StoreWorld } from '../../helpers/store-world.ts';

const S = 'batchsender';

const fences = (seqs: Iterable<number>, data: string | null = null): NewEvent[] =>
  [...seqs].map((seq) => ({ seq, kind: 'attempted', data }));

const upTo = (end: number, from = 0, step = 1): number[] =>
  Array.from({ length: Math.ceil((end - from) / step) }, (_none, index) => from + index * step);

describe('fences of a statement', () => {
  it.each<[string, NewEvent[], [number, number][]]>([
    ['of neighbours are one run, in whatever order they come', fences([3, 1, 2]), [[1, 4]]],
    [
      'that are no neighbours are runs of their own',
      fences([1, 3, 4]),
      [
        [1, 2],
        [3, 5],
      ],
    ],
    [
      'never cross a multiple of 256',
      fences(upTo(600, 200)),
      [
        [200, 256],
        [256, 512],
        [512, 600],
      ],
    ],
    [
      'of two calls are two runs',
      [...fences([1, 2], '{"call":"a"}'), ...fences([3], '{"call":"b"}')],
      [
        [1, 3],
        [3, 4],
      ],
    ],
    [
      'of the same job twice stay two',
      fences([5, 5]),
      [
        [5, 6],
        [5, 6],
      ],
    ],
  ])('%s', (_what, events, runs) => {
    const split = splitFences(events);
    expect(split.events).toEqual([]);
    expect(split.runs.map(({ seq, endSeq }) => [seq, endSeq])).toEqual(runs);
  });

  it('stay events of their own where another event follows', () => {
    const events: NewEvent[] = [...fences([1]), { seq: 2, kind: 'failed', data: null }, ...fences([2])];
    const split = splitFences(events);
    expect(split.events).toEqual(events.slice(0, 2));
    expect(split.runs).toEqual([{ seq: 2, endSeq: 3, data: null }]);
  });
});

describe.each(testServers())('the log on $name', (server) => {
  let world: StoreWorld;
  let id: string;
  let lease: ChunkLease;

  beforeAll(async () => {
    world = await StoreWorld.create(server);
    const batch = await world.batch(1_000);
    id = batch.id;
    lease = await world.lease(batch.chunkIds[0]);
    await world.store.run.fence(lease, fences(upTo(700)));
    await world.store.run.fence(
      lease,
      upTo(700, 0, 3).map((seq) => ({ seq, kind: 'released', data: null })),
    );
    await world.store.run.fence(lease, fences(upTo(700, 0, 3), '{"note":"a \\"b\\" \\\\ \\n é"}'));
    await world.flush(lease, { 1: 'succeeded', 256: ['failed', { code: 'a"b\\c\nd\u2028😀\ud800' }] });
  });
  afterAll(() => world.close());

  const COLUMNS = 'id::text, seq, attempt, kind, at, data';
  const rows = async (from: string, values: unknown[]) =>
    (await world.pool.query(`SELECT ${COLUMNS} FROM ${from} ORDER BY seq, e.id`, values)).rows;

  it('has a row an event, of all that was written', async () => {
    const all = await rows(`${S}.job_events AS e WHERE batch_id = $1`, [id]);
    expect(all).toHaveLength(700 + 2 * 234 + 2);
    expect(new Set(all.filter((row) => row.kind === 'attempted').map((row) => row.seq)).size).toBe(700);
    expect(all.filter((row) => row.seq === 3).map((row) => [row.kind, row.data])).toEqual([
      ['attempted', null],
      ['released', null],
      ['attempted', { note: 'a "b" \\ \n é' }],
    ]);
    expect(all.find((row) => row.kind === 'failed')?.data).toEqual({ code: 'a"b\\c\nd\u2028😀\ud800' });
    const { rows: stored } = await world.pool.query(`SELECT 1 FROM ${S}.job_fences WHERE batch_id = $1`, [
      id,
    ]);
    expect(stored).toHaveLength(3 + 234);
  });

  it.each([
    ['of one job', 300, 301],
    ['at the edge of a run', 255, 257],
    ['in the middle of runs', 100, 600],
    ['beyond the last fence', 690, 900],
    ['of nobody', 900, 901],
  ])('is the same as a range and as a list: %s', async (_what, first, end) => {
    const view = await rows(`${S}.job_events AS e WHERE batch_id = $1 AND seq >= $2 AND seq < $3`, [
      id,
      first,
      end,
    ]);
    expect(await rows(`${rangeLog(S, '$1', '$2::int', '$3::int')} AS e`, [id, first, end])).toEqual(view);
    expect(await rows(`${listLog(S, '$1', '$2::int[]')} AS e`, [id, upTo(end, first)])).toEqual(view);
    const one = await rows(`${jobLog(S, '$1', '$2::int')} AS e`, [id, first]);
    expect(one).toEqual(view.filter((row) => row.seq === first));
  });

  it('is the same for a list with gaps', async () => {
    const seqs = upTo(1_000, 2, 127);
    const view = await rows(`${S}.job_events AS e WHERE batch_id = $1 AND seq = ANY($2::int[])`, [id, seqs]);
    expect(view.length).toBeGreaterThan(5);
    expect(await rows(`${listLog(S, '$1', '$2::int[]')} AS e`, [id, seqs])).toEqual(view);
  });

  it('E3: tells the last event of an attempt, and how many fences it has', async () => {
    const attempt = await world.store.run.loadAttempt(lease);
    expect(attempt).toHaveLength(700);
    expect(attempt[3]).toMatchObject({ seq: 3, kind: 'attempted', fences: 2 });
    expect(attempt[1]).toMatchObject({ seq: 1, kind: 'succeeded', fences: 1 });
    expect(attempt[2]).toMatchObject({ seq: 2, kind: 'attempted', fences: 1 });
  });

  it('E24: is read and written by the release before, which knows no runs', async () => {
    const batch = await world.batch(10);
    const own = await world.lease(batch.chunkIds[0]);
    // Its statements as they were, on what is a view now.
    const fence = `
WITH c AS MATERIALIZED (
  SELECT batch_id, attempt FROM ${S}.chunks WHERE id = $1 AND epoch = $2 AND state = 'leased' FOR SHARE
)
  INSERT INTO ${S}.job_events (id, batch_id, seq, attempt, kind, data)
  WITH numbered AS MATERIALIZED (SELECT batch_id, attempt, nextval('${S}.job_event_ids') AS first_id FROM c)
  SELECT c.first_id + e.n - 1, c.batch_id, e.seq, c.attempt, coalesce(e.kind, ($4::text[])[1]), e.data
  FROM numbered AS c, unnest($3::int[], $4::text[], $5::json[]) WITH ORDINALITY AS e (seq, kind, data, n)`;
    const { rowCount } = await world.pool.query(fence, [
      own.chunkId,
      own.epoch,
      '{0,1}',
      '{attempted}',
      '{}',
    ]);
    expect(rowCount).toBe(2);
    await world.store.run.fence(own, fences([2, 3]));
    await world.pool.query(
      `INSERT INTO ${S}.job_events (batch_id, seq, attempt, kind, data) SELECT $1, 3, 1, 'failed', NULL`,
      [batch.id],
    );
    const last = `
SELECT seq, (array_agg(kind ORDER BY id DESC))[1] AS kind, bool_and(at > now() - interval '1 minute') AS dated
FROM ${S}.job_events WHERE batch_id = $1 AND attempt = $2 AND seq >= $3 AND seq < $4 GROUP BY seq ORDER BY seq`;
    const expected: [number, EventKind][] = [
      [0, 'attempted'],
      [1, 'attempted'],
      [2, 'attempted'],
      [3, 'failed'],
    ];
    const { rows: seen } = await world.pool.query(last, [batch.id, 1, 0, 10]);
    expect(seen).toEqual(expected.map(([seq, kind]) => ({ seq, kind, dated: true })));
    const attempt = await world.store.run.loadAttempt(own);
    expect(attempt.map(({ seq, kind }) => [seq, kind])).toEqual(expected);
  });
});
