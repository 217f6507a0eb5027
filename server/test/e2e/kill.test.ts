import { afterEach, describe, expect, test } from 'vitest';
import { client, eventually, type TestApp } from '../helpers/app.ts';
import { appFolder } from '../helpers/app-folder.ts';
import { dataFolder, runCli } from '../helpers/cli.ts';
import { type Receiver, startReceiver } from '../helpers/receiver.ts';

const KEY = 'bs_kill';
const COUNT = 20_000;
/** Calls that run at once at most: what the providers of these tests allow. */
const CONCURRENCY = 100;
/**
 * Calls in flight are those whose outcome is not in the log: the running ones, and results that wait
 * for a flush. Those come as fast as the receiver answers, and 500 of a chunk start a flush at once.
 */
const IN_FLIGHT = CONCURRENCY + 500;
/** A fenced call keeps its slot until its outcome is in the log: no more than slots are in doubt. */
const FENCED_IN_FLIGHT = CONCURRENCY;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Sends a batch, kills the server with -9 after a third of it, starts it again, and waits for the end. */
async function killInTheMiddle(
  receiver: Receiver,
  type: string,
  cwd?: string,
): Promise<{ api: TestApp['api']; id: string; callsAtKill: number }> {
  const data = dataFolder();
  const env = {
    BATCHSENDER_DATA: data.path,
    BATCHSENDER_API_KEY: KEY,
    BATCHSENDER_ALLOW_NETWORKS: '127.0.0.0/8',
  };
  const options = { env, ...(cwd === undefined ? {} : { cwd }) };
  const first = runCli(options);
  closers.push(() => data.remove());
  const api = client(await first.ready(), KEY);
  const { id } = (await api('/v1/batches', { type, defaults: { url: receiver.url } })).body;
  const upload = await api(`/v1/batches/${id}/jobs`, '{}\n'.repeat(COUNT), {
    'content-type': 'application/x-ndjson',
  });
  expect(upload.body.accepted).toBe(COUNT);
  const kill = first.aim();
  await api(`/v1/batches/${id}/seal`, null);
  await eventually(async () => receiver.calls > COUNT / 3, 60_000);
  expect(await kill()).toBe('SIGKILL');
  const callsAtKill = receiver.calls;

  const second = runCli(options);
  closers.push(() => second.end());
  const again = client(await second.ready(), KEY);
  await eventually(async () => (await again(`/v1/batches/${id}`)).body.state === 'completed', 110_000);
  return { api: again, id, callsAtKill };
}

/** All jobs of a batch. */
async function jobsOf(api: TestApp['api'], id: string): Promise<Record<string, unknown>[]> {
  const jobs: Record<string, unknown>[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const { body } = await api(`/v1/batches/${id}/jobs?limit=1000${query}`);
    jobs.push(...body.items);
    cursor = body.nextCursor;
  }
  return jobs;
}

describe('kill -9 in the middle of 20,000 jobs, and a new start', { timeout: 300_000 }, () => {
  test('finishes the webhooks: none is lost, and those that came twice were under way and are marked', async () => {
    const receiver = await startReceiver(2);
    closers.push(() => receiver.close());
    const { api, id, callsAtKill } = await killInTheMiddle(receiver, 'webhook');
    expect(callsAtKill).toBeLessThan(COUNT);

    const { counts } = (await api(`/v1/batches/${id}`)).body;
    expect(counts).toMatchObject({ total: COUNT, succeeded: COUNT });
    expect(receiver.counts.size).toBe(COUNT);
    const twice = [...receiver.counts].filter(([, count]) => count > 1).map(([jobId]) => jobId);
    expect(receiver.calls - COUNT).toBe(twice.length);
    expect(twice.length).toBeLessThanOrEqual(IN_FLIGHT);
    const jobs = await jobsOf(api, id);
    const marked = new Set(jobs.filter((job) => job['possibleDuplicate']).map((job) => job['id']));
    for (const jobId of twice) expect([jobId, marked.has(jobId)]).toEqual([jobId, true]);
  });

  test('sends no job of an at-most-once provider twice, and leaves no more unknown than were under way', async () => {
    const receiver = await startReceiver(2);
    closers.push(() => receiver.close());
    const app = appFolder({ 'batchsender.config.mjs': onceConfig() });
    closers.push(() => app.remove());
    const { api, id } = await killInTheMiddle(receiver, 'once', app.path);

    const { counts } = (await api(`/v1/batches/${id}`)).body;
    expect(counts.succeeded + counts.unknown).toBe(COUNT);
    expect(counts.unknown).toBeLessThanOrEqual(FENCED_IN_FLIGHT);
    expect(Math.max(...receiver.counts.values())).toBe(1);
    const jobs = await jobsOf(api, id);
    const lost = jobs.filter(
      (job) => job['state'] === 'succeeded' && !receiver.counts.has(String(job['id'])),
    );
    expect(lost).toEqual([]);
  });
});

/** A config with a plugin whose provider cannot take a call twice, and calls a URL. */
function onceConfig(): string {
  return `
    const object = { type: 'object', properties: { url: { type: 'string' } }, additionalProperties: false };
    const local = {
      title: 'Local', credentials: { type: 'object', properties: {} },
      guarantee: { kind: 'at-most-once' }, concurrency: ${CONCURRENCY},
      open: () => ({
        async process(job) {
          await (await fetch(job.payload.url, { headers: { 'webhook-id': job.id } })).arrayBuffer();
          return { status: 'succeeded' };
        },
      }),
    };
    const once = { type: 'once', title: 'Once', version: 1, payload: object, providers: { local } };
    export default { plugins: [{ name: 'plugin-once', version: '1.0.0', contract: 1, modules: [once] }] };
  `;
}
