import { afterEach, describe, expect, test } from 'vitest';
import { eventually as within } from '../helpers/app.ts';
import { type WildApp, type WildOptions, type WildServer, wildApp } from '../helpers/wild-app.ts';

/** Processes that start take their time on a machine under load. */
const eventually = <T>(probe: () => Promise<T | undefined | false>): Promise<T> => within(probe, 120_000);

let app: WildApp;
afterEach(() => app.close());

const POISON = 2;
/** The chunk is halved until one job is left: each half more is a process more that starts. */
const COUNT = 4;

async function started(options: WildOptions = {}, env: Record<string, string> = {}): Promise<WildServer> {
  app = await wildApp(options);
  return app.start({ env });
}

/** Submits a batch in which one job does something. */
async function submit(server: WildServer, does?: string, ms = 1): Promise<string> {
  const jobs = Array.from({ length: COUNT }, (_, n) => (n === POISON && does ? { does } : { ms }));
  return (await server.api('/v1/batches', { type: 'wild', jobs })).body.id;
}

/** Only the culprit failed, and the log says why. */
async function expectCulprit(server: WildServer, id: string): Promise<void> {
  const { counts } = await server.completed(id, 500_000);
  expect(counts).toMatchObject({ total: COUNT, succeeded: COUNT - 1, failed: 1 });
  const { items } = (await server.api(`/v1/batches/${id}/jobs?state=failed`)).body;
  expect(items).toMatchObject([{ seq: POISON, code: 'runner_died' }]);
  expect(items[0].message).toMatch(/died each time it worked on this job/);
  const calls = app.calls();
  for (let seq = 0; seq < COUNT; seq++) expect(calls.get(`${id}.${seq}`)).toBeGreaterThan(0);
}

describe('a plugin', { timeout: 600_000 }, () => {
  test('E21: in an endless loop hurts its job alone, and the API answers all the time', async () => {
    const server = await started();
    const [before] = server.children();
    let slowestMs = 0;
    let asked = 0;
    const asking = new AbortController();
    const watch = (async () => {
      while (!asking.signal.aborted) {
        const at = performance.now();
        expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
        slowestMs = Math.max(slowestMs, performance.now() - at);
        asked += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const poisoned = await submit(server, 'loop');
    await eventually(async () => app.calls().has(`${poisoned}.${POISON}`));
    // Taken while the loop runs, and delivered before its culprit is found.
    const other = await submit(server);
    expect((await server.completed(other)).counts).toMatchObject({ succeeded: COUNT });
    await expectCulprit(server, poisoned);
    asking.abort();
    await watch;
    expect(asked).toBeGreaterThan(100);
    // The loop lasts until its process is killed, after 5 s: the API felt nothing of it.
    expect(slowestMs).toBeLessThan(4_000);
    expect(server.children()).not.toContain(before);
    expect(server.cli.stdout()).toMatch(/gave no sign of life .* At work: plugin-wild/);
    expect((await server.api('/readyz')).status).toBe(200);
  });

  test('E21: that ends the process hurts its job alone', async () => {
    const server = await started();
    await expectCulprit(server, await submit(server, 'exit'));
    expect(server.cli.stdout()).toMatch(/ended by itself with exit code 0\. At work: plugin-wild/);
  });

  test('E21: that throws where nobody catches it hurts its job alone', async () => {
    const server = await started();
    await expectCulprit(server, await submit(server, 'throw'));
  });

  test('E21: that fills the memory hurts its job alone', async () => {
    const server = await started({}, { BATCHSENDER_RUNNER_MEMORY_MB: '96' });
    await expectCulprit(server, await submit(server, 'memory'));
  });

  test('E22: that leaves a rejection to nobody hurts nobody, and is named', async () => {
    const server = await started();
    const before = server.children();
    const { counts } = await server.completed(await submit(server, 'reject'));
    expect(counts).toMatchObject({ succeeded: COUNT });
    expect(server.children()).toEqual(before);
    await eventually(async () => server.cli.stdout().includes('Plugin plugin-wild left a rejected promise'));
  });

  test('E21: that kills calls which must not be repeated leaves them unknown, and calls nobody twice', async () => {
    const concurrency = 3;
    const server = await started({ guarantee: 'at-most-once', concurrency });
    const id = await submit(server, 'exit', 5);
    const { counts } = await server.completed(id, 500_000);
    expect(counts.succeeded + counts.unknown).toBe(COUNT);
    expect(counts.unknown).toBeGreaterThan(0);
    expect(counts.unknown).toBeLessThanOrEqual(concurrency);
    expect(Math.max(...app.calls().values())).toBe(1);
    const job = (await server.api(`/v1/jobs/${id}.${POISON}`)).body;
    expect(job).toMatchObject({ state: 'unknown', code: 'interrupted' });
  });
});
