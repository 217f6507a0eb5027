import { afterAll, beforeAll, expect, test } from 'vitest';
import { parcels, testKey, type Vendor, vendor } from '../../../core/test/helpers/vendor-plugin.ts';
import { startApp, type TestApp } from '../helpers/app.ts';

let parcel: Vendor;
let server: TestApp;
beforeAll(async () => {
  parcel = vendor();
  parcel.accepts.add('open-sesame');
  server = await startApp({ plugins: [parcel.plugin], secretKeys: { current: testKey('a') } });
});
afterAll(() => server.stop());

const body = (name: string, password = 'open-sesame') => ({
  type: 'parcel',
  provider: 'vendor',
  name,
  credentials: { host: 'h', password },
});

const create = async (name: string): Promise<string> =>
  (await server.api('/v1/connections', body(name))).body.id;

test('a connection is created, shown, changed and removed, and its secret never comes back', async () => {
  const made = await server.api('/v1/connections', body('life'));
  expect([made.status, made.headers.get('location')]).toEqual([201, `/v1/connections/${made.body.id}`]);
  expect(made.body).toMatchObject({ name: 'life', credentials: { host: 'h' }, secrets: ['/password'] });
  const path = `/v1/connections/${made.body.id}`;
  const changed = await server.send('PATCH', path, { name: 'lives', credentials: { host: 'other' } });
  expect([changed.status, changed.body.credentials]).toEqual([200, { host: 'other' }]);
  const one = await server.api(path);
  const all = await server.api('/v1/connections');
  expect(all.body.items.find(({ id }: { id: string }) => id === made.body.id)).toEqual(one.body);
  expect(JSON.stringify([made, changed, one, all])).not.toContain('open-sesame');
  const removed = await server.send('DELETE', path);
  expect([removed.status, removed.body]).toEqual([204, '']);
  expect((await server.api(path)).body.code).toBe('connection_not_found');
  expect(server.log()).not.toContain('open-sesame');
});

test('a repeat with the same Idempotency-Key creates nothing, and gets the first answer', async () => {
  const headers = { 'idempotency-key': 'connection-1' };
  const first = await server.api('/v1/connections', body('once'), headers);
  const again = await server.api('/v1/connections', body('once'), headers);
  expect([again.status, again.body, again.headers.get('idempotency-replayed')]).toEqual([
    201,
    first.body,
    'true',
  ]);
  const other = await server.api('/v1/connections', body('once', 'another-word'), headers);
  expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
});

test('an answer that was lost with its process is made anew', async () => {
  const { body: made } = await server.api('/v1/connections', body('lost'), {
    'idempotency-key': 'connection-2',
  });
  await server.sql(
    `UPDATE batchsender.idempotency_keys SET status = NULL, body = NULL WHERE key = 'connection-2'`,
  );
  const again = await server.api('/v1/connections', body('lost'), { 'idempotency-key': 'connection-2' });
  expect([again.status, again.body]).toEqual([201, made]);
});

test('what is wrong is named by its place, without its value', async () => {
  const wrong = { ...body('Not A Name', 'abc'), credentials: { password: 'abc', port: 'abc' } };
  const { status, body: problem } = await server.api('/v1/connections', wrong);
  expect([status, problem.code]).toEqual([422, 'invalid_connection']);
  const paths = problem.errors.map(({ path }: { path: string }) => path);
  expect(paths).toEqual(expect.arrayContaining(['/name', '/credentials/host', '/credentials/password']));
  expect(JSON.stringify(problem)).not.toContain('abc');
  const unknown = await server.api('/v1/connections', { ...body('x'), secret: 'y' });
  expect([unknown.status, unknown.body.code]).toEqual([422, 'invalid_request']);
});

test('batches, forms and single jobs use it by name', async () => {
  const id = await create('used');
  const batch = await server.api('/v1/batches', { type: 'parcel', connection: 'used', jobs: parcels(2) });
  expect(batch.body).toMatchObject({
    connection: 'used',
    connectionId: id,
    provider: 'vendor',
    dryRun: false,
  });
  expect((await server.untilState(batch.body.id, 'completed')).counts.succeeded).toBe(2);
  const form = new FormData();
  form.append('batch', JSON.stringify({ type: 'parcel', connection: 'used' }));
  form.append('file', new Blob(['n\n1\n2\n3\n'], { type: 'text/csv' }), 'parcels.csv');
  const raw = new Request('http://form', { method: 'POST', body: form });
  const uploaded = await server.api('/v1/batches', Buffer.from(await raw.arrayBuffer()), {
    'content-type': raw.headers.get('content-type') ?? '',
  });
  expect(uploaded.body).toMatchObject({ connection: 'used', upload: { accepted: 3 } });
  expect((await server.untilState(uploaded.body.id, 'completed')).counts.succeeded).toBe(3);
  const job = await server.api('/v1/jobs', { type: 'parcel', connection: 'used', payload: { n: 1 } });
  expect((await server.untilState(job.body.batchId, 'completed')).connection).toBe('used');
  const wrong = await server.api('/v1/jobs', { type: 'parcel', connection: 'typo', payload: { n: 1 } });
  expect([wrong.status, wrong.body.code]).toEqual([422, 'unknown_connection']);
  const open = await server.api('/v1/batches', { type: 'parcel', connection: 'used' });
  const refused = await server.send('DELETE', `/v1/connections/${id}`);
  expect([refused.status, refused.body.code]).toEqual([409, 'connection_in_use']);
  await server.api(`/v1/batches/${open.body.id}/cancel`, null);
  expect((await server.send('DELETE', `/v1/connections/${id}`)).status).toBe(204);
});

test('a dry run is shown as one', async () => {
  const { body: batch } = await server.api('/v1/batches', { type: 'parcel', dryRun: true, jobs: parcels(1) });
  expect(batch).toMatchObject({ dryRun: true, provider: 'sandbox', connection: null });
  await server.untilState(batch.id, 'completed');
});

test('the test of a connection answers what its provider says', async () => {
  const path = `/v1/connections/${await create('tested')}/test`;
  expect(await server.api(path, null)).toMatchObject({ status: 200, body: { ok: true, code: null } });
  parcel.health = async () => ({ code: 'bad_password', message: 'The password is wrong' });
  expect((await server.api(path, null)).body).toMatchObject({
    ok: false,
    code: 'bad_password',
    message: 'The password is wrong',
    latencyMs: expect.any(Number),
  });
});

test('a server without a key stores none, and says how to mend it', async () => {
  const keyless = await startApp({ plugins: [parcel.plugin] });
  const { status, body: problem } = await keyless.api('/v1/connections', body('main'));
  expect([status, problem.code]).toEqual([409, 'secret_key_missing']);
  expect(problem.detail).toContain('BATCHSENDER_SECRET_KEY');
  await keyless.stop();
});
