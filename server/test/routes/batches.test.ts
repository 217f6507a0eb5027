import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

const people = (count: number): { to: string }[] =>
  Array.from({ length: count }, (_, n) => ({ to: `p${n}` }));

describe('POST /v1/batches', () => {
  test('a batch with jobs is sealed, runs and completes', async () => {
    const { status, headers, body } = await server.api('/v1/batches', {
      type: 'note',
      name: 'n',
      jobs: people(3),
    });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/batches/${body.id}`);
    expect(body).toMatchObject({ type: 'note', name: 'n', provider: 'local', counts: { total: 3 } });
    const done = await server.untilState(body.id, 'completed');
    expect(done.counts).toEqual({
      total: 3,
      waiting: 0,
      running: 0,
      succeeded: 3,
      failed: 0,
      unknown: 0,
      cancelled: 0,
    });
    expect(done.completedAt).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  test('a batch without jobs is open', async () => {
    const { status, body } = await server.api('/v1/batches', { type: 'note' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ state: 'open', sealedAt: null, counts: { total: 0 } });
  });

  test('sealed: false keeps a batch with jobs open', async () => {
    const { body } = await server.api('/v1/batches', { type: 'note', jobs: people(1), sealed: false });
    expect(body).toMatchObject({ state: 'open', counts: { total: 1, waiting: 1 } });
  });

  test('scheduledAt is taken as a time', async () => {
    const scheduledAt = '2099-01-01T10:00:00+02:00';
    const { body } = await server.api('/v1/batches', { type: 'note', jobs: people(1), scheduledAt });
    expect(body).toMatchObject({ state: 'scheduled', scheduledAt: '2099-01-01T08:00:00.000Z' });
  });

  test('defaults and variables make the payloads', async () => {
    const defaults = { to: '{{ name }}', text: 'Hello {{ name }}' };
    const jobs = [{ variables: { name: 'Ada' } }, { variables: { name: 'Bob' } }];
    const { body } = await server.api('/v1/batches', { type: 'note', defaults, jobs });
    await server.untilState(body.id, 'completed');
    expect(server.calls).toEqual(expect.arrayContaining(['Ada', 'Bob']));
  });

  test('an unknown type is refused', async () => {
    const { status, body } = await server.api('/v1/batches', { type: 'pigeon', jobs: [] });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'unknown_type', status: 422 });
    expect(body.detail).toContain('pigeon');
  });

  test('an unknown provider is refused', async () => {
    const { status, body } = await server.api('/v1/batches', { type: 'note', provider: 'owl' });
    expect([status, body.code]).toEqual([422, 'unknown_provider']);
  });

  test('a payload that fails at job 4,711 of 10,000 is named, and nothing is stored', async () => {
    const before = (await server.api('/v1/batches?limit=1000')).body.items.length;
    const jobs: object[] = people(10_000);
    jobs[4_711] = { to: 5 };
    const { status, body } = await server.api('/v1/batches', { type: 'note', jobs });
    expect([status, body.code]).toEqual([422, 'invalid_payload']);
    expect(body.errors).toHaveLength(1);
    expect(body.errors[0]).toMatchObject({ index: 4_711, path: '/to' });
    expect((await server.api('/v1/batches?limit=1000')).body.items).toHaveLength(before);
  });

  test('a template with an unknown variable is named at intake', async () => {
    const batch = {
      type: 'note',
      defaults: { to: 'x', text: 'Hi {{ frist }}' },
      jobs: [{ variables: { first: 'A' } }],
    };
    const { status, body } = await server.api('/v1/batches', batch);
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain('frist');
    expect(body.errors[0]).toMatchObject({ index: 0, path: '/text' });
  });

  test('a broken template is named at intake', async () => {
    const { status, body } = await server.api('/v1/batches', { type: 'note', defaults: { to: '{{ a' } });
    expect([status, body.code]).toEqual([422, 'invalid_template']);
  });

  test.each([
    [{ jobs: [] }, '/type', 'missing_field'],
    [{ type: 'note', dryRan: true }, '/dryRan', 'unknown_field'],
    [{ type: 'note', jobs: {} }, '/jobs', 'wrong_type'],
    [{ type: 'note', jobs: [5] }, '/jobs/0', 'wrong_type'],
    [{ type: 'note', priority: 101 }, '/priority', 'invalid_value'],
    [{ type: 'note', scheduledAt: 'tomorrow' }, '/scheduledAt', 'invalid_value'],
    [{ type: 'note', scheduledAt: '2026-02-30T00:00:00Z' }, '/scheduledAt', 'invalid_value'],
    [{ type: 'note', retry: { maxAttempts: 0 } }, '/retry/maxAttempts', 'invalid_value'],
  ])('the body %j is refused at %s', async (input, path, code) => {
    const { status, body } = await server.api('/v1/batches', input);
    expect([status, body.code]).toEqual([422, 'invalid_request']);
    expect(body.errors).toContainEqual(expect.objectContaining({ path, code }));
  });

  test.each([
    ['a NUL character', '\\u0000'],
    ['a lone surrogate', '\\ud800'],
  ])('%s in a payload is refused or delivered, but no error of the server', async (_name, sequence) => {
    const { status } = await server.api('/v1/batches', `{"type":"note","jobs":[{"to":"a${sequence}b"}]}`);
    expect([201, 422]).toContain(status);
  });

  test('a payload that is nested 100,000 deep is refused', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const { status } = await server.api('/v1/batches', `{"type":"note","jobs":[{"to":"a","extra":${deep}}]}`);
    expect(status).toBe(422);
  });
});

describe('GET /v1/batches', () => {
  test('pages follow each other without a gap', async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await server.api(`/v1/batches?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor;
    } while (cursor !== null);
    const all = (await server.api('/v1/batches?limit=1000')).body.items.map(({ id }: { id: string }) => id);
    expect(seen).toEqual(all);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('type and state filter', async () => {
    const { body } = await server.api('/v1/batches?state=completed&type=note');
    expect(body.items.length).toBeGreaterThan(0);
    for (const { state } of body.items) expect(state).toBe('completed');
    expect((await server.api('/v1/batches?type=pigeon')).body.items).toEqual([]);
  });

  test.each(['limit=0', 'limit=1001', 'limit=ten', 'limit=1.5', 'limit=1&limit=2', 'state=gone', 'page=2'])(
    '?%s is refused by name',
    async (query) => {
      const { status, body } = await server.api(`/v1/batches?${query}`);
      expect([status, body.code]).toEqual([400, 'invalid_query']);
      expect(body.errors[0].path).toBe(`/${query.split('=')[0]}`);
    },
  );

  test('a cursor that is none is refused', async () => {
    const { status, body } = await server.api('/v1/batches?cursor=banana');
    expect([status, body.code]).toEqual([400, 'invalid_cursor']);
  });
});

describe('GET /v1/batches/{id}', () => {
  test.each(['019aa8c6-5c1f-7d2e-9f0a-3b1c2d4e5f60', 'banana', "';--", '%00'])(
    '%s is not found',
    async (id) => {
      const { status, body } = await server.api(`/v1/batches/${id}`);
      expect([status, body.code]).toEqual([404, 'batch_not_found']);
    },
  );

  test('query parameters are refused, since there are none', async () => {
    const { status, body } = await server.api('/v1/batches/banana?verbose=1');
    expect([status, body.code]).toEqual([400, 'invalid_query']);
  });
});

describe('GET /v1/batches/{id}/jobs', () => {
  test('jobs come in order, with their states', async () => {
    const jobs = [{ to: 'a' }, { to: 'b', outcome: 'failed' }, { to: 'c', outcome: 'unknown' }];
    const { body } = await server.api('/v1/batches', { type: 'note', jobs });
    await server.untilState(body.id, 'completed');
    const { items, nextCursor } = (await server.api(`/v1/batches/${body.id}/jobs`)).body;
    expect(nextCursor).toBeNull();
    expect(items).toMatchObject([
      { id: `${body.id}.0`, seq: 0, state: 'succeeded', attempts: 1, ref: 'ref-a', code: null },
      { id: `${body.id}.1`, seq: 1, state: 'failed', code: 'refused', message: 'The note was refused.' },
      { id: `${body.id}.2`, seq: 2, state: 'unknown', code: 'lost' },
    ]);
    const failed = await server.api(`/v1/batches/${body.id}/jobs?state=failed`);
    expect(failed.body.items.map(({ seq }: { seq: number }) => seq)).toEqual([1]);
  });

  test('an unknown batch is not found', async () => {
    const { status } = await server.api('/v1/batches/019aa8c6-5c1f-7d2e-9f0a-3b1c2d4e5f60/jobs');
    expect(status).toBe(404);
  });
});
