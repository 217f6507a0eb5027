import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReceiptRow } from '../../../src/engine/receipt-store.ts';
import { conservationProblems } from '../../helpers/model-conservation.ts';
import { readSnapshot } from '../../helpers/model-snapshot.ts';
import { testServers } from '../../helpers/postgres.ts';
import { StoreWorld } from '../../helpers/store-world.ts';

const NOTHING = () => ({ add: [], lift: [] });

const row = (
  batchId: string,
  seq: number,
  event: string = randomUUID(),
  more: Partial<ReceiptRow> = {},
): ReceiptRow => ({
  hash: createHash('md5').update(event).digest('hex'),
  connectionId: 'mail.smtp',
  batchId,
  seq,
  kind: 'delivered',
  data: null,
  proves: true,
  ...more,
});

describe.each(testServers())('receipts on $name', (server) => {
  let world: StoreWorld;
  beforeAll(async () => {
    world = await StoreWorld.create(server);
  });
  afterAll(() => world.close());

  const close = { kind: 'close', chunks: [] } as const;
  const record = (...rows: ReceiptRow[]) => world.store.receipts.record(rows, NOTHING);
  const problems = async () => conservationProblems(await readSnapshot(world.pool));
  const countsOf = async (id: string) => (await world.store.read.batch('default', id))?.counts;
  const early = async (id: string) => {
    const text = 'SELECT early_seq AS seq FROM batchsender.receipt_keys WHERE early_batch = $1 ORDER BY 1';
    return (await world.pool.query<{ seq: number }>(text, [id])).rows.map(({ seq }) => seq);
  };
  const settleEarly = async () => {
    for (let after: string | null = null; ; ) {
      after = await world.store.maintenance.settleEarly(after);
      if (after === null) return;
    }
  };
  async function fenced(total: number) {
    const { id, chunkIds } = await world.batch(total);
    const lease = await world.lease(chunkIds[0]);
    const seqs = Array.from({ length: total }, (_, seq) => seq);
    await world.store.run.fence(
      lease,
      seqs.map((seq) => ({ seq, kind: 'attempted' as const, data: null })),
    );
    return { id, lease };
  }

  it('E3: between a fence and its end leave the fence open, and tell that the job was sent', async () => {
    const { id, lease } = await fenced(2);
    await record(row(id, 0), row(id, 1, randomUUID(), { kind: 'printed', proves: false }));
    const events = await world.store.run.loadAttempt(lease);
    expect(events.map(({ seq, kind, fences, late }) => ({ seq, kind, fences, late }))).toEqual([
      { seq: 0, kind: 'attempted', fences: 1, late: { status: 'succeeded', by: 'receipt' } },
      { seq: 1, kind: 'attempted', fences: 1, late: null },
    ]);
    await world.flush(lease, { 0: 'succeeded', 1: 'unknown' }, close);
    expect(await problems()).toEqual([]);
  });

  it('E17: do not turn a call in doubt into one that was never made, when its batch is cancelled', async () => {
    const { id, lease } = await fenced(2);
    await world.flush(lease, {}, { kind: 'giveBack', dueInMs: 0 });
    await record(row(id, 0));
    await world.store.steer.cancel('default', id);
    await world.sweep(id);
    expect(await countsOf(id)).toMatchObject({ unknown: 2 });
    await settleEarly();
    expect(await countsOf(id)).toMatchObject({ unknown: 1, succeeded: 1 });
    expect(await problems()).toEqual([]);
  });

  it('E2: are no fence to the reconciler, which finds a lost job on its attempt', async () => {
    const { id, lease } = await fenced(1);
    await record(row(id, 0));
    await world.pool.query(`UPDATE batchsender.chunks SET state = 'closed' WHERE id = $1`, [lease.chunkId]);
    await world.pool.query(
      `UPDATE batchsender.batches SET state = 'completed', completed_at = now(), open_chunks = 0, changed_at = now() WHERE id = $1`,
      [id],
    );
    await world.store.maintenance.reconcile(20);
    const { rows } = await world.pool.query(
      `SELECT attempt, interrupted FROM batchsender.chunks WHERE batch_id = $1 AND state <> 'closed'`,
      [id],
    );
    expect(rows).toEqual([{ attempt: 1, interrupted: true }]);
    expect(await problems()).toEqual([]);
  });

  it('that came early wait for the outcome, and for no longer', async () => {
    const { id, lease } = await fenced(4);
    await record(...[0, 1, 2, 3].map((seq) => row(id, seq)));
    await settleEarly();
    expect(await early(id)).toEqual([0, 1, 2, 3]);
    await world.flush(lease, { 0: 'unknown', 1: 'succeeded', 2: 'failed' });
    await settleEarly();
    expect(await early(id)).toEqual([3]);
    expect(await world.lastEvents(id)).toEqual({
      0: '1 resolved',
      1: '1 succeeded',
      2: '1 failed',
      3: '1 delivered',
    });
    expect(await countsOf(id)).toMatchObject({ succeeded: 2, failed: 1, unknown: 0 });
    expect(await problems()).toEqual([]);
  });

  it('of an attempt say nothing of the next one', async () => {
    const { id, lease } = await fenced(1);
    await record(row(id, 0));
    const again = { seqs: [0], dueInMs: 0, attempt: 2, spent: 1, uncertain: true, split: false };
    await world.flush(lease, { 0: 'retried' }, { kind: 'close', chunks: [again] });
    const { rows } = await world.pool.query<{ id: string }>(
      `SELECT id FROM batchsender.chunks WHERE batch_id = $1 AND state = 'ready'`,
      [id],
    );
    const next = await world.lease(Number(rows[0]?.id));
    await world.flush(next, { 0: 'unknown' }, close);
    await settleEarly();
    expect(await early(id)).toEqual([]);
    expect(await countsOf(id)).toMatchObject({ unknown: 1 });
    // One that comes now is about the job as it is.
    await record(row(id, 0));
    expect(await countsOf(id)).toMatchObject({ succeeded: 1 });
    expect(await problems()).toEqual([]);
  });

  it('are looked at in steps, however many came early', async () => {
    const { id, lease } = await fenced(1_200);
    await record(...Array.from({ length: 1_200 }, (_, seq) => row(id, seq)));
    const seqs = Array.from({ length: 1_200 }, (_, seq) => [seq, 'unknown'] as const);
    await world.flush(lease, Object.fromEntries(seqs), close);
    await settleEarly();
    expect(await countsOf(id)).toMatchObject({ succeeded: 1_200, unknown: 0 });
    expect(await problems()).toEqual([]);
  });

  it('of the same jobs in opposite orders do not block each other', async () => {
    const batches = await Promise.all([fenced(400), fenced(400)]);
    for (const { lease } of batches) {
      const seqs = Array.from({ length: 400 }, (_, seq) => [seq, 'unknown'] as const);
      await world.flush(lease, Object.fromEntries(seqs), close);
    }
    const rows = batches.flatMap(({ id }) =>
      Array.from({ length: 400 }, (_, seq) => row(id, seq, `${id} ${seq}`)),
    );
    const rounds = Array.from({ length: 8 }, (_, n) => record(...(n % 2 === 0 ? rows : [...rows].reverse())));
    const fates = (await Promise.all(rounds)).flat().map(({ fate }) => fate);
    expect(fates.filter((fate) => fate === 'recorded')).toHaveLength(800);
    for (const { id } of batches) expect(await countsOf(id)).toMatchObject({ succeeded: 400, unknown: 0 });
    expect(await problems()).toEqual([]);
  });

  it('are forgotten after 90 days, and then recorded again', async () => {
    const { id, lease } = await fenced(1);
    await world.flush(lease, { 0: 'succeeded' }, close);
    const one = row(id, 0);
    expect((await record(one))[0]?.fate).toBe('recorded');
    await world.store.maintenance.dropReceiptKeys();
    expect((await record(one))[0]?.fate).toBe('duplicate');
    await world.pool.query(
      `UPDATE batchsender.receipt_keys SET at = now() - interval '91 days' WHERE hash = $1`,
      [one.hash],
    );
    expect(await world.store.maintenance.dropReceiptKeys()).toBe(1);
    expect((await record(one))[0]?.fate).toBe('recorded');
  });

  it('are recorded with what they change in the suppression list, or not at all', async () => {
    const { id, lease } = await fenced(1);
    await world.flush(lease, { 0: 'succeeded' }, close);
    const hash = randomUUID().replaceAll('-', '');
    const entry = { tenantId: 't', type: 'mail', hash, reason: 'bounced', source: 'mail.smtp' } as const;
    const failing = () => {
      throw new Error('no');
    };
    await expect(world.store.receipts.record([row(id, 0)], failing)).rejects.toThrow('no');
    expect(await world.lastEvents(id)).toEqual({ 0: '1 succeeded' });
    await world.store.receipts.record([row(id, 0)], () => ({ add: [entry, entry], lift: [] }));
    expect(await world.store.run.suppressed.find('t', 'mail', [hash])).toEqual([{ hash, reason: 'bounced' }]);
    expect(await world.lastEvents(id)).toEqual({ 0: '1 delivered' });
  });
});
