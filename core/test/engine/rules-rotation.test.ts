import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/api.ts';
import type { Tuning } from '../../src/engine/tuning.ts';
import type { SecretKeys } from '../../src/engine/vault/secret-key.ts';
import { ended, testWorld, until } from '../helpers/engine-world.ts';
import { parcels, testKey, type Vendor, vendor } from '../helpers/vendor-plugin.ts';

const world = testWorld();
const [a, b] = [testKey('a'), testKey('b')];

const start = (
  plugin: Vendor,
  secretKeys: SecretKeys = { current: a },
  tuning: Partial<Tuning> = { chunkSize: 20 },
): Promise<Engine> => world.started({ plugins: [plugin], secretKeys, tuning });

const create = (engine: Engine, password: string, atOnce = 3) =>
  engine.connections.create({
    type: 'parcel',
    provider: 'vendor',
    name: 'main',
    credentials: { host: 'h', password, atOnce },
  });

/** How often each parcel was taken. */
function taken(parcel: Vendor): Map<number, number> {
  const times = new Map<number, number>();
  for (const { n, result } of parcel.calls) if (result === 'succeeded') times.set(n, (times.get(n) ?? 0) + 1);
  return times;
}

describe('new credentials', () => {
  it('E18: take the block off that came in the middle of a batch; nothing fails, and nobody is called twice', async () => {
    const parcel = vendor();
    parcel.accepts.add('first-word');
    const engine = await start(parcel);
    const other = await start(parcel);
    const { id } = await create(engine, 'first-word');
    const batch = await engine.submit({ type: 'parcel', connection: 'main', jobs: parcels(200) });
    await until('half of it', () => parcel.calls.length > 60);
    parcel.accepts.delete('first-word');
    const { code } = await until('the block', async () => (await engine.getBatch(batch.id)).blocked);
    expect(code).toBe('bad_password');
    const shown = await other.connections.get(id);
    expect(shown).toMatchObject({ state: 'blocked', message: 'The password [redacted] is wrong' });

    parcel.accepts.add('second-word');
    expect(await other.connections.update(id, { credentials: { password: 'second-word' } })).toMatchObject({
      state: 'ok',
      code: null,
    });
    expect((await ended(engine, batch.id)).counts).toMatchObject({ succeeded: 200, failed: 0, unknown: 0 });
    expect([...taken(parcel).values()]).toEqual(Array(200).fill(1));
    expect(taken(parcel).size).toBe(200);
  });

  it('reach all processes without a restart; the old session is closed when nothing of it is in flight', async () => {
    const parcel = vendor();
    parcel.accepts.add('first-word').add('second-word');
    parcel.callMs = 20;
    // One chunk, which nobody interrupts but the new credentials.
    const engine = await start(parcel, undefined, { chunkSize: 100, sliceMs: 60_000 });
    const { id } = await create(engine, 'first-word', 1);
    const batch = await engine.submit({ type: 'parcel', connection: 'main', jobs: parcels(60) });
    await until('some calls', () => parcel.calls.length > 5);
    await engine.connections.update(id, { credentials: { password: 'second-word', atOnce: 5 } });
    await until('the old session to be closed', () => parcel.closed.includes('first-word'));
    expect((await ended(engine, batch.id)).counts.succeeded).toBe(60);
    expect(parcel.open).toEqual(['first-word', 'second-word']);
    expect(parcel.calls.filter(({ by }) => by === 'second-word').length).toBeGreaterThan(20);
    const firstOfNew = parcel.calls.findIndex(({ by }) => by === 'second-word');
    expect(parcel.calls.slice(firstOfNew + 1).filter(({ by }) => by === 'first-word')).toEqual([]);
    // What is allowed at once follows the credentials.
    expect(parcel.mostAtOnce.get('first-word')).toBe(1);
    expect(parcel.mostAtOnce.get('second-word')).toBeGreaterThan(1);
    await engine.stop();
    expect(parcel.closed).toEqual(['first-word', 'second-word']);
  });

  it('are found by the heartbeat where the notice was lost', async () => {
    const parcel = vendor();
    parcel.accepts.add('first-word').add('second-word');
    const engine = await start(parcel);
    const { id } = await create(engine, 'first-word');
    await ended(engine, (await engine.submit({ type: 'parcel', connection: 'main', jobs: parcels(1) })).id);
    const [{ sealed, key_id: keyId }] = await world.sql('SELECT sealed, key_id FROM batchsender.connections');
    await engine.connections.update(id, { credentials: { password: 'second-word' } });
    await until('the new session', async () => {
      const { jobId } = await engine.submitJob({ type: 'parcel', connection: 'main', payload: { n: 1 } });
      await until('the job', async () => (await engine.getJob(jobId)).state === 'succeeded');
      return parcel.calls.at(-1)?.by === 'second-word';
    });
    // Back to the old ones, behind everybody's back.
    await world.sql('UPDATE batchsender.connections SET sealed = $1, key_id = $2, version = version + 1', [
      sealed,
      keyId,
    ]);
    await until('the old word again', async () => {
      const { jobId } = await engine.submitJob({ type: 'parcel', connection: 'main', payload: { n: 2 } });
      await until('the job', async () => (await engine.getJob(jobId)).state === 'succeeded');
      return parcel.calls.at(-1)?.by === 'first-word';
    });
  });

  it('E18: a late refusal of the old ones does not block the new ones', async () => {
    const engine = await start(vendor());
    const { id } = await create(engine, 'first-word');
    await engine.connections.update(id, { credentials: { password: 'second-word' } });
    const store = await world.store();
    await store.run.block(id, { code: 'late', message: null }, 1);
    expect((await engine.connections.get(id)).state).toBe('ok');
    await store.run.block(id, { code: 'new', message: null }, 2);
    expect((await engine.connections.get(id)).code).toBe('new');
  });
});

describe('a key that is missing or wrong', () => {
  it.each([
    ['missing', { current: b }, 'secret_key_missing'],
    ['wrong', { current: { ...b, id: a.id } }, 'secret_key_wrong'],
  ])(
    '%s: blocks the connection, fails nothing, and is mended by a start with the right one',
    async (_what, keys, code) => {
      const parcel = vendor();
      parcel.accepts.add('first-word');
      const api = world.engine({ plugins: [parcel], secretKeys: { current: a } });
      await create(api, 'first-word');
      const { id } = await api.submit({ type: 'parcel', connection: 'main', jobs: parcels(3) });
      const runner = await start(parcel, keys);
      const block = await until('the block', async () => (await api.getBatch(id)).blocked);
      expect(block.code).toBe(code);
      expect(block.message).toContain('key-a');
      await runner.stop();
      expect((await api.getBatch(id)).counts).toMatchObject({ waiting: 3, failed: 0 });
      const next = await start(parcel);
      expect((await ended(next, id)).counts.succeeded).toBe(3);
    },
  );
});

describe('a rotation of the keys', () => {
  it('seals everything with the first key, and says what it could not open', async () => {
    const parcel = vendor();
    parcel.accepts.add('first-word');
    const old = world.engine({ plugins: [parcel], secretKeys: { current: a } });
    await create(old, 'first-word');
    const lost = world.engine({ plugins: [parcel], secretKeys: { current: testKey('c') } });
    const { id: lostId } = await lost.connections.create({
      type: 'parcel',
      provider: 'vendor',
      name: 'lost',
      credentials: { host: 'h', password: 'third-word' },
    });
    const next = world.engine({ plugins: [], secretKeys: { current: b, previous: [a] } });
    const failed = [{ connectionId: lostId, code: 'secret_key_missing' }];
    expect(await next.connections.rotateSecrets()).toEqual({ rotated: 1, current: 0, failed });
    expect(await next.connections.rotateSecrets()).toEqual({ rotated: 0, current: 1, failed });
    const engine = await start(parcel, { current: b });
    const { id } = await engine.submit({ type: 'parcel', connection: 'main', jobs: parcels(1) });
    expect((await ended(engine, id)).counts.succeeded).toBe(1);
  });
});
