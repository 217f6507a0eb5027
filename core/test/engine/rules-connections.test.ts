import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/api.ts';
import { ended, testWorld, until } from '../helpers/engine-world.ts';
import { parcels, testKey, type Vendor, vendor } from '../helpers/vendor-plugin.ts';

const world = testWorld();
const secretKeys = { current: testKey('a') };

const start = (plugin: Vendor): Promise<Engine> => world.started({ plugins: [plugin], secretKeys });

const input = (name: string, password = 'open-sesame') => ({
  type: 'parcel',
  provider: 'vendor',
  name,
  credentials: { host: 'h', password },
});

describe('a connection', () => {
  it('is shown without its secrets, which are stored sealed', async () => {
    const engine = await start(vendor());
    const made = await engine.connections.create(input('main'));
    expect(made).toMatchObject({
      id: expect.stringMatching(/^con_[0-9a-f-]{36}$/),
      type: 'parcel',
      provider: 'vendor',
      name: 'main',
      state: 'ok',
      credentials: { host: 'h' },
      secrets: ['/password'],
    });
    expect(await engine.connections.get(made.id)).toEqual(made);
    expect(await engine.connections.list()).toEqual([made]);
    const [row] = await world.sql(
      'SELECT c::text AS text, key_id, version FROM batchsender.connections AS c',
    );
    expect(row).toMatchObject({ key_id: 'key-a', version: 1 });
    expect(row.text).not.toContain('open-sesame');
  });

  it('is used by its name, with its own credentials, and the provider follows from it', async () => {
    const parcel = vendor();
    parcel.accepts.add('open-sesame').add('other-word');
    const engine = await start(parcel);
    const { id } = await engine.connections.create(input('main'));
    await engine.connections.create(input('other', 'other-word'));
    const batch = await engine.submit({ type: 'parcel', connection: 'main', jobs: parcels(5) });
    expect(batch).toMatchObject({ provider: 'vendor', connection: 'main', connectionId: id });
    expect((await ended(engine, batch.id)).counts.succeeded).toBe(5);
    const { jobId } = await engine.submitJob({ type: 'parcel', connection: 'other', payload: { n: 9 } });
    await until('the job', async () => (await engine.getJob(jobId)).state === 'succeeded');
    const upload = await engine.uploadBatch({ type: 'parcel', connection: 'other' });
    await upload.write(parcels(3).map((payload) => ({ payload })));
    await upload.commit();
    expect((await ended(engine, upload.batchId)).connection).toBe('other');
    const by = Map.groupBy(parcel.calls, (call) => call.by);
    expect([by.get('open-sesame')?.length, by.get('other-word')?.length]).toEqual([5, 4]);
  });

  it.each([
    ['a name that is none', { name: 'Not a name' }, ['/name']],
    ['a missing field', { credentials: { password: 'open-sesame' } }, ['/credentials/host']],
    [
      'a secret that is too short',
      { credentials: { host: 'h', password: 'abc' } },
      ['/credentials/password'],
    ],
    ['too much of it', { credentials: { host: 'abc'.repeat(30_000), password: 'abcd' } }, ['/credentials']],
    ['an unknown field', { credentials: { host: 'h', password: 'abcd', x: 1 } }, ['/credentials/x']],
  ])('is refused with %s, by place and without the value', async (_what, change, paths) => {
    const engine = await start(vendor());
    const refused = await engine.connections
      .create({ ...input('main'), ...change } as never)
      .catch((error) => error);
    expect(refused).toMatchObject({ code: 'invalid_connection' });
    expect(refused.problems.map(({ path }: { path: string }) => path)).toEqual(paths);
    expect(JSON.stringify(refused.problems)).not.toContain('abc');
    expect(await engine.connections.list()).toEqual([]);
  });

  it('needs a type and a provider that are there, and a name that is free', async () => {
    const engine = await start(vendor());
    await engine.connections.create(input('main'));
    const create = (change: object) => engine.connections.create({ ...input('main'), ...change });
    await expect(create({})).rejects.toMatchObject({ code: 'connection_exists' });
    await expect(create({ type: 'pigeon' })).rejects.toMatchObject({ code: 'unknown_type' });
    await expect(create({ provider: 'none' })).rejects.toMatchObject({ code: 'unknown_provider' });
    expect(await engine.connections.list()).toHaveLength(1);
  });

  it('is not stored by a process without a key, where all else works', async () => {
    const parcel = vendor();
    const engine = await world.started({ plugins: [parcel] });
    await expect(engine.connections.create(input('main'))).rejects.toMatchObject({
      code: 'secret_key_missing',
    });
    const { id } = await engine.submit({ type: 'parcel', provider: 'sandbox', jobs: parcels(1) });
    expect((await ended(engine, id)).counts.succeeded).toBe(1);
  });

  it('is changed in part, renamed, and keeps what is left out', async () => {
    const engine = await start(vendor());
    const { id } = await engine.connections.create(input('main'));
    const renamed = await engine.connections.update(id, { name: 'renamed' });
    expect(renamed).toMatchObject({ name: 'renamed', credentials: { host: 'h' }, secrets: ['/password'] });
    const moved = await engine.connections.update(id, { credentials: { host: 'elsewhere' } });
    expect(moved).toMatchObject({ credentials: { host: 'elsewhere' }, secrets: ['/password'] });
    await expect(engine.connections.update(id, { credentials: { password: null } })).rejects.toMatchObject({
      code: 'invalid_connection',
      problems: [{ path: '/credentials/password', code: 'missing_field' }],
    });
    await engine.connections.create(input('main'));
    await expect(engine.connections.update(id, { name: 'main' })).rejects.toMatchObject({
      code: 'connection_exists',
    });
  });

  it('of another tenant does not exist', async () => {
    const engine = await start(vendor());
    const mine = { tenantId: 'mine' };
    const theirs = { tenantId: 'theirs' };
    const { id } = await engine.connections.create(input('main'), mine);
    expect(await engine.connections.list(theirs)).toEqual([]);
    const calls = [
      () => engine.connections.get(id, theirs),
      () => engine.connections.update(id, { name: 'x' }, theirs),
      () => engine.connections.remove(id, theirs),
      () => engine.connections.test(id, theirs),
      () => engine.connections.unblock(id, theirs),
      () => engine.connections.authorize(id, theirs),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'connection_not_found' });
    await expect(
      engine.submit({ type: 'parcel', connection: 'main', jobs: [] }, theirs),
    ).rejects.toMatchObject({
      code: 'unknown_connection',
    });
    await engine.connections.create(input('main'), theirs);
    expect(await engine.connections.get(id, mine)).toMatchObject({ name: 'main' });
  });

  it('that a batch names must be there, and must be for the provider that it names', async () => {
    const engine = await start(vendor());
    await engine.connections.create(input('main'));
    await engine.connections.create(input('second'));
    const submit = (batch: object) => engine.submit({ type: 'parcel', jobs: parcels(1), ...batch });
    await expect(submit({ connection: 'typo' })).rejects.toThrow(
      "There is no connection 'typo' for type 'parcel'. There are main, second",
    );
    await expect(submit({ connection: 'main', provider: 'cloud' })).rejects.toMatchObject({
      code: 'connection_mismatch',
      message: expect.stringMatching(/'cloud'.*'vendor'/),
    });
    expect((await submit({ connection: 'main', provider: 'vendor', sealed: false })).provider).toBe('vendor');
  });

  it('is removed when no batch uses it any more', async () => {
    const parcel = vendor();
    parcel.accepts.add('open-sesame');
    const engine = await start(parcel);
    const { id } = await engine.connections.create(input('main'));
    const batch = await engine.submit({
      type: 'parcel',
      connection: 'main',
      jobs: parcels(2),
      sealed: false,
    });
    await expect(engine.connections.remove(id)).rejects.toMatchObject({
      code: 'connection_in_use',
      message: expect.stringContaining(batch.id),
    });
    await engine.seal(batch.id);
    await ended(engine, batch.id);
    await engine.connections.remove(id);
    await expect(engine.connections.get(id)).rejects.toMatchObject({ code: 'connection_not_found' });
    expect((await engine.getBatch(batch.id)).connection).toBeNull();
    await expect(engine.retry(batch.id, ['failed'])).rejects.toMatchObject({ code: 'batch_state_conflict' });
    await until('the end of its session', () => parcel.closed.length === 1);
  });

  it('is not removed under a batch that is being stored', async () => {
    const engine = await start(vendor());
    const { id } = await engine.connections.create(input('main'));
    const client = await world.client();
    await client.query('BEGIN');
    await engine.submit({ type: 'parcel', connection: 'main', jobs: parcels(1), sealed: false }, { client });
    const removed = engine.connections.remove(id).catch((error) => error.code);
    const waits = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await until('the removal that waits', async () => (await world.sql(waits)).length > 0);
    // New credentials, a block and a throttle need not wait.
    await engine.connections.update(id, { credentials: { host: 'other' } });
    await client.query('COMMIT');
    client.release();
    expect(await removed).toBe('connection_in_use');
  });

  it('that is a default one is listed, tested and unblocked; its credentials are the host’s', async () => {
    const parcel = vendor();
    parcel.accepts.add('from-the-host');
    const credentials = { host: 'h', password: 'from-the-host' };
    const engine = await world.started({ plugins: [parcel], credentials: () => credentials });
    const { id } = await engine.submit({ type: 'parcel', provider: 'vendor', jobs: parcels(1) });
    await ended(engine, id);
    const [connection] = await engine.connections.list();
    expect(connection).toMatchObject({ id: 'parcel.vendor', name: null, credentials: null, secrets: [] });
    expect(await engine.connections.test('parcel.vendor')).toMatchObject({ ok: true });
    const changes = [
      () => engine.connections.update('parcel.vendor', { name: 'x' }),
      () => engine.connections.remove('parcel.vendor'),
      () => engine.connections.authorize('parcel.vendor'),
    ];
    for (const change of changes)
      await expect(change()).rejects.toMatchObject({ code: 'connection_is_default' });
  });
});

describe('the test of a connection', () => {
  it('says what the provider says, without secrets', async () => {
    const parcel = vendor();
    const engine = await start(parcel);
    const { id } = await engine.connections.create(input('main'));
    const good = await engine.connections.test(id);
    expect(good).toEqual({ ok: true, code: null, message: null, latencyMs: expect.any(Number) });
    parcel.health = async (password) => ({ code: 'bad_password', message: `${password} is wrong` });
    expect(await engine.connections.test(id)).toMatchObject({
      ok: false,
      code: 'bad_password',
      message: '[redacted] is wrong',
    });
    parcel.health = (password) => Promise.reject(new Error(`no way in with ${password}`));
    expect(await engine.connections.test(id)).toMatchObject({
      ok: false,
      code: 'health_failed',
      message: 'no way in with [redacted]',
    });
    // Each test closes its session.
    expect(parcel.closed).toHaveLength(3);
  });
});

describe('a dry run', () => {
  it('goes to the sandbox, whatever provider or connection is named', async () => {
    const parcel = vendor();
    const engine = await start(parcel);
    await engine.connections.create(input('main'));
    const batch = await engine.submit({ type: 'parcel', connection: 'main', dryRun: true, jobs: parcels(4) });
    expect(batch).toMatchObject({ dryRun: true, provider: 'sandbox', connectionId: 'parcel.sandbox' });
    await ended(engine, batch.id);
    const { jobId, batchId } = await engine.submitJob({
      type: 'parcel',
      provider: 'vendor',
      dryRun: true,
      payload: { n: 4 },
    });
    await until('the job', async () => (await engine.getJob(jobId)).state === 'succeeded');
    expect(await engine.getBatch(batchId)).toMatchObject({ dryRun: true, provider: 'sandbox' });
    expect(parcel.calls.map(({ provider }) => provider)).toEqual(Array(5).fill('sandbox'));
    expect((await engine.submit({ type: 'parcel', provider: 'sandbox', jobs: [] })).dryRun).toBe(false);
  });

  it('checks what is named all the same', async () => {
    const engine = await start(vendor());
    const submit = (batch: object) => engine.submit({ type: 'parcel', dryRun: true, jobs: [], ...batch });
    await expect(submit({ provider: 'none' })).rejects.toMatchObject({ code: 'unknown_provider' });
    await expect(submit({ connection: 'none' })).rejects.toMatchObject({ code: 'unknown_connection' });
  });

  it('is refused where there is no sandbox', async () => {
    const engine = await start(vendor({ hasSandbox: false }));
    await expect(engine.submit({ type: 'parcel', dryRun: true, jobs: [] })).rejects.toMatchObject({
      code: 'no_sandbox',
      message: expect.stringContaining("'parcel'"),
    });
  });
});
