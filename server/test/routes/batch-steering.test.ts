import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

async function scheduled(): Promise<string> {
  const batch = { type: 'note', jobs: [{ to: 'a' }, { to: 'b' }], scheduledAt: '2099-01-01T00:00:00Z' };
  return (await server.api('/v1/batches', batch)).body.id;
}

test('sealing an empty batch completes it', async () => {
  const batchId = await server.openBatch();
  const { status, body } = await server.api(`/v1/batches/${batchId}/seal`, null);
  expect([status, body.state]).toEqual([200, 'completed']);
  expect(body.sealedAt).not.toBeNull();
});

test('a batch is paused and resumed', async () => {
  const batchId = await scheduled();
  const paused = await server.api(`/v1/batches/${batchId}/pause`, null);
  expect([paused.status, paused.body.state]).toEqual([200, 'paused']);
  const resumed = await server.api(`/v1/batches/${batchId}/resume`, null);
  expect([resumed.status, resumed.body.state]).toEqual([200, 'scheduled']);
});

test('a cancelled batch ends with its jobs cancelled', async () => {
  const batchId = await scheduled();
  const { status } = await server.api(`/v1/batches/${batchId}/cancel`, null);
  expect(status).toBe(200);
  expect((await server.untilState(batchId, 'cancelled')).counts).toMatchObject({ total: 2, cancelled: 2 });
});

test('retry tries failed jobs again, and no others by default', async () => {
  const jobs = [
    { to: 'x', outcome: 'failed' },
    { to: 'y', outcome: 'unknown' },
  ];
  const { id } = (await server.api('/v1/batches', { type: 'note', jobs })).body;
  await server.untilState(id, 'completed');
  const before = server.calls.filter((to) => to === 'x').length;
  expect((await server.api(`/v1/batches/${id}/retry`, null)).status).toBe(200);
  const { counts } = await server.untilState(id, 'completed');
  expect(counts).toMatchObject({ failed: 1, unknown: 1 });
  expect(server.calls.filter((to) => to === 'x')).toHaveLength(before + 1);
  expect(server.calls.filter((to) => to === 'y')).toHaveLength(1);
});

test('retry takes the states to try again', async () => {
  const { id } = (await server.api('/v1/batches', { type: 'note', jobs: [{ to: 'z', outcome: 'unknown' }] }))
    .body;
  await server.untilState(id, 'completed');
  await server.api(`/v1/batches/${id}/retry`, { states: ['failed', 'unknown'] });
  await server.untilState(id, 'completed');
  expect(server.calls.filter((to) => to === 'z')).toHaveLength(2);
});

test.each([
  { states: [] },
  { states: ['succeeded'] },
  { states: 'failed' },
  { which: ['failed'] },
  ['failed'],
])('retry refuses the body %j', async (body) => {
  const batchId = await server.openBatch();
  const answer = await server.api(`/v1/batches/${batchId}/retry`, body);
  expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
});

test.each(['seal', 'pause', 'resume', 'cancel', 'retry'])(
  '%s of an unknown batch is not found',
  async (action) => {
    const { status, body } = await server.api(
      `/v1/batches/019aa8c6-5c1f-7d2e-9f0a-3b1c2d4e5f60/${action}`,
      null,
    );
    expect([status, body.code]).toEqual([404, 'batch_not_found']);
  },
);

test('an action that the state does not allow is a conflict', async () => {
  const batchId = await server.openBatch();
  await server.api(`/v1/batches/${batchId}/cancel`, null);
  await server.untilState(batchId, 'cancelled');
  for (const action of ['pause', 'resume', 'seal']) {
    const { status, body } = await server.api(`/v1/batches/${batchId}/${action}`, null);
    expect([action, status]).toEqual([action, 409]);
    expect(body.code).toMatch(/^batch_(state_conflict|not_open)$/);
  }
});
