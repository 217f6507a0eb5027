import { expect, it } from 'vitest';
import { ended, testWorld } from '../../../core/test/helpers/engine-world.ts';
import plugin from '../src/index.ts';
import { type Answer, type Received, type Receiver, receiver } from './helpers/receiver.ts';

const world = testWorld();

interface Sent {
  readonly id: string;
  readonly body: { readonly n: number };
}

const jobsOf = ({ body }: Received) => (JSON.parse(body) as { jobs: Sent[] }).jobs;

const list = (request: Received, decide: (job: Sent) => object): string =>
  JSON.stringify({ results: jobsOf(request).map((job) => ({ id: job.id, ...decide(job) })) });

const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ body: { n } }));

async function withReceiver(answer: Answer, work: (hook: Receiver) => Promise<void>): Promise<void> {
  const hook = await receiver(answer);
  try {
    await work(hook);
  } finally {
    await hook.close();
  }
}

const started = (deduplicates?: 'jobs' | 'calls') =>
  world.started({
    plugins: [{ plugin }],
    allowNetworks: ['127.0.0.0/8'],
    retry: { baseMs: 20 },
    credentials: (_type, provider) =>
      provider === 'bulk' && deduplicates !== undefined ? { deduplicates } : {},
  });

it('sends jobs of one URL together, at most a hundred a call', async () => {
  const answer: Answer = (request, response) =>
    void response.end(list(request, () => ({ status: 'succeeded' })));
  await withReceiver(answer, async (hook) => {
    const engine = await started();
    const jobs = numbers(250).map((job, n) => ({
      ...job,
      url: `${hook.url}/${n % 2 === 0 ? 'even' : 'odd'}`,
    }));
    const { id } = await engine.submit({ type: 'webhook', provider: 'bulk', jobs });
    expect((await ended(engine, id)).counts).toMatchObject({ total: 250, succeeded: 250 });
    const sizes = hook.received.map((request) => `${request.path} ${jobsOf(request).length}`);
    expect(sizes.toSorted()).toEqual(['/even 100', '/even 25', '/odd 100', '/odd 25']);
    for (const request of hook.received) {
      const rest = request.path === '/even' ? 0 : 1;
      expect(new Set(jobsOf(request).map(({ body }) => body.n % 2))).toEqual(new Set([rest]));
    }
    const sent = hook.received.flatMap((request) =>
      jobsOf(request).map(({ id: jobId, body }) => [jobId, body.n]),
    );
    expect(sent.toSorted(([, a], [, b]) => Number(a) - Number(b))).toEqual(
      jobs.map((_, n) => [`${id}.${n}`, n]),
    );
  });
});

it('gives each job its own fate, and blames a receiver with a wrong list, not the plugin', async () => {
  const tries = new Map<number, number>();
  const answer: Answer = (request, response) => {
    for (const { body } of jobsOf(request)) tries.set(body.n, (tries.get(body.n) ?? 0) + 1);
    const { results } = JSON.parse(
      list(request, ({ body: { n } }) => {
        if (n % 4 === 1) return { status: 'failed', code: 'no_stock' };
        return { status: n % 4 === 2 && tries.get(n) === 1 ? 'retry' : 'succeeded', ref: `r${n}` };
      }),
    ) as { results: object[] };
    const ids = jobsOf(request).map(({ body }) => body.n);
    const kept = results.filter((_result, index) => (ids[index] as number) % 4 !== 3);
    response.end(JSON.stringify({ results: [...kept, { id: 'foreign', status: 'succeeded' }] }));
  };
  await withReceiver(answer, async (hook) => {
    const engine = await started();
    const { id } = await engine.submit({
      type: 'webhook',
      provider: 'bulk',
      defaults: { url: hook.url },
      jobs: numbers(40),
    });
    const batch = await ended(engine, id);
    expect(batch.counts).toMatchObject({ total: 40, succeeded: 20, failed: 10, unknown: 10 });
    expect(batch.blocked).toBeNull();
    expect(await engine.getJob(`${id}.2`)).toMatchObject({ state: 'succeeded', attempts: 2, ref: 'r2' });
    expect(await engine.getJob(`${id}.1`)).toMatchObject({ state: 'failed', code: 'no_stock' });
    expect(await engine.getJob(`${id}.3`)).toMatchObject({ state: 'unknown', code: 'missing_result' });
    expect([...tries].filter(([, count]) => count > 1).map(([n]) => n % 4)).toEqual(Array(10).fill(2));
    const messages = world.log.map(({ message }) => message);
    expect(new Set(messages)).toEqual(
      new Set(['a webhook receiver answered a list of results that does not fit the call']),
    );
  });
});

it('repeats a call that was cut with the same id and the same bytes, if the receiver knows calls', async () => {
  const done = new Map<string, string>();
  const answer: Answer = (request, response) => {
    const id = String(request.headers['webhook-id']);
    const known = done.get(id);
    done.set(
      id,
      list(request, () => ({ status: 'succeeded' })),
    );
    if (known === undefined) response.destroy();
    else response.end(known);
  };
  await withReceiver(answer, async (hook) => {
    const engine = await started('calls');
    const { id } = await engine.submit({
      type: 'webhook',
      provider: 'bulk',
      defaults: { url: hook.url },
      jobs: numbers(150),
    });
    expect((await ended(engine, id)).counts).toMatchObject({ total: 150, succeeded: 150 });
    expect(hook.received).toHaveLength(4);
    expect(done.size).toBe(2);
    const bodies = Map.groupBy(hook.received, ({ headers }) => headers['webhook-id']);
    for (const calls of bodies.values()) expect(new Set(calls.map(({ body }) => body)).size).toBe(1);
  });
});

it('sends the jobs of a lost call again under their own ids, flagged as possible duplicates', async () => {
  const seen = new Map<string, number>();
  const answer: Answer = (request, response) => {
    for (const { id } of jobsOf(request)) seen.set(id, (seen.get(id) ?? 0) + 1);
    if (seen.get(jobsOf(request)[0]?.id ?? '') === 1) response.end('<html>');
    else response.end(list(request, () => ({ status: 'succeeded' })));
  };
  await withReceiver(answer, async (hook) => {
    const engine = await started();
    const defaults = { url: hook.url };
    const { id } = await engine.submit({ type: 'webhook', provider: 'bulk', defaults, jobs: numbers(10) });
    expect((await ended(engine, id)).counts).toMatchObject({ total: 10, succeeded: 10 });
    expect([...seen.values()]).toEqual(Array(10).fill(2));
    expect(await engine.getJob(`${id}.9`)).toMatchObject({ attempts: 2, possibleDuplicate: true });
  });
});
