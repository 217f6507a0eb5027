import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT } from '../../src/engine/api.ts';
import type { BatchSenderError } from '../../src/engine/errors.ts';
import { testWorld, until } from '../helpers/engine-world.ts';
import { fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

const counted = async (table: string): Promise<number> =>
  (await world.sql(`SELECT count(*)::int AS n FROM batchsender.${table}`))[0].n;

describe('an idempotency key', () => {
  it('E13: is reserved first, busy until it is answered, and then remembers the answer', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { idempotency } = engine;
    await engine.migrate();
    const asked = await Promise.all(Array.from({ length: 8 }, () => idempotency.reserve('t', 'k')));
    expect(asked.map((one) => one.state).sort()).toEqual([...Array(7).fill('busy'), 'reserved']);
    await idempotency.complete('t', 'k', { bodyHash: 'h', status: 201, body: { id: 1 } });
    expect(await idempotency.reserve('t', 'k')).toMatchObject({
      state: 'done',
      bodyHash: 'h',
      status: 201,
      body: { id: 1 },
    });
    expect(await idempotency.reserve('other', 'k')).toEqual({ state: 'reserved' });
    await idempotency.release('other', 'k');
    expect(await idempotency.reserve('other', 'k')).toEqual({ state: 'reserved' });
    await idempotency.release('t', 'k');
    expect((await idempotency.reserve('t', 'k')).state).toBe('done');
  });

  it('E13: is free again after a day, or when its request never ended', async () => {
    const engine = world.engine({ plugins: [fake()] });
    await engine.migrate();
    await engine.idempotency.reserve('t', 'lost');
    await engine.idempotency.reserve('t', 'old');
    await engine.idempotency.complete('t', 'old', { bodyHash: 'h', status: 201, body: null });
    await world.sql(
      `UPDATE batchsender.idempotency_keys SET created_at = now() - interval '20 minutes' WHERE key = 'lost'`,
    );
    await world.sql(
      `UPDATE batchsender.idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'`,
    );
    expect(await engine.idempotency.reserve('t', 'lost')).toEqual({ state: 'reserved' });
    expect(await engine.idempotency.reserve('t', 'old')).toEqual({ state: 'reserved' });
  });

  it('E13: is held as long as its request gives signs of life', async () => {
    const engine = world.engine({ plugins: [fake()] });
    await engine.migrate();
    const age = () =>
      world.sql(`UPDATE batchsender.idempotency_keys SET created_at = now() - interval '40 s'`);
    await engine.idempotency.reserve('t', 'k');
    await age();
    await engine.idempotency.keep('t', 'k');
    expect(await engine.idempotency.reserve('t', 'k')).toEqual({ state: 'busy' });
    await age();
    expect(await engine.idempotency.reserve('t', 'k')).toEqual({ state: 'reserved' });
  });

  it.each([10, 3_000])('E13: that was given back meanwhile stores nothing of %i jobs', async (count) => {
    const engine = world.engine({ plugins: [fake()] });
    await engine.migrate();
    const submit = (key: string) =>
      engine.submit({ type: 'mail', jobs: numbered(count) }, { idempotency: { key, bodyHash: 'h' } });
    await engine.idempotency.reserve(DEFAULT_TENANT, 'k');
    await engine.idempotency.release(DEFAULT_TENANT, 'k');
    await expect(submit('k')).rejects.toMatchObject({ code: 'idempotency_key_lost' });
    expect(await counted('batches')).toBe(0);
    await engine.idempotency.reserve(DEFAULT_TENANT, 'k');
    const batch = await submit('k');
    // The repeat of the request has used it: nothing is stored twice.
    await expect(submit('k')).rejects.toMatchObject({ code: 'idempotency_key_lost' });
    expect(await engine.idempotency.reserve(DEFAULT_TENANT, 'k')).toMatchObject({
      state: 'done',
      ref: batch.id,
    });
    expect(await counted('batches')).toBe(1);
    expect(await counted('jobs')).toBe(count);
  });

  it('E13: holds against a statement that runs on after its connection broke', async () => {
    const engine = world.engine({ plugins: [fake()] });
    await engine.migrate();
    await engine.idempotency.reserve(DEFAULT_TENANT, 'k');
    // A lock keeps the statement waiting while its client takes it for lost, and gives the key back.
    const holder = await world.client();
    await holder.query('BEGIN; LOCK TABLE batchsender.batches IN ACCESS EXCLUSIVE MODE');
    const first = engine
      .submit({ type: 'mail', jobs: numbered(5) }, { idempotency: { key: 'k', bodyHash: 'h' } })
      .catch((error: BatchSenderError) => error.code);
    const waiting = `SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO "batchsender".batches%'`;
    await until('the statement', async () => (await world.sql(waiting)).length > 0);
    await engine.idempotency.release(DEFAULT_TENANT, 'k');
    await holder.query('COMMIT');
    holder.release();
    expect(await first).toBe('idempotency_key_lost');
    expect(await counted('batches')).toBe(0);
  });
});
