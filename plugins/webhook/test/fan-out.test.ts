import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../../server/test/helpers/app.ts';
import plugin from '../src/index.ts';
import { closedPort, type Receiver, receiver } from './helpers/receiver.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const event = { event: 'price.changed', items: [{ sku: 'ä-1', price: 12.5 }] };

/** What becomes of a call, by its path. */
const answers: Readonly<Record<string, number>> = { ok: 200, made: 201, gone: 410, moved: 301, broken: 500 };

let app: TestApp;
let hooks: Receiver[];
let closed: string;

beforeAll(async () => {
  hooks = await Promise.all(
    [1, 2, 3].map(() =>
      receiver(
        ({ path }, response) => void response.writeHead(answers[path.split('/')[1] ?? ''] ?? 404).end(),
      ),
    ),
  );
  closed = `http://127.0.0.1:${await closedPort()}`;
  app = await startApp({
    plugins: [plugin],
    allowNetworks: ['127.0.0.0/8'],
    retry: { maxAttempts: 2, baseMs: 10 },
    credentials: () => ({ signingSecret: secret }),
  });
});
afterAll(async () => {
  await app.stop();
  await Promise.all(hooks.map((hook) => hook.close()));
});

/** 50 endpoints at four places; every tenth is in trouble. */
const endpoints = () =>
  Array.from({ length: 50 }, (_, n) => {
    const origin = hooks[n % 3]?.url;
    const trouble = [`${origin}/gone`, `${origin}/moved`, `${origin}/broken`, closed, `${origin}/ok`];
    return n % 10 === 0 ? `${trouble[n / 10]}/${n}` : `${origin}/${n % 2 === 0 ? 'ok' : 'made'}/${n}`;
  });

const codes: Readonly<Record<number, object>> = {
  0: { state: 'failed', code: 'http_410', attempts: 1 },
  10: { state: 'failed', code: 'http_301', attempts: 1 },
  20: { state: 'failed', code: 'http_500', attempts: 2 },
  30: { state: 'failed', code: 'connection_refused', attempts: 2 },
};

describe('one body for a list of endpoints', () => {
  it('reaches each of them, and each has its own fate', async () => {
    for (const hook of hooks) hook.received.length = 0;
    const { body: batch } = await app.api('/v1/batches', {
      type: 'webhook',
      defaults: { body: event, method: 'PUT', headers: { 'x-topic': 'prices' } },
    });
    const urls = endpoints();
    const lines = urls.map((url) => `${JSON.stringify({ url })}\n`);
    const { body: upload } = await app.upload(batch.id, lines.join(''));
    expect(upload).toMatchObject({ accepted: 50, rejected: 0 });
    await app.api(`/v1/batches/${batch.id}/seal`, null);
    const done = await app.untilState(batch.id, 'completed');
    expect(done.counts).toMatchObject({ total: 50, succeeded: 46, failed: 4 });
    const { body: jobs } = await app.api(`/v1/batches/${batch.id}/jobs?limit=100`);
    const expected = urls.map((_url, seq) => ({
      seq,
      ...(codes[seq] ?? { state: 'succeeded', attempts: 1 }),
    }));
    expect(jobs.items).toMatchObject(expected);
    const received = hooks.flatMap((hook) => hook.received);
    expect(received).toHaveLength(50);
    for (const { method, body, headers } of received) {
      expect({ method, topic: headers['x-topic'] }).toEqual({ method: 'PUT', topic: 'prices' });
      expect(JSON.parse(body)).toEqual(event);
    }
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(49);
  });

  it('may take words for each endpoint from its line', async () => {
    for (const hook of hooks) hook.received.length = 0;
    const { body: batch } = await app.api('/v1/batches', {
      type: 'webhook',
      defaults: { body: { event: 'hello', to: '{{ shop }}' } },
      jobs: ['Ada', 'Bob "}'].map((shop, n) => ({ url: `${hooks[n]?.url}/ok`, variables: { shop } })),
    });
    await app.untilState(batch.id, 'completed');
    const bodies = hooks.flatMap((hook) => hook.received.map(({ body }) => JSON.parse(body)));
    expect(bodies).toEqual([
      { event: 'hello', to: 'Ada' },
      { event: 'hello', to: 'Bob "}' },
    ]);
  });

  it('is refused as a whole if a line is not one, naming the line', async () => {
    const { body: batch } = await app.api('/v1/batches', { type: 'webhook', defaults: { body: event } });
    const good = '{"url":"https://example.com/1"}\n';
    const bare = await app.upload(batch.id, `${good}"https://example.com/2"\n`);
    expect(bare.status).toBe(422);
    expect(bare.body.errors).toMatchObject([{ line: 2, code: 'not_an_object' }]);
    const empty = await app.upload(batch.id, `${good}{}\n{"url":"example.com"}\n`);
    expect(empty.status).toBe(422);
    expect(empty.body.errors).toMatchObject([
      { line: 2, path: '/url', code: 'missing_field' },
      { line: 3, path: '/url', code: 'invalid_url' },
    ]);
    expect((await app.api(`/v1/batches/${batch.id}`)).body.counts.total).toBe(0);
  });
});
