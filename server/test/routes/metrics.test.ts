import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { client, eventually, startApp, type TestApp } from '../helpers/app.ts';
import { type Exposition, parseExposition } from '../helpers/exposition.ts';
import { moodyPlugin } from '../helpers/moody-plugin.ts';

let server: TestApp;
const slow = Promise.withResolvers<void>();
beforeAll(async () => {
  server = await startApp({
    plugins: [moodyPlugin(slow.promise)],
    retry: { baseMs: 10 },
    tuning: { heartbeatMs: 200, backlogMs: 100 },
  });
});
afterAll(async () => {
  slow.resolve();
  await server.stop();
});

async function scrape(): Promise<Exposition> {
  const answer = await server.api('/metrics');
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return parseExposition(answer.body);
}

/** Waits until the gauges of the database, which are kept for some seconds, say so. */
const until = (holds: (metrics: Exposition) => boolean): Promise<Exposition> =>
  eventually(async () => {
    const metrics = await scrape();
    return holds(metrics) && metrics;
  });

const jobs = (mood: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({ to: `${mood}${i}`, mood, host: `${mood}.example` }));

const OUTCOMES = ['succeeded', 'failed', 'unknown', 'cancelled', 'retried', 'postponed'];
const outcomes = (metrics: Exposition): Record<string, number | undefined> =>
  Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, metrics.value('batchsender_jobs_total', { type: 'moody', outcome })]),
  );

test('before anything happened, what is installed is there with zeros', async () => {
  const metrics = await scrape();
  expect(outcomes(metrics)).toEqual(Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])));
  for (const name of ['repairs_total', 'recovered_chunks_total', 'queue_age_seconds', 'unknown_jobs'])
    expect([name, metrics.value(`batchsender_${name}`)]).toEqual([name, 0]);
  expect(metrics.value('batchsender_database_up')).toBe(1);
  expect(metrics.value('batchsender_runners')).toBe(1);
  expect(metrics.value('batchsender_heartbeat_age_seconds')).toBeLessThan(15);
  expect(metrics.value('nodejs_eventloop_lag_p99_seconds', { process: 'server' })).toBeGreaterThan(0);
  expect(metrics.value('process_start_time_seconds', { process: 'server' })).toBeGreaterThan(1e9);
});

test('the counts of a batch with failures, unknowns and retries are in the metrics', async () => {
  const list = [
    ...jobs('ok', 40),
    ...jobs('failed', 7),
    ...jobs('unknown', 3),
    ...jobs('once', 5),
    ...jobs('throws', 2),
  ];
  const { body: made } = await server.api('/v1/batches', { type: 'moody', jobs: list });
  const { counts } = await server.untilState(made.id, 'completed');
  expect(counts).toMatchObject({ total: 57, succeeded: 47, failed: 7, unknown: 3 });
  const metrics = await until((now) => now.value('batchsender_unknown_jobs', { type: 'moody' }) === 3);
  const { succeeded, failed, unknown } = counts;
  expect(outcomes(metrics)).toEqual({ succeeded, failed, unknown, cancelled: 0, retried: 7, postponed: 0 });

  const calls = (status: string) =>
    metrics.value('batchsender_call_seconds_count', {
      type: 'moody',
      provider: 'local',
      operation: 'call',
      status,
    });
  expect(['succeeded', 'failed', 'unknown', 'retry', 'threw'].map(calls)).toEqual([47, 7, 3, 5, 2]);
  expect(metrics.value('batchsender_flush_jobs_sum')).toBe(64);
  expect(metrics.value('batchsender_flush_seconds_count')).toBe(
    metrics.value('batchsender_flush_jobs_count'),
  );
  expect(metrics.value('batchsender_load_seconds_count')).toBeGreaterThan(0);
  expect(metrics.value('batchsender_chunks')).toBe(0);
});

test('jobs that a cancellation took are counted, and a held chunk is seen', async () => {
  const { body: made } = await server.api('/v1/batches', { type: 'moody', jobs: jobs('slow', 1) });
  const held = await until(
    (now) => now.value('batchsender_chunks', { type: 'moody', state: 'leased' }) === 1,
  );
  expect(held.value('batchsender_chunks_held')).toBe(1);
  expect(held.value('batchsender_calls_in_flight', { type: 'moody', provider: 'local' })).toBe(1);
  slow.resolve();
  await server.untilState(made.id, 'completed');

  const { body: later } = await server.api('/v1/batches', {
    type: 'moody',
    jobs: jobs('ok', 9),
    scheduledAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
  await server.api(`/v1/batches/${later.id}/cancel`, null);
  await server.untilState(later.id, 'cancelled');
  expect(outcomes(await scrape())).toMatchObject({ succeeded: 48, cancelled: 9 });
});

test('an open circuit shows, and so does a blocked connection and the age of what waits', async () => {
  const before = (await scrape()).value('batchsender_breaker_changes_total', { state: 'open' }) ?? 0;
  const down = Array.from({ length: 30 }, (_, i) => ({ to: `d${i}`, mood: 'down', host: 'broken.example' }));
  await server.api('/v1/batches', { type: 'moody', jobs: down });
  const metrics = await until(
    (now) =>
      now.value('batchsender_breaker_state', { type: 'moody', provider: 'local', state: 'open' }) === 1,
  );
  expect(metrics.value('batchsender_breaker_changes_total', { state: 'open' })).toBe(before + 1);
  expect(
    metrics.samples.some(({ labels }) => Object.values(labels).some((value) => value.includes('example'))),
  ).toBe(false);
  await server.sql(
    `UPDATE batchsender.connections SET blocked_at = now(), blocked_code = 'bad' WHERE id = 'moody.local'`,
  );
  const blocked = await until((now) => now.value('batchsender_blocked_connections') === 1);
  expect(blocked.value('batchsender_blocked_connections', { type: 'moody', provider: 'local' })).toBe(1);
  await server.api('/v1/batches', { type: 'moody', jobs: jobs('ok', 1) });
  await until((now) => (now.value('batchsender_queue_age_seconds', { type: 'moody' }) ?? 0) > 0);
  await server.api('/v1/connections/moody.local/unblock', null);
});

test('a hundred batches, tenants and unknown types add no series', async () => {
  const series = (metrics: Exposition) =>
    metrics.samples
      .filter(({ name }) => name.startsWith('batchsender_'))
      .map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`)
      .sort();
  // What was stored for types that are no longer installed is one series.
  await server.sql(insertBatches(1));
  const before = series(await until((now) => now.value('batchsender_unknown_jobs', { type: 'other' }) === 1));
  await server.sql(insertBatches(100));
  const { body } = await server.api('/v1/batches', { type: 'moody', jobs: jobs('ok', 1) });
  await server.untilState(body.id, 'completed');
  const singles = Array.from({ length: 100 }, (_, i) => ({ type: 'moody', payload: { to: `s${i}` } }));
  await Promise.all(singles.map((job) => server.api('/v1/jobs', job)));
  const after = await until((now) => now.value('batchsender_unknown_jobs', { type: 'other' }) === 101);
  expect(series(after)).toEqual(before);
});

/** Batches of types and tenants of their own, each with an unknown job. */
function insertBatches(count: number): string {
  return `INSERT INTO batchsender.batches (id, tenant_id, type, state, provider, connection_id, plugin_name,
    plugin_version, module_version, chunk_size, total, unknown, checked_at)
    SELECT gen_random_uuid(), 'tenant' || i, 'gone' || i, 'completed', 'x', 'x', 'x', '1', 1, 1, 1, 1, now() + interval '1 day'
    FROM generate_series(1, ${count}) AS i`;
}

describe('access', () => {
  test('it needs the API key', async () => {
    expect((await fetch(`${server.url}/metrics`)).status).toBe(401);
    expect((await client(server.url, 'wrong')('/metrics')).status).toBe(401);
  });

  test('the settings may make it public', async () => {
    const source = { text: async () => 'x_total 1\n' };
    const open = await startApp({}, { metrics: { source, isPublic: true } });
    const response = await fetch(`${open.url}/metrics`);
    expect([response.status, await response.text()]).toEqual([200, 'x_total 1\n']);
    await open.stop();
  });
});
