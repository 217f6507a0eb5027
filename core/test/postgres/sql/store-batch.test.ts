import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewBatch } from '../../../src/engine/host-store.ts';
import { testServers } from '../../helpers/postgres.ts';
import { StoreWorld } from '../../helpers/store-world.ts';

const HOUR_MS = 3_600_000;

describe.each(testServers())('a batch of one chunk on $name', (server) => {
  let world: StoreWorld;
  beforeAll(async () => {
    world = await StoreWorld.create(server);
  });
  afterAll(() => world.close());

  const newBatch = (fields: Partial<NewBatch>): NewBatch => ({
    id: v7(),
    tenantId: 'default',
    type: 'mail',
    origin: 'single',
    name: 'A name',
    provider: 'smtp',
    connectionId: 'mail.smtp',
    priority: 2,
    defaults: { subject: 'Hello' },
    retry: { maxAttempts: 3 },
    pluginName: 'p',
    pluginVersion: '1',
    moduleVersion: 1,
    chunkSize: 5,
    scheduledAt: null,
    dedupeBy: ['/to'],
    dryRun: true,
    traceParent: '00-aa-bb-01',
    ...fields,
  });

  /** What is stored, apart from what differs from batch to batch. */
  async function stored(
    fields: Partial<NewBatch>,
    { jobs = 5, leased = false, key }: { jobs?: number; leased?: boolean; key?: string },
  ) {
    const batch = newBatch(fields);
    if (key !== undefined) await world.store.idempotency.reserve('default', key);
    const ranges = await world.store.intake.insertBatch(batch, {
      texts: Array.from({ length: jobs }, (_, n) => JSON.stringify({ n })),
      duplicates: 2,
      sealed: true,
      runnerId: leased ? world.runnerId : null,
      claims: key === undefined ? [] : [{ key, bodyHash: 'hash', ref: batch.id }],
    });
    const { rows } = await world.pool.query(
      `SELECT to_jsonb(b) - '{id,created_at,changed_at,sealed_at}'::text[] AS batch, b.sealed_at IS NOT NULL AS sealed,
         (SELECT json_agg(j.payload ORDER BY j.seq) FROM batchsender.jobs AS j WHERE j.batch_id = b.id) AS payloads,
         (SELECT json_agg(to_jsonb(c) - '{id,batch_id,due_at,first_due_at,first_leased_at}'::text[]
            || jsonb_build_object('due', c.due_at = greatest(b.created_at, b.scheduled_at), 'leased', c.first_leased_at = b.created_at)
            ORDER BY c.id) FROM batchsender.chunks AS c WHERE c.batch_id = b.id) AS chunks
       FROM batchsender.batches AS b WHERE b.id = $1`,
      [batch.id],
    );
    return { ...rows[0], ranges: ranges.map(([, first, end]) => [first, end]) };
  }

  it.each([
    { what: 'that runs at once', fields: {}, jobs: 5, leased: false },
    { what: 'under a lease', fields: {}, jobs: 4, leased: true },
    {
      what: 'of one job',
      fields: { dedupeBy: null, defaults: null, traceParent: null },
      jobs: 1,
      leased: false,
    },
    {
      what: 'for later, whoever would take it',
      fields: { scheduledAt: new Date(Date.now() + HOUR_MS) },
      jobs: 3,
      leased: true,
    },
  ])('$what is stored as any other is', async ({ fields, jobs, leased }) => {
    // One that answers an idempotency key goes the way of all batches.
    const asAny = await stored(fields, { jobs, leased, key: v7() });
    const small = await stored(fields, { jobs, leased });
    expect(small.chunks).toHaveLength(1);
    expect(small.payloads).toHaveLength(jobs);
    expect(small).toEqual(asAny);
  });

  it('is told from one of two', async () => {
    const { chunks } = await stored({}, { jobs: 6 });
    expect(chunks).toHaveLength(2);
  });
});
