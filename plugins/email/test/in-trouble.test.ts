import { expect, it } from 'vitest';
import { ended, testWorld, until } from '../../../core/test/helpers/engine-world.ts';
import plugin from '../src/index.ts';
import { jobOfTag } from '../src/receipts/job-tag.ts';
import { type ResendServer, resendError, resendServer } from './helpers/resend-server.ts';

const world = testWorld();

const JOBS = 2_000;

async function withServer(work: (server: ResendServer) => Promise<void>): Promise<void> {
  const server = await resendServer('re_key');
  try {
    await work(server);
  } finally {
    await server.close();
  }
}

const started = (server: ResendServer) =>
  world.started({
    plugins: [{ plugin }],
    allowNetworks: ['127.0.0.0/8'],
    retry: { baseMs: 20 },
    credentials: (_type, provider) =>
      provider === 'resend' ? { apiKey: 're_key', baseUrl: server.url, requestsPerSecond: 1_000 } : {},
  });

const batchOf = (count: number) => ({
  type: 'email',
  provider: 'resend',
  defaults: { from: 'news@sender.example', subject: 'Hello', text: 'Dear reader' },
  jobs: Array.from({ length: count }, (_, n) => ({ to: `person${n}@example.com` })),
});

const jobsIn = ({ ledger }: ResendServer) =>
  [...ledger.values()].map(({ tags = [] }) => jobOfTag(tags[0]?.value)).toSorted();

it('a key that is revoked in the middle blocks the connection, and afterwards nobody is written to twice', async () => {
  await withServer(async (server) => {
    let calls = 0;
    server.trouble = () => (++calls > 5 ? resendError(403, 'invalid_api_key') : undefined);
    const engine = await started(server);
    const { id } = await engine.submit(batchOf(JOBS));
    const waiting = await until('the block', async () => {
      const batch = await engine.getBatch(id);
      return batch.blocked === null ? undefined : batch;
    });
    expect(waiting).toMatchObject({ blocked: { code: 'invalid_api_key' }, counts: { failed: 0 } });
    expect(server.ledger.size).toBe(500);
    server.trouble = undefined;
    await engine.connections.unblock(waiting.connectionId);
    expect((await ended(engine, id)).counts).toMatchObject({ total: JOBS, succeeded: JOBS, failed: 0 });
    expect(jobsIn(server)).toEqual(Array.from({ length: JOBS }, (_, n) => `${id}.${n}`).toSorted());
  });
});

it('calls whose answers are cut are made again with their keys, and nobody is written to twice', async () => {
  await withServer(async (server) => {
    let calls = 0;
    server.trouble = () => {
      server.cutAfterwards = ++calls % 3 === 0;
      return undefined;
    };
    const engine = await started(server);
    const { id } = await engine.submit(batchOf(JOBS));
    expect((await ended(engine, id)).counts).toMatchObject({ total: JOBS, succeeded: JOBS });
    expect(server.requests.length).toBeGreaterThan(JOBS / 100);
    expect(jobsIn(server)).toEqual(Array.from({ length: JOBS }, (_, n) => `${id}.${n}`).toSorted());
  });
});
