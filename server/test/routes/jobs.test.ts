import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

async function settled(outcome: string): Promise<string> {
  const { id } = (await server.api('/v1/batches', { type: 'note', jobs: [{ to: 'a', outcome }] })).body;
  await server.untilState(id, 'completed');
  return `${id}.0`;
}

describe('POST /v1/jobs', () => {
  test('a job is accepted, delivered, and found again', async () => {
    const { status, headers, body } = await server.api('/v1/jobs', {
      type: 'note',
      payload: { to: 'single' },
    });
    expect(status).toBe(202);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}\.\d+$/),
      batchId: body.id.split('.')[0],
    });
    expect(headers.get('location')).toBe(`/v1/jobs/${body.id}`);
    await eventually(async () => (await server.api(`/v1/jobs/${body.id}`)).body.state === 'succeeded');
    expect(server.calls).toContain('single');
  });

  test('jobs that arrive together are all accepted, each with its own id', async () => {
    const send = (n: number) => server.api('/v1/jobs', { type: 'note', payload: { to: `many${n}` } });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => send(n)));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(200);
    await eventually(async () => server.calls.filter((to) => to.startsWith('many')).length === 200);
  });

  test('its batch is hidden from lists unless it is asked for', async () => {
    const { batchId } = (await server.api('/v1/jobs', { type: 'note', payload: { to: 'hidden' } })).body;
    const idsOf = async (query: string): Promise<string[]> =>
      (await server.api(`/v1/batches?limit=1000${query}`)).body.items.map(({ id }: { id: string }) => id);
    expect(await idsOf('')).not.toContain(batchId);
    expect(await idsOf('&includeSingle=true')).toContain(batchId);
  });

  test('an invalid payload is named by a pointer into the body', async () => {
    const { status, body } = await server.api('/v1/jobs', { type: 'note', payload: { to: '' } });
    expect([status, body.code]).toEqual([422, 'invalid_payload']);
    expect(body.errors[0]).toMatchObject({ path: '/payload/to' });
    expect(body.errors[0].index).toBeUndefined();
  });

  test('among many that arrive together, only the invalid one is refused', async () => {
    const send = (n: number) =>
      server.api('/v1/jobs', { type: 'note', payload: { to: n === 5 ? '' : `mixed${n}` } });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => send(n)));
    expect(answers.map(({ status }) => status)).toEqual(
      Array.from({ length: 20 }, (_, n) => (n === 5 ? 422 : 202)),
    );
  });

  test.each([
    [{ type: 'pigeon', payload: {} }, 'unknown_type'],
    [{ type: 'note', payload: { to: 'a' }, provider: 'owl' }, 'unknown_provider'],
    [{ type: 'note' }, 'invalid_request'],
    [{ type: 'note', payload: { to: 'a' }, jobs: [] }, 'invalid_request'],
  ])('%j is refused as %s', async (input, code) => {
    const { status, body } = await server.api('/v1/jobs', input);
    expect([status, body.code]).toEqual([422, code]);
  });
});

describe('GET /v1/jobs/{id}', () => {
  test('shows the payload and the whole timeline', async () => {
    const jobId = await settled('failed');
    const { status, body } = await server.api(`/v1/jobs/${jobId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: jobId,
      type: 'note',
      state: 'failed',
      payload: { to: 'a', outcome: 'failed' },
    });
    expect(body.events.map(({ kind }: { kind: string }) => kind)).toEqual(['attempted', 'failed']);
    for (const { at } of body.events) expect(at).toMatch(/^\d{4}-.*Z$/);
  });

  test.each([
    'banana',
    '019aa8c6-5c1f-7d2e-9f0a-3b1c2d4e5f60.0',
    '019aa8c6-5c1f-7d2e-9f0a-3b1c2d4e5f60',
    'x.-1',
    '.',
    '0.99999999999999999999',
  ])('%s is not found', async (id) => {
    const { status, body } = await server.api(`/v1/jobs/${id}`);
    expect([status, body.code]).toEqual([404, 'job_not_found']);
  });

  test('a number after the last job is not found', async () => {
    const jobId = await settled('succeeded');
    expect((await server.api(`/v1/jobs/${jobId.replace(/\.0$/, '.1')}`)).status).toBe(404);
  });
});

describe('POST /v1/jobs/{id}/resolve', () => {
  test('settles an unknown job, with a note in its timeline', async () => {
    const jobId = await settled('unknown');
    const { status, body } = await server.api(`/v1/jobs/${jobId}/resolve`, {
      outcome: 'succeeded',
      note: 'seen',
    });
    expect([status, body.state]).toEqual([200, 'succeeded']);
    expect(body.events.at(-1)).toMatchObject({ kind: 'resolved' });
    expect(JSON.stringify(body.events.at(-1))).toContain('seen');
    const batch = await server.api(`/v1/batches/${body.batchId}`);
    expect(batch.body.counts).toMatchObject({ total: 1, succeeded: 1, unknown: 0 });
  });

  test('of a job that is not unknown is a conflict', async () => {
    const jobId = await settled('succeeded');
    const { status, body } = await server.api(`/v1/jobs/${jobId}/resolve`, { outcome: 'failed' });
    expect([status, body.code]).toEqual([409, 'job_not_unknown']);
  });

  test('twice counts once', async () => {
    const jobId = await settled('unknown');
    const both = await Promise.all([
      server.api(`/v1/jobs/${jobId}/resolve`, { outcome: 'failed' }),
      server.api(`/v1/jobs/${jobId}/resolve`, { outcome: 'failed' }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  test.each([{}, { outcome: 'lost' }, { outcome: 'failed', why: 'x' }])(
    'refuses the body %j',
    async (input) => {
      const { status, body } = await server.api('/v1/jobs/x.0/resolve', input);
      expect([status, body.code]).toEqual([422, 'invalid_request']);
    },
  );

  test('needs a body', async () => {
    const { status, body } = await server.api('/v1/jobs/x.0/resolve', null);
    expect([status, body.code]).toEqual([422, 'invalid_request']);
    expect(body.detail).toContain('JSON body');
  });
});
