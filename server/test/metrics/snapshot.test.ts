import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createMetrics, metricsSource } from '../../src/metrics/metrics.ts';
import { exposition, type MetricsSnapshot, merge, retired } from '../../src/metrics/snapshot.ts';
import { parseExposition } from '../helpers/exposition.ts';

const flush = {
  type: 'sms',
  provider: 'a',
  events: 10,
  jobs: { succeeded: 7, failed: 3, unknown: 0, cancelled: 0, retried: 0, postponed: 0 },
  durationMs: 4,
};
const call = { type: 'sms', provider: 'a', operation: 'call', jobs: 1, status: 'succeeded' } as const;

const engine = (heartbeatAgeMs: number) => ({
  registry: {
    list: () => [],
    get: () => undefined,
    provider: () => undefined,
    register: () => undefined,
  } as never,
  backlog: async () => ({ types: [], blockedConnections: [], runners: 2 }),
  activity: () => ({
    chunksHeld: 3,
    heartbeatAgeMs,
    providers: [
      { type: 'sms', provider: 'a', callsInFlight: 2, callSlots: 10, circuitsOpen: 1, circuitsHalfOpen: 0 },
    ],
  }),
});

function runner(heartbeatAgeMs: number) {
  const metrics = createMetrics('runner');
  metrics.watch(engine(heartbeatAgeMs), { backlog: false });
  metrics.observer.onFlush?.(flush);
  metrics.observer.onCall?.({ ...call, durationMs: 20 });
  return metrics;
}

/** As another process gets it. */
const sent = (snapshot: MetricsSnapshot): MetricsSnapshot => JSON.parse(JSON.stringify(snapshot));

test('snapshots of several processes are put together: counts add up, the worst heartbeat shows', async () => {
  const server = createMetrics('server');
  server.watch(engine(0), { backlog: true });
  // The lag of the event loop is known once it went round for some time.
  await sleep(100);
  const runners = [sent(await runner(500).snapshot()), sent(await runner(2_000).snapshot())];
  const metrics = parseExposition(await metricsSource(server, async () => runners).text());
  expect(metrics.value('batchsender_jobs_total', { type: 'sms', outcome: 'succeeded' })).toBe(14);
  expect(metrics.value('batchsender_call_seconds_count', { type: 'sms', status: 'succeeded' })).toBe(2);
  expect(metrics.value('batchsender_call_seconds_bucket', { le: '0.025' })).toBe(2);
  expect(metrics.value('batchsender_chunks_held')).toBe(9);
  expect(metrics.value('batchsender_heartbeat_age_seconds')).toBe(2);
  expect(metrics.value('batchsender_breaker_state', { state: 'open' })).toBe(3);
  // What waits in the database is asked by one of them.
  expect([metrics.value('batchsender_runners'), metrics.value('batchsender_database_up')]).toEqual([2, 1]);
  for (const process of ['server', 'runner'])
    expect(metrics.value('process_start_time_seconds', { process })).toBeGreaterThan(1e9);
  expect(metrics.value('nodejs_eventloop_lag_p99_seconds', { process: 'server' })).toBeGreaterThan(0);
});

test('the counts of a process that is gone stay, its gauges go', async () => {
  const gone = retired(sent(await runner(500).snapshot()));
  const earlier = await merge([gone, retired(await runner(500).snapshot())]);
  const text = await exposition([earlier, sent(await runner(700).snapshot())]);
  const metrics = parseExposition(text);
  expect(metrics.value('batchsender_jobs_total', { outcome: 'failed' })).toBe(9);
  expect(metrics.value('batchsender_flush_seconds_count')).toBe(3);
  expect(metrics.value('batchsender_chunks_held')).toBe(3);
  expect(metrics.value('batchsender_heartbeat_age_seconds')).toBe(0.7);
});

test('while the database does not answer, the rest is told', async () => {
  const metrics = createMetrics('server');
  const away = { ...engine(100), backlog: () => Promise.reject(new Error('away')) };
  metrics.watch(away, { backlog: true });
  const text = parseExposition(await metricsSource(metrics).text());
  expect(text.value('batchsender_database_up')).toBe(0);
  expect(text.value('batchsender_runners')).toBeUndefined();
  expect(text.value('batchsender_chunks_held')).toBe(3);
});
