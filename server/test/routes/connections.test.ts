import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

test('a blocked connection is shown with its reason, and goes on after unblock', async () => {
  const { id } = (await server.api('/v1/batches', { type: 'note', jobs: [{ to: 'a', outcome: 'blocked' }] }))
    .body;
  const batch = await eventually(async () => {
    const { body } = await server.api(`/v1/batches/${id}`);
    return body.blocked !== null && body;
  });
  expect(batch.blocked).toMatchObject({ code: 'bad_credentials', message: 'The password is wrong.' });

  const { items, nextCursor } = (await server.api('/v1/connections')).body;
  expect(nextCursor).toBeNull();
  const connection = items.find((item: { id: string }) => item.id === batch.connectionId);
  expect(connection).toMatchObject({
    type: 'note',
    provider: 'local',
    state: 'blocked',
    code: 'bad_credentials',
  });

  const unblocked = await server.api(`/v1/connections/${connection.id}/unblock`, null);
  expect([unblocked.status, unblocked.body.state]).toEqual([200, 'ok']);
  expect((await server.untilState(id, 'completed')).counts).toMatchObject({ succeeded: 1, failed: 0 });
});

test('an unknown connection is not found', async () => {
  const { status, body } = await server.api('/v1/connections/banana/unblock', null);
  expect([status, body.code]).toEqual([404, 'connection_not_found']);
});

test('a list of endpoints is empty while none fails', async () => {
  const { status, body } = await server.api('/v1/endpoints');
  expect([status, body]).toEqual([200, { items: [], nextCursor: null }]);
});
